//! Pure forecasts: which model a series is long enough for, and what it says of the steps to come.

use ieum_contracts::analytics::{EventForecast, ForecastPoint, ForecastScore, ForecastStep, ModelWorth};
use ieum_contracts::wording::{Phrase, Wording};
use ieum_core::Timestamp;
use ieum_forecast::{
    Forecast, Mixture, Model, MstlEts, Panel, Pooled, Season, SeasonalNaive, Series, Theta, Weighed,
    regressors, repeat_season,
};
use jiff::ToSpan;
use jiff::civil::Date;

use crate::zone::Zone;

/// The share of what comes that intervals are made to hold.
pub const LEVEL: f64 = 0.9;

/// A series of people coming, equally spaced.
#[derive(Clone, Debug)]
pub struct Line {
    /// The event.
    pub event_id: String,
    /// The gate; the whole event where `None`.
    pub gate_id: Option<String>,
    /// Hour by hour or day by day.
    pub step: ForecastStep,
    /// The event's time zone.
    pub zone: Zone,
    /// The beginning of the first step: of an hour, or any moment of the first day.
    pub begins: Timestamp,
    /// People, step by step; below zero where coming was taken back.
    pub values: Vec<f64>,
}

/// How a kind of step is forecast.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What repeats.
    pub season: Season,
    /// How many steps are forecast.
    pub horizon: usize,
    /// Values from which on the season is repeated.
    pub naive_from: usize,
    /// Values from which on models are weighed on a held-out end.
    pub mixture_from: usize,
    /// Values from which on the boosted model takes part.
    pub pooled_from: usize,
    /// The most values that are looked at, the latest.
    pub most: usize,
    /// What is said of too little history for a forecast.
    pub too_few: Phrase,
    /// What is said of too little history for models to be weighed.
    pub short: Phrase,
}

/// Returns how steps of a kind are forecast.
pub const fn plan(step: ForecastStep) -> Plan {
    match step {
        ForecastStep::Hour => Plan {
            season: Season::HOURLY,
            horizon: 48,
            naive_from: 48,
            mixture_from: 120,
            pooled_from: 456,
            most: 2_016,
            too_few: Phrase::ForecastTooFewHours,
            short: Phrase::ForecastShortHours,
        },
        ForecastStep::Day => Plan {
            season: Season::DAILY,
            horizon: 14,
            naive_from: 14,
            mixture_from: 35,
            pooled_from: 63,
            most: 1_096,
            too_few: Phrase::ForecastTooFewDays,
            short: Phrase::ForecastShortDays,
        },
    }
}

/// Forecasts every line of one kind of step, in their order. Lines of like length are learned from together.
/// `made_at` is put down as the time of making.
pub fn forecast(lines: &[Line], step: ForecastStep, made_at: Timestamp) -> Vec<EventForecast> {
    let plan = plan(step);
    let mut made: Vec<Option<EventForecast>> = vec![None; lines.len()];
    let at = |range: std::ops::Range<usize>| -> Vec<usize> {
        (0..lines.len()).filter(|at| range.contains(&lines[*at].values.len())).collect()
    };
    let groups = [
        (at(plan.mixture_from..plan.pooled_from), plain_models()),
        (at(plan.pooled_from..usize::MAX), all_models()),
    ];
    for (group, models) in groups {
        if group.is_empty() {
            continue;
        }
        let panel =
            Panel { season: plan.season, series: group.iter().map(|at| lines[*at].series(plan)).collect() };
        match Mixture::new(models, LEVEL).forecast(&panel, plan.horizon) {
            Ok((forecasts, worth)) => {
                for (at, forecast) in group.into_iter().zip(forecasts) {
                    made[at] = Some(lines[at].mixed(&forecast, &worth, made_at));
                }
            }
            // The season repeated has to do where models fail; it is told below.
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "weighing models failed"),
        }
    }
    let naive = |(at, made): (usize, Option<EventForecast>)| {
        made.unwrap_or_else(|| lines[at].repeated(plan, made_at))
    };
    made.into_iter().enumerate().map(naive).collect()
}

/// Adds to a score what came of the steps that `before` forecast and `line` now has.
pub fn score(before: &EventForecast, line: &Line) -> ForecastScore {
    let mut score = before.score;
    let Some(trained_until) = before.trained_until else { return score };
    for (i, came) in line.values.iter().enumerate() {
        let at = line.at(i);
        if at < trained_until {
            continue;
        }
        let Some(point) = before.points.iter().find(|point| point.at == at) else { continue };
        let came = came.max(0.0);
        score.steps += 1;
        score.within += u64::from(came >= point.lower && came <= point.upper);
        score.absolute_error += (came - point.value).abs();
        score.actual += came;
    }
    score
}

