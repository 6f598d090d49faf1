//! The weather against a server that answers exactly as OpenWeatherMap documents it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use ieum_contracts::voice::DialogOutcome;
use ieum_testkit::backend::SqlStore;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::stage::Stage;

/// What the server does, and what it was asked.
#[derive(Default)]
pub struct Sky {
    pub broken: Mutex<Vec<&'static str>>,
    pub asked: Mutex<Vec<String>>,
    /// Answers none of the three before all are asked.
    pub together: Mutex<Option<Arc<Barrier>>>,
}

type Asked = Query<std::collections::BTreeMap<String, String>>;

impl Sky {
    async fn serve(self: &Arc<Self>) -> SocketAddr {
        let routes = Router::new()
            .route("/geo/1.0/direct", get(direct))
            .route("/data/2.5/weather", get(weather))
            .route("/data/2.5/forecast", get(forecast))
            .route("/data/2.5/air_pollution", get(air))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("has an address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    /// How often each is asked, the place's finding first.
    fn counts(&self) -> [usize; 4] {
        let asked = self.asked.lock();
        ["direct", "weather", "forecast", "air"]
            .map(|name| asked.iter().filter(|asked| asked.starts_with(name)).count())
    }

    async fn meet(&self) {
        let together = self.together.lock().clone();
        if let Some(together) = together {
            together.wait().await;
        }
    }

    fn answer(&self, name: &'static str, asked: &Asked, answer: Value) -> Response {
        self.asked
            .lock()
            .push(format!("{name} {}", asked.get("q").cloned().unwrap_or_default()).trim().to_owned());
        if asked.get("appid").map(String::as_str) != Some("secret") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        if self.broken.lock().contains(&name) {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        Json(answer).into_response()
    }
}

async fn direct(State(sky): State<Arc<Sky>>, asked: Asked) -> Response {
    let place = |name: &str, korean: &str, lat: f64, lon: f64| json!([{ "name": name, "local_names": { "en": name, "ko": korean }, "lat": lat, "lon": lon, "country": "KR" }]);
    let found = match asked.get("q").map(String::as_str) {
        Some("Seoul" | "서울") => place("Seoul", "서울특별시", 37.5667, 126.9783),
        Some("부산" | "Busan") => place("Busan", "부산", 35.1796, 129.0756),
        _ => json!([]),
    };
    sky.answer("direct", &asked, found)
}

async fn weather(State(sky): State<Arc<Sky>>, asked: Asked) -> Response {
    sky.meet().await;
    let report = json!({
        "coord": { "lon": 126.9783, "lat": 37.5667 },
        "weather": [{ "id": 800, "main": "Clear", "description": "맑음", "icon": "01d" }],
        "base": "stations",
        "main": { "temp": 18.4, "feels_like": 17.9, "temp_min": 17.0, "temp_max": 19.0, "pressure": 1015, "humidity": 48 },
        "visibility": 10000, "wind": { "speed": 2.57, "deg": 250 }, "clouds": { "all": 0 }, "dt": 1777604400,
        "sys": { "type": 1, "id": 8105, "country": "KR", "sunrise": 1777581240, "sunset": 1777630860 },
        "timezone": 32400, "id": 1835848, "name": "Seoul", "cod": 200
    });
    sky.answer("weather", &asked, report)
}

async fn forecast(State(sky): State<Arc<Sky>>, asked: Asked) -> Response {
    sky.meet().await;
    // Every three hours from noon in Seoul: today it gets 21 degrees, tomorrow 15 with rain.
    let step = |at: i64| {
        let is_tomorrow = at >= 4;
        let id = if is_tomorrow { 500 } else { 801 };
        json!({
            "dt": 1_777_604_400 + at * 10_800,
            "main": { "temp": if is_tomorrow { 11.0 + at as f64 % 5.0 } else { 18.0 + at as f64 }, "feels_like": 17.0, "humidity": 50 },
            "weather": [{ "id": id, "main": "Rain", "description": "비", "icon": "10d" }],
            "clouds": { "all": 20 }, "wind": { "speed": 2.0, "deg": 200 }, "visibility": 10000,
            "pop": if is_tomorrow { 0.8 } else { 0.1 }, "sys": { "pod": "d" }, "dt_txt": "2026-05-01 03:00:00"
        })
    };
    let list: Vec<Value> = (0..40).map(step).collect();
    sky.answer(
        "forecast",
        &asked,
        json!({ "cod": "200", "message": 0, "cnt": 40, "list": list, "city": { "id": 1835848 } }),
    )
}

async fn air(State(sky): State<Arc<Sky>>, asked: Asked) -> Response {
    sky.meet().await;
    let components = json!({ "co": 230.3, "no": 0.2, "no2": 14.1, "o3": 62.2, "so2": 3.1, "pm2_5": 40.2, "pm10": 61.0, "nh3": 0.9 });
    let list = json!([{ "dt": 1777604400, "main": { "aqi": 3 }, "components": components }]);
    sky.answer("air", &asked, json!({ "coord": { "lon": 126.9783, "lat": 37.5667 }, "list": list }))
}

async fn stage() -> (SqlStore, Stage, Arc<Sky>) {
    let (sql, sky) = (SqlStore::sqlite(), Arc::new(Sky::default()));
    let stage = Stage::under(&sql.url, Some(sky.serve().await), None).await;
    (sql, stage, sky)
}

#[tokio::test]
async fn what_follows_within_a_sentence_is_about_the_place_in_it() {
    let (_sql, stage, _sky) = stage().await;
    stage.say("부산 날씨 어때?").await;
    let both = stage.say("서울 날씨 알려 주고 내일은?").await;
    assert_eq!(
        both.text,
        "서울특별시 지금 날씨는 맑음, 기온은 18도예요. 서울특별시 오늘은 구름 조금, 최저 18도, 최고 21도예요. 미세먼지는 보통, \
         초미세먼지는 나쁨이에요. 서울특별시 내일은 비, 최저 11도, 최고 15도예요. 비 올 확률은 80퍼센트예요."
    );
}

#[tokio::test]
async fn today_tomorrow_and_another_place_follow_one_another() {
    let (_sql, stage, sky) = stage().await;
    let today = stage.say("오늘 날씨 어때?").await;
    assert_eq!(
        today.text,
        "서울특별시 지금 날씨는 맑음, 기온은 18도예요. 서울특별시 오늘은 구름 조금, 최저 18도, 최고 21도예요. 미세먼지는 보통, 초미세먼지는 나쁨이에요."
    );
    let tomorrow = stage.say("내일은?").await;
    assert_eq!(tomorrow.text, "서울특별시 내일은 비, 최저 11도, 최고 15도예요. 비 올 확률은 80퍼센트예요.");
    let there = stage.say("부산은?").await;
    assert_eq!(
        there.text, "부산 내일은 비, 최저 11도, 최고 15도예요. 비 올 확률은 80퍼센트예요.",
        "the day is carried over"
    );
    assert_eq!(
        stage.say("what's the weather in Seoul").await.text,
        "Right now it is 18 degrees and clear in Seoul. In Seoul today: partly cloudy, from 18 degrees to 21 degrees. Fine dust is moderate and PM 2.5 is bad."
    );
    assert_eq!(
        stage.say("and tomorrow?").await.text,
        "In Seoul tomorrow: rainy, from 11 degrees to 15 degrees. The chance of rain is 80 percent."
    );
    assert_eq!(
        stage.say("what's the weather tomorrow in Seoul").await.text,
        "In Seoul tomorrow: rainy, from 11 degrees to 15 degrees. The chance of rain is 80 percent."
    );
    let asked = sky.asked.lock().iter().filter(|asked| asked.starts_with("direct")).count();
    assert_eq!(asked, 2, "what was asked within half an hour is not asked again: {:?}", sky.asked.lock());
}

#[tokio::test]
async fn rain_and_air_are_answered_as_asked() {
    let (_sql, stage, _sky) = stage().await;
    assert!(
        stage.say("내일 비 와?").await.text.starts_with("네, 내일 비가 올 수 있어요. 확률은 80퍼센트예요.")
    );
    assert!(stage.say("will it snow tomorrow").await.text.starts_with("No, it will not snow tomorrow."));
    assert_eq!(
        stage.say("미세먼지 어때?").await.text,
        "서울특별시 미세먼지는 61마이크로그램으로 보통이에요."
    );
    assert_eq!(
        stage.say("초미세먼지 어때").await.text,
        "서울특별시 초미세먼지는 40마이크로그램으로 나쁨이에요."
    );
    let nowhere = stage.say("what's the weather in Atlantis").await;
    assert_eq!(
        (&*nowhere.text, nowhere.outcome),
        ("I found no place called Atlantis.", DialogOutcome::Failed)
    );
}

#[tokio::test]
async fn what_is_missing_is_left_out_and_what_was_known_is_told_with_its_age() {
    let (_sql, stage, sky) = stage().await;
    sky.broken.lock().extend(["air", "weather"]);
    assert_eq!(
        stage.say("오늘 날씨 어때?").await.text,
        "서울특별시 오늘은 구름 조금, 최저 18도, 최고 21도예요."
    );
    sky.broken.lock().extend(["forecast", "direct"]);
    stage.clock.advance(Duration::from_secs(3 * 3_600));
    let never = stage.say("미세먼지 어때?").await;
    assert_eq!(never.text, "서울특별시의 공기는 지금 알 수 없어요.");
    assert_eq!(
        stage.say("오늘 날씨 어때?").await.text,
        "서울특별시 오늘은 구름 조금, 최저 18도, 최고 21도예요. 지금은 날씨 서비스에 연결되지 않아서 3시간 전에 알던 내용이에요."
    );
    let unknown = stage.say("부산 날씨 어때").await;
    assert_eq!((&*unknown.text, unknown.outcome), ("지금은 날씨를 알 수 없어요.", DialogOutcome::Failed));
}

const MINUTE: Duration = Duration::from_secs(60);
const TODAY: &str = "서울특별시 지금 날씨는 맑음, 기온은 18도예요. 서울특별시 오늘은 구름 조금, 최저 18도, 최고 21도예요. 미세먼지는 보통, 초미세먼지는 나쁨이에요.";

#[tokio::test]
async fn a_part_that_is_away_is_told_as_it_was_known_with_its_own_age() {
    let (_sql, stage, sky) = stage().await;
    let tells = async |said: &str, text: &str| assert_eq!(stage.say(said).await.text, text, "{said}");
    let today = async |age: &str| tells("오늘 날씨 어때?", format!("{TODAY} {age}").trim_end()).await;
    today("").await;
    sky.broken.lock().push("air");
    stage.clock.advance(30 * MINUTE);
    today("공기 정보는 지금 받지 못해서 30분 전에 알던 내용이에요.").await;
    tells(
        "초미세먼지 어때?",
        "서울특별시 초미세먼지는 40마이크로그램으로 나쁨이에요. 공기 정보는 지금 받지 못해서 30분 전에 알던 내용이에요.",
    )
    .await;
    tells("내일 날씨 어때?", "서울특별시 내일은 비, 최저 11도, 최고 15도예요. 비 올 확률은 80퍼센트예요.")
        .await;
    // What was known 45 minutes ago is still the air of half an hour before that.
    sky.broken.lock().push("weather");
    stage.clock.advance(45 * MINUTE);
    today(
        "현재 날씨는 지금 받지 못해서 45분 전에 알던 내용이에요. 공기 정보는 지금 받지 못해서 1시간 전에 알던 내용이에요.",
    )
    .await;
    stage.clock.advance(60 * MINUTE);
    tells(
        "what's the weather in Seoul",
        "Right now it is 18 degrees and clear in Seoul. In Seoul today: partly cloudy, from 18 degrees to 21 degrees. \
         Fine dust is moderate and PM 2.5 is bad. I cannot get the current weather right now; that was known 1 hour ago. \
         I cannot get the air right now; that was known 2 hours ago.",
    )
    .await;
}

#[tokio::test]
async fn what_nobody_answers_any_more_is_told_part_by_part_until_it_is_a_week_old() {
    let (_sql, stage, sky) = stage().await;
    let today = async |age: &str| {
        let told = stage.say("오늘 날씨 어때?").await.text;
        assert_eq!(told, format!("{TODAY} {age}").trim_end());
    };
    today("").await;
    sky.broken.lock().extend(["weather", "air"]);
    stage.clock.advance(40 * MINUTE);
    today("현재 날씨와 공기 정보는 지금 받지 못해서 40분 전에 알던 내용이에요.").await;
    assert_eq!(
        stage.say("how is the air quality").await.text,
        "Seoul: Fine dust is moderate and PM 2.5 is bad. I cannot get the air right now; that was known 40 minutes ago."
    );
    sky.broken.lock().push("direct");
    stage.clock.advance(40 * MINUTE);
    today(
        "현재 날씨와 공기 정보는 지금 받지 못해서 1시간 전에 알던 내용이에요. 예보는 지금 받지 못해서 40분 전에 알던 내용이에요.",
    )
    .await;
    assert_eq!(
        stage.say("내일 날씨 어때?").await.text,
        "서울특별시 내일은 비, 최저 11도, 최고 15도예요. 비 올 확률은 80퍼센트예요. \
         지금은 날씨 서비스에 연결되지 않아서 40분 전에 알던 내용이에요."
    );
    sky.broken.lock().clear();
    today("").await;
    sky.broken.lock().push("direct");
    stage.clock.advance(40 * MINUTE);
    today("지금은 날씨 서비스에 연결되지 않아서 40분 전에 알던 내용이에요.").await;
    *sky.broken.lock() = vec!["air"];
    stage.clock.advance(6 * 1_440 * MINUTE);
    let known = stage.say("미세먼지 어때?").await.text;
    assert!(
        known.ends_with(
            "61마이크로그램으로 보통이에요. 공기 정보는 지금 받지 못해서 6일 전에 알던 내용이에요."
        ),
        "{known}"
    );
    let english = stage.say("how is the air quality").await.text;
    assert!(english.ends_with("I cannot get the air right now; that was known 6 days ago."), "{english}");
    stage.clock.advance(1_440 * MINUTE);
    assert_eq!(
        stage.say("미세먼지 어때?").await.text,
        "서울특별시의 공기는 지금 알 수 없어요.",
        "a week later"
    );
}

#[tokio::test]
async fn a_whole_report_is_asked_for_again_after_half_an_hour_and_a_partial_one_sooner() {
    let (_sql, stage, sky) = stage().await;
    let asked_after = async |minutes: u32| {
        stage.clock.advance(minutes * MINUTE);
        let told = stage.say("오늘 날씨 어때?").await;
        assert_eq!(told.outcome, DialogOutcome::Answered, "{}", told.text);
        sky.counts()
    };
    assert_eq!(asked_after(0).await, [1; 4]);
    assert_eq!(asked_after(29).await, [1; 4], "at 29 minutes");
    assert_eq!(asked_after(2).await, [2; 4], "at 31 minutes");
    assert_eq!(asked_after(29).await, [2; 4], "29 minutes after that");
    sky.broken.lock().push("air");
    assert_eq!(asked_after(2).await, [3; 4]);
    assert_eq!(asked_after(1).await, [3; 4], "a minute after a partial one");
    sky.broken.lock().clear();
    assert_eq!(asked_after(2).await, [4; 4], "three minutes after a partial one");
    assert_eq!(asked_after(29).await, [4; 4], "it is whole again");
}

#[tokio::test]
async fn conditions_forecast_and_air_are_asked_for_at_once() {
    let (_sql, stage, sky) = stage().await;
    *sky.together.lock() = Some(Arc::new(Barrier::new(3)));
    let asked = tokio::time::timeout(Duration::from_secs(60), stage.say("오늘 날씨 어때?"));
    assert_eq!(asked.await.expect("none waits for another").text, TODAY);
    assert_eq!(sky.counts(), [1; 4]);
}

#[tokio::test]
async fn without_a_key_it_says_so() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    let answer = stage.say("오늘 날씨 어때?").await;
    assert_eq!((answer.text.contains("voice.weather_key"), answer.outcome), (true, DialogOutcome::Failed));
}

#[tokio::test]
async fn a_talk_stays_at_its_place_and_a_time_is_none() {
    let (_sql, stage, sky) = stage().await;
    assert!(stage.say("부산 날씨 어때?").await.text.starts_with("부산"));
    let rain = stage.say("비 와?").await;
    assert!(rain.text.contains("부산"), "{}", rain.text);
    assert!(stage.say("미세먼지는?").await.text.starts_with("부산 미세먼지는"));
    assert!(stage.say("모레는 어때?").await.text.contains("부산 모레는"));
    assert!(stage.say("what's the weather in Busan").await.text.contains("in Busan"));
    assert!(stage.say("is it going to rain?").await.text.contains("in Busan"));
    stage.say("몇 시야").await;
    assert!(stage.say("오늘 날씨 어때?").await.text.starts_with("서울특별시"), "another talk");
    for said in ["저녁에 비 와?", "밖 날씨 어때?", "what's the weather like at 5 pm", "5월 2일 날씨 어때?"]
    {
        stage.say("몇 시야").await;
        let answered = stage.say(said).await;
        assert_eq!(answered.outcome, DialogOutcome::Answered, "{said}: {}", answered.text);
    }
    let asked =
        sky.asked.lock().iter().filter(|asked| asked.starts_with("direct")).cloned().collect::<Vec<_>>();
    assert!(
        asked.iter().all(|asked| ["direct Seoul", "direct 부산", "direct Busan"].contains(&&**asked)),
        "{asked:?}"
    );
}

#[tokio::test]
async fn the_weekend_is_ahead_and_the_air_is_of_now() {
    let (_sql, stage, _sky) = stage().await;
    stage.clock.advance(Duration::from_secs(2 * 86_400));
    for said in ["주말 날씨 어때?", "이번 주 날씨 어때?", "what's the weather this weekend"] {
        let answered = stage.say(said).await;
        let past = ["5월 2일", "4월", "May 2", "April"].iter().any(|day| answered.text.contains(day));
        assert!(!past, "{said}: {}", answered.text);
    }
    let air = stage.say("내일 초미세먼지 어때?").await.text;
    assert!(air.starts_with("공기는 지금 것만 알 수 있어요."), "{air}");
    assert_eq!(stage.say("어제 날씨 알려 줘").await.text, "어제 날씨는 지나서 알 수 없어요.");
}
