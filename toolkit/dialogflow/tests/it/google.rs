//! Google's own clients as they come from their registries: for Python and for Node, over gRPC and REST.

use std::path::Path;
use std::process::Command;

use ieum_testkit::server;

use crate::world::weather;

const PYTHON: &str = r#"
import sys
import grpc
from google.api_core.exceptions import BadRequest, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import dialogflow_v2 as dialogflow
from google.cloud.dialogflow_v2.services.contexts import transports as context_transports
from google.cloud.dialogflow_v2.services.entity_types import transports as entity_transports
from google.cloud.dialogflow_v2.services.intents import transports as intent_transports
from google.cloud.dialogflow_v2.services.sessions import transports as session_transports
from google.protobuf.struct_pb2 import Struct

address = "127.0.0.1:" + sys.argv[1]

def transport(module, name, way):
    if way == "grpc":
        return getattr(module, name + "GrpcTransport")(channel=grpc.insecure_channel(address))
    return getattr(module, name + "RestTransport")(host=address, url_scheme="http", credentials=AnonymousCredentials())

for way in ("grpc", "rest"):
    sessions = dialogflow.SessionsClient(transport=transport(session_transports, "Sessions", way))
    contexts = dialogflow.ContextsClient(transport=transport(context_transports, "Contexts", way))
    intents = dialogflow.IntentsClient(transport=transport(intent_transports, "Intents", way))
    kinds = dialogflow.EntityTypesClient(transport=transport(entity_transports, "EntityTypes", way))
    session = sessions.session_path("p", "py-" + way)

    def say(text, language="ko", **more):
        spoken = dialogflow.TextInput(text=text, language_code=language)
        return sessions.detect_intent(request={
            "session": session, "query_input": dialogflow.QueryInput(text=spoken), **more})

    first = say("오늘 날씨 어때?", output_audio_config=dialogflow.OutputAudioConfig(
        audio_encoding=dialogflow.OutputAudioEncoding.OUTPUT_AUDIO_ENCODING_LINEAR_16, sample_rate_hertz=8000))
    result = first.query_result
    assert result.intent.display_name == "weather", result
    assert result.fulfillment_text == "today: 맑아요", result
    assert dict(result.parameters)["days"] == 1.0, result
    assert abs(result.intent_detection_confidence - 0.75) < 1e-6 and result.all_required_params_present
    assert result.fulfillment_messages[1].quick_replies.quick_replies[1] == "내일은?", result
    assert first.output_audio == b"RIFF" and first.output_audio_config.sample_rate_hertz == 8000
    assert first.output_audio_config.audio_encoding == dialogflow.OutputAudioEncoding.OUTPUT_AUDIO_ENCODING_LINEAR_16
    assert [(c.name, c.lifespan_count) for c in result.output_contexts] == [(session + "/contexts/weather", 2)], result
    assert dict(say("내일은?").query_result.parameters)["date"] == "tomorrow"
    assert say("hm", "en-US").query_result.intent.is_fallback

    who = Struct(); who.update({"who": "Kim", "deep": {"list": [1, "둘", None, True]}})
    event = dialogflow.EventInput(name="WELCOME", parameters=who, language_code="en")
    answer = sessions.detect_intent(session=session, query_input=dialogflow.QueryInput(event=event))
    assert answer.query_result.fulfillment_text == "WELCOME Kim", answer

    mood = Struct(); mood.update({"how": "좋음"})
    made = contexts.create_context(parent=session, context=dialogflow.Context(
        name=session + "/contexts/mood", lifespan_count=5, parameters=mood))
    assert made.lifespan_count == 5, made
    changed = contexts.update_context(context=dialogflow.Context(name=made.name, lifespan_count=7),
        update_mask={"paths": ["lifespan_count"]})
    assert (changed.lifespan_count, dict(changed.parameters)) == (7, {"how": "좋음"}), changed
    listed = list(contexts.list_contexts(request={"parent": session, "page_size": 1}))
    assert sorted(c.name.rsplit("/")[-1] for c in listed) == ["mood"], listed
    brought = say("내일은?", query_params=dialogflow.QueryParameters(reset_contexts=True, time_zone="Asia/Seoul",
        contexts=[dialogflow.Context(name=session + "/contexts/weather", lifespan_count=1)]))
    assert dict(brought.query_result.parameters)["date"] == "tomorrow", brought
    contexts.delete_context(name=session + "/contexts/weather")
    try:
        contexts.get_context(name=session + "/contexts/weather")
        raise AssertionError("it is still there")
    except NotFound as error:
        assert "there is no context" in str(error), error
    contexts.delete_all_contexts(parent=session)
    assert list(contexts.list_contexts(parent=session)) == []

    agent = "projects/p/agent"
    assert [i.display_name for i in intents.list_intents(request={"parent": agent, "page_size": 1})] == \
        ["weather", "fallback"]
    intent = intents.get_intent(request={"name": agent + "/intents/7", "language_code": "ko",
        "intent_view": dialogflow.IntentView.INTENT_VIEW_FULL})
    assert intent.training_phrases[0].parts[0].text == "오늘 날씨 어때?", intent
    assert intent.training_phrases[0].type_ == dialogflow.Intent.TrainingPhrase.Type.EXAMPLE, intent
    kind = list(kinds.list_entity_types(parent=agent))[0]
    assert kind.kind == dialogflow.EntityType.Kind.KIND_MAP and kind.entities[0].synonyms[1] == "오늘", kind

    config = dialogflow.InputAudioConfig(audio_encoding=dialogflow.AudioEncoding.AUDIO_ENCODING_LINEAR_16,
        sample_rate_hertz=16000, language_code="ko")
    heard = sessions.detect_intent(request={"session": session, "input_audio": "날씨".encode(),
        "query_input": dialogflow.QueryInput(audio_config=config)})
    assert heard.query_result.query_text == "날씨" and heard.query_result.speech_recognition_confidence == 0.5, heard
    try:
        say("salut", "fr")
        raise AssertionError("French was understood")
    except BadRequest as error:
        assert "is none of en, ko" in str(error), error

    if way == "grpc":
        def requests():
            yield dialogflow.StreamingDetectIntentRequest(session=session,
                query_input=dialogflow.QueryInput(audio_config=config))
            for piece in ("오늘 ", "날씨"):
                yield dialogflow.StreamingDetectIntentRequest(input_audio=piece.encode())
        answers = list(sessions.streaming_detect_intent(requests=requests()))
        texts = [(a.recognition_result.transcript, a.recognition_result.is_final) for a in answers[:-1]]
        assert texts == [("오늘 ", False), ("오늘 날씨", False), ("오늘 날씨", True)], answers
        assert answers[-1].query_result.fulfillment_text == "today: 맑아요", answers