fn plain_models() -> Vec<Box<dyn Model>> {
    vec![Box::new(SeasonalNaive), Box::new(Theta), Box::new(MstlEts)]
}

fn all_models() -> Vec<Box<dyn Model>> {
    vec![Box::new(SeasonalNaive), Box::new(Theta), Box::new(MstlEts), Box::new(Pooled::default())]
}

// === Line ===

impl Line {
    /// Returns the moment at which a step begins; the first is 0.
    pub fn at(&self, step: usize) -> Timestamp {
        let steps = i64::try_from(step).unwrap_or(0);
        match self.step {
            ForecastStep::Hour => Timestamp::from_seconds(self.begins.as_seconds() + steps * 3_600),
            ForecastStep::Day => self.zone.day_start(self.first_day() + steps.days()),
        }
    }

    fn first_day(&self) -> Date {
        self.zone.local(self.begins).date
    }

    /// The latest values, with holidays before and after as what is known ahead.
    fn series(&self, plan: Plan) -> Series {
        let skipped = self.values.len().saturating_sub(plan.most);
        let values: Vec<f64> = self.values[skipped..].iter().map(|came| came.max(0.0)).collect();
        let steps = values.len() + plan.horizon;
        let known = match self.step {
            ForecastStep::Day => {
                let skipped = i64::try_from(skipped).unwrap_or(0);
                regressors(self.first_day() + skipped.days(), steps, &[])
            }
            ForecastStep::Hour => self.known_by_hour(skipped, steps),
        };
        Series { name: self.name(), values, known }
    }

    fn known_by_hour(&self, skipped: usize, steps: usize) -> Vec<Vec<f64>> {
        let days: Vec<Date> =
            (skipped..skipped + steps).map(|step| self.zone.local(self.at(step)).date).collect();
        let Some(first) = days.first().copied() else { return Vec::new() };
        let by_day = regressors(first, steps / 23 + 2, &[]);
        let place = |day: &Date| usize::try_from((*day - first).get_days()).unwrap_or(0);
        let spread =
            |list: Vec<f64>| days.iter().map(|day| list.get(place(day)).copied().unwrap_or(0.0)).collect();
        by_day.into_iter().map(spread).collect()
    }

    fn name(&self) -> String {
        match &self.gate_id {
            Some(gate) => format!("{} gate {gate}", self.event_id),
            None => self.event_id.clone(),
        }
    }

    fn mixed(&self, forecast: &Forecast, worth: &[Weighed], made_at: Timestamp) -> EventForecast {
        let naive = worth.iter().find(|one| one.model == "seasonal naive").map_or(1.0, |one| one.error);
        let models = worth.iter().map(|one| ModelWorth {
            model: one.model.to_owned(),
            error: one.error / naive.max(f64::MIN_POSITIVE),
            weight: one.weight,
        });
        EventForecast {
            model: Some("mixture".to_owned()),
            models: models.collect(),
            points: self.points(forecast),
            ..self.blank(made_at)
        }
    }

    /// The season repeated, or a refusal where there are not two of it.
    fn repeated(&self, plan: Plan, made_at: Timestamp) -> EventForecast {
        let has = self.values.len();
        let series = Series { known: Vec::new(), ..self.series(plan) };
        match repeat_season(&series, plan.season, plan.horizon, LEVEL) {
            Ok(forecast) => {
                let needed = plan.mixture_from;
                let caution = if has < needed {
                    plan.short.with([("has", has.into()), ("needed", needed.into())])
                } else {
                    Phrase::ForecastUnweighed.with([])
                };
                EventForecast {
                    model: Some("seasonal naive".to_owned()),
                    caution: Some(caution.english()),
                    caution_wording: Some(caution),
                    points: self.points(&forecast),
                    ..self.blank(made_at)
                }
            }
            Err(_) => {
                let values = [("has", has.into()), ("needed", plan.naive_from.into())];
                self.refused(plan.too_few.with(values), made_at)
            }
        }
    }

    /// Returns a forecast of nothing, with the reason.
    pub fn refused(&self, why: Wording, made_at: Timestamp) -> EventForecast {
        EventForecast { refused: Some(why.english()), refused_wording: Some(why), ..self.blank(made_at) }
    }

