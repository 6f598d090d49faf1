//! Plugins from outside that are late, garble, change their minds, and go.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use ieum_contracts::voice::{
    ControlAction, Meaning, PluginClient, PluginDescription, PluginRoutes, Understand, Understanding,
};
use ieum_core::{ManualClock, Timestamp};
use ieum_link::loopback;
use ieum_testkit::wait;
use parking_lot::Mutex;

use super::*;

const LONG: Duration = Duration::from_secs(20);

/// Says what a test tells it to.
#[derive(Default)]
struct Scripted {
    asked: AtomicUsize,
    description: Mutex<Option<PluginDescription>>,
    answer: Mutex<PluginAnswer>,
}

#[async_trait]
impl Plugin for Scripted {
    async fn describe(&self, _: &Cx, _: DescribePlugin) -> Result<PluginDescription, Fault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.description.lock().clone().ok_or_else(|| Fault::unavailable("test.mute", "asking"))
    }

    async fn handle(&self, _: &Cx, _: PluginAsk) -> Result<PluginAnswer, Fault> {
        Ok(self.answer.lock().clone())
    }
}

/// A plugin that a dialogue was told of, and the engine that learns from it.
struct Stage {
    scripted: Arc<Scripted>,
    clock: ManualClock,
    outside: Arc<Outside>,
    began: watch::Sender<u64>,
    local: LocalUnderstanding,
    stop: CancellationToken,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn stage() -> Stage {
    let clock = ManualClock::at(Timestamp::from_seconds(1_780_000_000));
    let scripted = Arc::new(Scripted::default());
    // As over any other link: what it says is written and read.
    let routes = PluginRoutes::of(scripted.clone() as Arc<dyn Plugin>);
    let plugin = Arc::new(PluginClient::new(loopback(routes, clock.shared())));
    let (began, watched) = watch::channel(0);
    let outside = Arc::new(Outside::new(OutsidePlugin { name: "coffee".into(), plugin, began: watched }));
    let local = LocalUnderstanding::new().expect("reads its sentences");
    let stop = CancellationToken::new();
    let taken = vec!["time.query"];
    let work = outside.clone().introduce(taken, Some(local.clone()), clock.shared(), stop.clone());
    tokio::spawn(work);
    Stage { scripted, clock, outside, began, local, stop }
}

fn coffee(sentence: &str) -> PluginDescription {
    let said = [("coffee.order".to_owned(), vec![sentence.to_owned()])];
    PluginDescription {
        name: "coffee".into(),
        intents: vec!["coffee.order".into()],
        sentences: [("ko".to_owned(), said.into())].into(),
        ..PluginDescription::default()
    }
}

impl Stage {
    fn asked(&self) -> usize {
        // Over a loopback whatever may be repeated is sent twice.
        self.scripted.asked.load(Ordering::SeqCst) / 2
    }

    async fn until(&self, what: &str, is: impl Fn(&PluginReport) -> bool) -> PluginReport {
        let look = || async { Some(self.outside.report()).filter(|report| is(report)) };
        wait::until_some(what, LONG, look).await.expect("comes about")
    }

