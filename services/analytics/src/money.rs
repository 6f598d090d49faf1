//! Pure sums of money: what events earned and cost, by the one formula.

use std::collections::BTreeMap;

use ieum_contracts::analytics::{
    EventRoi, MoneyEntries, MoneyEntry, MoneyKind, ROI_FORMULA, RoiFigures, RoiReport,
};
use ieum_core::Fault;

/// The most entries of one wish.
const MOST_ENTRIES: usize = 1_000;
/// The largest sum of one entry, in the smallest unit: a thousand such entries stay exact.
const LARGEST: i64 = 1 << 50;

/// Checks entries. Fails with `analytics.money.invalid`, naming the entry and its field.
pub fn check(money: &MoneyEntries) -> Result<(), Fault> {
    let wrong = |field: String, problem: &str| {
        Err(Fault::invalid_argument("analytics.money.invalid", format!("field {field}: {problem}")))
    };
    if money.entries.len() > MOST_ENTRIES {
        return wrong("entries".into(), "holds more than 1000 entries; send them in parts");
    }
    for (i, entry) in money.entries.iter().enumerate() {
        let field = |name: &str| format!("entries[{i}].{name}");
        if entry.entry_id.is_empty() || entry.entry_id.chars().count() > 64 {
            return wrong(field("entryId"), "must have 1 to 64 letters");
        }
        if money.entries[..i].iter().any(|other| other.entry_id == entry.entry_id) {
            return wrong(field("entryId"), "stands twice");
        }
        if !(0..=LARGEST).contains(&entry.amount_minor) {
            return wrong(field("amountMinor"), "must be from 0 to 2^50; a cost is a cost by its kind");
        }
        if entry.currency.len() != 3 || !entry.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return wrong(field("currency"), "must be a code of ISO 4217, such as KRW");
        }
        if entry.label.len() > 1_000 || entry.label.contains('\0') {
            return wrong(field("label"), "must be text of at most 1000 bytes");
        }
    }
    Ok(())
}

/// Returns the report of entries by event, with each event's attendees. Currencies are never added up.
pub fn report(entries: BTreeMap<String, Vec<MoneyEntry>>, attendees: &BTreeMap<String, u64>) -> RoiReport {
    let mut events = Vec::new();
    let mut totals: BTreeMap<String, (Vec<MoneyEntry>, u64)> = BTreeMap::new();
    for (event_id, entries) in entries {
        let came = attendees.get(&event_id).copied().unwrap_or(0);
        let mut by_currency: BTreeMap<String, Vec<MoneyEntry>> = BTreeMap::new();
        for entry in entries {
            by_currency.entry(entry.currency.clone()).or_default().push(entry);
        }
        for (currency, entries) in by_currency {
            let total = totals.entry(currency.clone()).or_default();
            total.0.extend(entries.iter().cloned());
            total.1 += came;
            events.push(EventRoi {
                event_id: event_id.clone(),
                figures: figures(&currency, &entries, came),
                entries,
            });
        }
    }
    let total = |(currency, (entries, came)): (String, (Vec<_>, u64))| figures(&currency, &entries, came);
    RoiReport { formula: ROI_FORMULA.to_owned(), events, totals: totals.into_iter().map(total).collect() }
}

/// Returns the figures of entries in one currency.
pub fn figures(currency: &str, entries: &[MoneyEntry], attendees: u64) -> RoiFigures {
    let sum = |kind: MoneyKind| {
        let amounts = entries.iter().filter(|entry| entry.kind == kind).map(|entry| entry.amount_minor);
        amounts.fold(0_i64, i64::saturating_add)
    };
    let (revenue, cost) = (sum(MoneyKind::Revenue), sum(MoneyKind::Cost));
    let for_each = |amount: i64| (attendees > 0).then(|| amount as f64 / attendees as f64);
    let earned = for_each(revenue).filter(|earned| *earned > 0.0);
    RoiFigures {
        currency: currency.to_owned(),
        revenue_minor: revenue,
        cost_minor: cost,
        net_minor: revenue - cost,
        roi: (cost > 0).then(|| (revenue - cost) as f64 / cost as f64),
        attendees,
        revenue_per_attendee: for_each(revenue),
        cost_per_attendee: for_each(cost),
        break_even_attendees: earned.filter(|_| cost > 0).map(|earned| (cost as f64 / earned).ceil() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, kind: MoneyKind, amount_minor: i64, currency: &str) -> MoneyEntry {
        let (entry_id, label, currency) = (id.into(), format!("entry {id}"), currency.into());
        MoneyEntry { entry_id, kind, label, amount_minor, currency, at: None }
    }

    #[test]
    fn a_return_is_what_came_back_over_what_was_spent() {
        let entries = [
            entry("tickets", MoneyKind::Revenue, 1_200_000, "KRW"),
            entry("hall", MoneyKind::Cost, 700_000, "KRW"),
            entry("guards", MoneyKind::Cost, 100_000, "KRW"),
        ];
        let figures = figures("KRW", &entries, 60);
        assert_eq!(
            (figures.revenue_minor, figures.cost_minor, figures.net_minor),
            (1_200_000, 800_000, 400_000)
        );
        assert_eq!((figures.roi, figures.revenue_per_attendee), (Some(0.5), Some(20_000.0)));
        assert_eq!(figures.break_even_attendees, Some(40), "800,000 at 20,000 each");
    }

    #[test]
    fn what_nothing_defines_is_left_out_and_currencies_stay_apart() {
        let entries = vec![
            entry("tickets", MoneyKind::Revenue, 500, "KRW"),
            entry("visitors", MoneyKind::Revenue, 9, "USD"),
            entry("hall", MoneyKind::Cost, 3, "USD"),
        ];
        let report = report(BTreeMap::from([("expo".to_owned(), entries)]), &BTreeMap::new());
        let [won, dollar] = &report.events[..] else { panic!("two currencies: {report:?}") };
        assert_eq!((won.figures.roi, won.figures.revenue_per_attendee), (None, None), "no cost, nobody came");
        assert_eq!((dollar.figures.roi, dollar.entries.len()), (Some(2.0), 2));
        assert_eq!(report.totals.len(), 2);
    }

    #[test]
    fn a_bad_entry_is_named_with_its_field() {
        let good = entry("hall", MoneyKind::Cost, 3, "USD");
        let refused = |entries: Vec<MoneyEntry>| {
            check(&MoneyEntries { event_id: "expo".into(), entries }).err().map(|fault| fault.message)
        };
        assert_eq!(refused(vec![good.clone()]), None);
        let minus = MoneyEntry { amount_minor: -3, ..good.clone() };
        assert!(refused(vec![minus]).is_some_and(|text| text.contains("entries[0].amountMinor")));
        let currency = MoneyEntry { currency: "won".into(), entry_id: "b".into(), ..good.clone() };
        assert!(
            refused(vec![good.clone(), currency]).is_some_and(|text| text.contains("entries[1].currency"))
        );
        assert!(refused(vec![good.clone(), good]).is_some_and(|text| text.contains("stands twice")));
    }
}