    fn blank(&self, made_at: Timestamp) -> EventForecast {
        let learned = !self.values.is_empty();
        EventForecast {
            event_id: self.event_id.clone(),
            gate_id: self.gate_id.clone(),
            step: self.step,
            level: LEVEL,
            trained_from: learned.then(|| self.at(0)),
            trained_until: learned.then(|| self.at(self.values.len())),
            made_at: Some(made_at),
            ..EventForecast::default()
        }
    }

    fn points(&self, forecast: &Forecast) -> Vec<ForecastPoint> {
        let ends = forecast.lower.iter().zip(&forecast.upper);
        let each = forecast.values.iter().zip(ends).enumerate();
        each.map(|(i, (value, (lower, upper)))| ForecastPoint {
            at: self.at(self.values.len() + i),
            value: *value,
            lower: *lower,
            upper: *upper,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fair that is open from 10 to 18, busier on Saturdays.
    fn line(step: ForecastStep, values: usize) -> Line {
        let zone = Zone::named("Asia/Seoul").expect("is known");
        let begins = Timestamp::parse("2026-03-02T00:00:00+09:00").expect("is a time");
        let came = |step_at: usize| match step {
            ForecastStep::Hour => {
                let (hour, day) = (step_at % 24, step_at / 24);
                let open = if (10..18).contains(&hour) { 50.0 } else { 0.0 };
                open * if day % 7 == 5 { 2.0 } else { 1.0 } + (step_at * 7_919 % 5) as f64
            }
            ForecastStep::Day => {
                400.0 + if step_at % 7 == 5 { 400.0 } else { 0.0 } + (step_at * 7_919 % 9) as f64
            }
        };
        let values = (0..values).map(came).collect();
        Line { event_id: "fair".into(), gate_id: None, step, zone, begins, values }
    }

    fn now() -> Timestamp {
        Timestamp::parse("2026-09-01T00:00:00Z").expect("is a time")
    }

    #[test]
    fn the_longer_the_history_the_more_is_made_of_it() {
        for step in [ForecastStep::Hour, ForecastStep::Day] {
            let plan = plan(step);
            let lines = [
                line(step, plan.naive_from - 1),
                line(step, plan.naive_from),
                line(step, plan.mixture_from),
                line(step, plan.pooled_from),
            ];
            let made = forecast(&lines, step, now());
            let refused = made[0].refused.as_deref().expect("is refused");
            assert!(refused.contains(&format!("it takes {}", plan.naive_from)), "{refused}");
            assert!(made[0].points.is_empty());
            assert_eq!(made[1].model.as_deref(), Some("seasonal naive"));
            assert!(made[1].caution.as_deref().is_some_and(|text| text.contains("the season is repeated")));
            assert_eq!((made[2].model.as_deref(), made[2].models.len()), (Some("mixture"), 3));
            assert_eq!(
                (made[3].model.as_deref(), made[3].models.len()),
                (Some("mixture"), 4),
                "{:?}",
                made[3]
            );
            for made in &made[1..] {
                assert_eq!(made.points.len(), plan.horizon);
                assert!(
                    made.points.iter().all(|p| p.lower <= p.value && p.value <= p.upper && p.lower >= 0.0)
                );
                assert_eq!(
                    made.trained_until,
                    Some(made.points[0].at),
                    "the first step follows the last known"
                );
            }
        }
    }

    #[test]
    fn a_forecast_tells_the_hours_in_which_a_fair_is_open() {
        let line = line(ForecastStep::Hour, 24 * 21);
        let made = forecast(std::slice::from_ref(&line), ForecastStep::Hour, now()).remove(0);
        let night: f64 = made.points[..8].iter().map(|point| point.value).sum();
        let day: f64 = made.points[10..18].iter().map(|point| point.value).sum();
        assert!(day > 300.0 && night < 60.0, "{day} by day, {night} by night");
        assert_eq!(made.points[0].at, line.at(24 * 21));
    }

    #[test]
    fn a_score_counts_the_steps_that_came_since_and_no_others() {
        let known = line(ForecastStep::Hour, 48);
        let before = forecast(std::slice::from_ref(&known), ForecastStep::Hour, now()).remove(0);
        let score_of = |hours: usize| score(&before, &line(ForecastStep::Hour, hours));
        assert_eq!(score_of(48).steps, 0);
        let after = score_of(60);
        assert_eq!((after.steps, after.within), (12, 12), "{after:?}");
        assert!(after.actual > 0.0);
    }
}