    async fn intent(&self, text: &str) -> Option<String> {
        let ask = Understand { text: text.into(), language: "ko".into(), ..Understand::default() };
        let found = self.local.understand(&Cx::root(), ask).await.expect("is understood");
        found.meanings.into_iter().next().map(|meaning| meaning.intent)
    }
}

#[tokio::test]
async fn one_that_comes_late_and_is_started_again_with_other_sentences_is_understood() {
    let stage = stage();
    *stage.scripted.description.lock() = Some(coffee("커피 {count} 잔 시켜 줘"));
    assert_eq!(stage.intent("커피 두 잔 시켜 줘").await, None);
    stage.began.send_replace(1);
    let report = stage.until("it is known", |report| !report.intents.is_empty()).await;
    assert_eq!((report.sentences, report.problem), (1, None));
    assert!(stage.outside.answers("coffee.order") && !stage.outside.answers("tea.order"));
    assert_eq!(stage.intent("커피 두 잔 시켜 줘").await.as_deref(), Some("coffee.order"));
    assert_eq!(stage.intent("지금 몇 시야?").await.as_deref(), Some("time.query"), "own sentences stay");

    let mut other = coffee("에스프레소 {count} 잔 뽑아 줘");
    other.intents.push("coffee.menu".into());
    *stage.scripted.description.lock() = Some(other);
    stage.began.send_replace(2);
    stage.until("it is known anew", |report| report.intents.len() == 2).await;
    assert_eq!(stage.intent("커피 두 잔 시켜 줘").await, None);
    assert_eq!(stage.intent("에스프레소 두 잔 뽑아 줘").await.as_deref(), Some("coffee.order"));
}

#[tokio::test]
async fn one_that_does_not_say_what_it_does_is_asked_later_each_time_and_keeps_what_it_said() {
    let stage = stage();
    stage.began.send_replace(1);
    let report = stage.until("its silence is told", |report| report.problem.is_some()).await;
    assert!(report.problem.expect("is told").contains("test.mute"));
    let first = stage.asked();
    assert!(first >= 1);
    *stage.scripted.description.lock() = Some(coffee("커피 {count} 잔"));
    let advance = || async {
        stage.clock.advance(SOON);
        !stage.outside.report().intents.is_empty()
    };
    wait::until("it is known", LONG, advance).await.expect("is asked again");
    *stage.scripted.description.lock() = None;
    let advance = || async {
        stage.clock.advance(AGAIN);
        stage.outside.report().problem.is_some()
    };
    wait::until("it is silent again", LONG, advance).await.expect("is asked again");
    assert!(stage.outside.answers("coffee.order"), "the turn is to say that it cannot be done right now");
}

#[tokio::test]
async fn one_that_says_the_same_again_is_not_learnt_anew_and_its_mistakes_stay_told() {
    let stage = stage();
    let broken = coffee("커피 (한|두 잔");
    *stage.scripted.description.lock() = Some(broken.clone());
    stage.began.send_replace(1);
    let told = stage.until("its mistakes are told", |report| report.problem.is_some()).await;
    *stage.scripted.description.lock() = None;
    stage.began.send_replace(2);
    let silent = |report: &PluginReport| report.problem != told.problem;
    stage.until("it is silent", silent).await;
    // Where it were learnt anew, its intents would be known again.
    stage.outside.known.write().intents.clear();
    *stage.scripted.description.lock() = Some(broken);
    stage.began.send_replace(3);
    let again = stage.until("it speaks again", |report| report.problem == told.problem).await;
    assert!(again.intents.is_empty(), "{again:?}");
}

#[tokio::test]
async fn what_cannot_be_used_of_a_description_is_told_with_its_place() {
    let stage = stage();
    let mut description = coffee("커피 (한|두 잔");
    description.intents.push("time.query".into());
    *stage.scripted.description.lock() = Some(description);
    stage.began.send_replace(1);
    let report = stage.until("its mistakes are told", |report| report.problem.is_some()).await;
    let problem = report.problem.expect("is told");
    assert!(problem.contains("the platform answers time.query itself"), "{problem}");
    assert!(problem.contains("sentences.ko.coffee.order[0]: template \"커피 (한|두 잔\""), "{problem}");
    assert_eq!((report.intents, report.sentences), (vec!["coffee.order".to_owned()], 0));

    *stage.scripted.description.lock() = Some(PluginDescription { name: String::new(), ..coffee("x") });
    stage.began.send_replace(2);
    let told =
        |report: &PluginReport| report.problem.as_ref().is_some_and(|told| told.contains("field name"));
    stage.until("a description without a name is refused", told).await;
}

fn ask() -> PluginAsk {
    let meaning = Meaning { intent: "coffee.order".into(), ..Meaning::default() };
    PluginAsk { meaning, ..PluginAsk::default() }
}

fn says(text: &str) -> PluginAnswer {
    PluginAnswer { text: text.into(), ..PluginAnswer::default() }
}

#[tokio::test]
async fn what_no_plugin_may_say_is_refused_by_field() {
    let stage = stage();
    let control = |level: f64, color: Option<&str>| Effect::Control {
        thing: "lamp".into(),
        device_id: "kitchen".into(),
        action: ControlAction::Set,
        level: Some(level),
        color: color.map(str::to_owned),
    };
    let [bright, named] = [control(900.0, None), control(9.0, Some("blue"))];
    let shout = || Effect::Announce { area: None, text: "가".repeat(LONGEST_TEXT + 1) };
    let nameless = Effect::Announce { area: Some(String::new()), text: "네".into() };
    let cancel = |count| Effect::Cancel { schedules: vec!["1".into(); count] };
    let of_others = Effect::Cancel { schedules: vec!["#0".into()] };
    for (answer, field) in [
        (says(" "), "field text: is empty"),
        (says(&"가".repeat(LONGEST_TEXT + 1)), "field text: has more"),
        (says("네\x1b[2J"), "field text: has more"),
        (PluginAnswer { missing: Some(String::new()), ..says("어디요?") }, "field missing"),
        (PluginAnswer { effects: vec![cancel(1); MOST_EFFECTS + 1], ..says("네") }, "field effects: has"),
        (PluginAnswer { effects: vec![cancel(1), shout()], ..says("네") }, "field effects[1].text: has"),
        (PluginAnswer { effects: vec![nameless], ..says("네") }, "field effects[0].area: has no 1"),
        (PluginAnswer { effects: vec![bright], ..says("네") }, "field effects[0].level: expected 0"),
        (PluginAnswer { effects: vec![named], ..says("네") }, "field effects[0].color: expected #rrggbb"),
        (PluginAnswer { effects: vec![cancel(101)], ..says("네") }, "field effects[0].schedules: has"),
        (PluginAnswer { effects: vec![of_others], ..says("네") }, "field effects[0].schedules: names"),
    ] {
        *stage.scripted.answer.lock() = answer;
        let fault = stage.outside.handle(&Cx::root(), ask()).await.expect_err("is refused");
        assert_eq!(&*fault.reason, "voice.plugin.garbage", "{fault}");
        assert!(fault.message.contains(field), "{field}: {fault}");
    }
    let sound = PluginAnswer {
        effects: vec![control(50.0, Some("#00aaFF")), cancel(1)],
        ..says("네\n알겠어요")
    };
    *stage.scripted.answer.lock() = sound.clone();
    assert_eq!(stage.outside.handle(&Cx::root(), ask()).await, Ok(sound));
}
