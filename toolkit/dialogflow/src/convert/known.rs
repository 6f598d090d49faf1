//! What an agent knows, as messages.

use crate::proto::v2;
use crate::{AgentName, EntityType, Intent, IntentRef};

/// Returns an intent as a message, with its phrases where they are `wanted`.
pub fn intent_message(agent: &AgentName, intent: &Intent, wanted: bool) -> v2::Intent {
    use v2::intent::training_phrase::{Part, Type};
    use v2::intent::{Parameter, TrainingPhrase};
    let phrase = |text: &String| TrainingPhrase {
        r#type: Type::Example as i32,
        parts: vec![Part { text: text.clone(), ..Default::default() }],
        ..Default::default()
    };
    let parameter = |(name, kind, mandatory): &(String, String, bool)| Parameter {
        display_name: name.clone(),
        value: format!("${name}"),
        entity_type_display_name: format!("@{kind}"),
        mandatory: *mandatory,
        ..Default::default()
    };
    let phrases = if wanted { intent.phrases.iter().map(phrase).collect() } else { Vec::new() };
    let session = |id: &String| format!("{agent}/sessions/-/contexts/{id}");
    v2::Intent {
        training_phrases: phrases,
        parameters: intent.parameters.iter().map(parameter).collect(),
        events: intent.events.clone(),
        input_context_names: intent.input_contexts.iter().map(session).collect(),
        action: intent.action.clone(),
        ..reference_message(agent, &intent.reference)
    }
}

/// Returns a kind of values as a message.
pub fn entity_message(agent: &AgentName, kind: &EntityType) -> v2::EntityType {
    use v2::entity_type::{Entity, Kind};
    let entity = |(value, synonyms): &(String, Vec<String>)| Entity {
        value: value.clone(),
        synonyms: if synonyms.is_empty() { vec![value.clone()] } else { synonyms.clone() },
    };
    v2::EntityType {
        name: format!("{agent}/entityTypes/{}", kind.id),
        display_name: kind.display_name.clone(),
        kind: Kind::Map as i32,
        entities: kind.values.iter().map(entity).collect(),
        ..Default::default()
    }
}

/// Returns what an answer tells of its intent.
pub fn reference_message(agent: &AgentName, intent: &IntentRef) -> v2::Intent {
    v2::Intent {
        name: format!("{agent}/intents/{}", intent.id),
        display_name: intent.display_name.clone(),
        is_fallback: intent.is_fallback,
        end_interaction: intent.ends,
        ..Default::default()
    }
}