print("all well")
"#;

const NODE: &str = r#"
const assert = require('assert');
const dialogflow = require('@google-cloud/dialogflow').v2;
const { grpc } = require('google-gax');
const { PassThroughClient } = require('google-auth-library');
const port = Number(process.argv[process.argv.length - 1]);
const place = { apiEndpoint: '127.0.0.1', port, projectId: 'p' };
const ways = {
  grpc: { ...place, sslCreds: grpc.credentials.createInsecure() },
  rest: { ...place, fallback: true, protocol: 'http', authClient: new PassThroughClient() },
};
// Over REST the library hands HTTP's own error on.
const is = (error, code, status) => error.code === code || error.status === status;
(async () => {
  for (const [way, options] of Object.entries(ways)) {
    const sessions = new dialogflow.SessionsClient(options);
    const contexts = new dialogflow.ContextsClient(options);
    const intents = new dialogflow.IntentsClient(options);
    const session = sessions.projectAgentSessionPath('p', 'js-' + way);
    const say = async (text, languageCode, more = {}) => {
      const [answer] = await sessions.detectIntent({ session, queryInput: { text: { text, languageCode } }, ...more });
      return answer.queryResult;
    };
    const first = await say('오늘 날씨 어때?', 'ko');
    assert.strictEqual(first.intent.displayName, 'weather');
    assert.strictEqual(first.fulfillmentText, 'today: 맑아요');
    assert.strictEqual(first.parameters.fields.days.numberValue, 1);
    assert.strictEqual(first.outputContexts[0].lifespanCount, 2);
    assert.strictEqual(first.fulfillmentMessages[0].platform, 'PLATFORM_UNSPECIFIED');
    assert.strictEqual((await say('내일은?', 'ko')).parameters.fields.date.stringValue, 'tomorrow');
    assert.strictEqual((await say('hm', 'en')).intent.isFallback, true);
    const name = session + '/contexts/mood';
    const parameters = { fields: { how: { stringValue: '좋음', kind: 'stringValue' } } };
    const [made] = await contexts.createContext({ parent: session, context: { name, lifespanCount: 5, parameters } });
    assert.strictEqual(made.parameters.fields.how.stringValue, '좋음');
    const [listed] = await contexts.listContexts({ parent: session });
    assert.deepStrictEqual(listed.map(context => context.name.split('/').pop()).sort(), ['mood', 'weather']);
    await contexts.deleteAllContexts({ parent: session });
    await assert.rejects(contexts.getContext({ name }), error => is(error, 5, 404) && /there is no context/.test(error.message));
    await assert.rejects(say('salut', 'fr'), error => is(error, 3, 400) && /is none of en, ko/.test(error.message));
    const [known] = await intents.listIntents({ parent: 'projects/p/agent', intentView: 'INTENT_VIEW_FULL', languageCode: 'ko' });
    assert.strictEqual(known[0].trainingPhrases[0].parts[0].text, '오늘 날씨 어때?');
    const audioConfig = { audioEncoding: 'AUDIO_ENCODING_LINEAR_16', sampleRateHertz: 16000, languageCode: 'ko' };
    const [heard] = await sessions.detectIntent({ session, queryInput: { audioConfig }, inputAudio: Buffer.from('날씨') });
    assert.strictEqual(heard.queryResult.queryText, '날씨');
    if (way === 'grpc') {
      const answers = await new Promise((resolve, reject) => {
        const got = [];
        const stream = sessions.streamingDetectIntent().on('error', reject).on('data', answer => got.push(answer)).on('end', () => resolve(got));
        stream.write({ session, queryInput: { audioConfig } });
        stream.write({ inputAudio: Buffer.from('오늘 ') });
        stream.write({ inputAudio: Buffer.from('날씨') });
        stream.end();
      });
      assert.deepStrictEqual(answers.slice(0, -1).map(answer => answer.recognitionResult.transcript), ['오늘 ', '오늘 날씨', '오늘 날씨']);
      assert.strictEqual(answers.pop().queryResult.fulfillmentText, 'today: 맑아요');
    }
    await Promise.all([sessions.close(), contexts.close(), intents.close()]);
  }
  console.log('all well');
})().catch(error => { console.error(error); process.exit(1); });
"#;

/// Runs a program that talks to the server over gRPC and REST.
async fn talks(program: &Path, script: &str, folder: Option<&Path>) {
    let address = weather().await;
    let mut command = Command::new(program);
    let flag = if folder.is_some() { "-e" } else { "-c" };
    command.args([flag, script]).env("GOOGLE_CLOUD_PROJECT", "p");
    if let Some(folder) = folder {
        command.arg("--").env("NODE_PATH", folder.join("node_modules"));
    }
    command.arg(address.port().to_string());
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("ends").expect("runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("all well"), "{said}\n{complained}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn googles_client_for_python_talks_to_the_server_as_it_is() {
    match server::python_dialogflow() {
        Some(python) => talks(&python, PYTHON, None).await,
        None => server::not_run(
            "dialogflow for python",
            "cargo xtask test has not installed google-cloud-dialogflow",
        ),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn googles_client_for_node_talks_to_the_server_as_it_is() {
    match server::node_dialogflow() {
        Some(folder) => talks(Path::new("node"), NODE, Some(&folder)).await,
        None => server::not_run(
            "dialogflow for node",
            "cargo xtask test has not installed @google-cloud/dialogflow",
        ),
    }
}
