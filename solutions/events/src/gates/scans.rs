//! Scans that gates push by themselves: checked row by row, taken in once each, booked in the same transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ieum_contracts::events::{GateDirection, GateScan, GateScans, GateScansTaken, MOST_SCANS};
use ieum_core::{Fault, Timestamp};
use ieum_store::{Insert, Row, StoreError, Transaction, Value};

use super::ledger::{Counts, Pass};
use super::tally::{self, MOST_VALUES};

/// A scan further ahead of our clock than this is refused. Clocks set to a wrong zone are off by more.
const MOST_AHEAD: Duration = Duration::from_secs(3_600);

/// The longest id of a scan, a gate or a ticket, bytes.
const LONGEST_ID: usize = 128;

/// Pushed scans read at once while a ledger is made.
const PAGE: usize = 20_000;

/// Fails with `events.scan.invalid`, naming the first row that can never be taken.
pub fn check(scans: &GateScans, now: Timestamp) -> Result<(), Fault> {
    if scans.scans.is_empty() || scans.scans.len() > MOST_SCANS {
        return Err(invalid("scans", &format!("has {} rows, not 1 to {MOST_SCANS}", scans.scans.len())));
    }
    let mut seen: BTreeMap<&str, &GateScan> = BTreeMap::new();
    for (i, scan) in scans.scans.iter().enumerate() {
        let field = |name: &str| format!("scans[{i}].{name}");
        let ids = [
            ("scanId", Some(&scan.scan_id)),
            ("gateId", Some(&scan.gate_id)),
            ("ticket", scan.ticket.as_ref()),
        ];
        for (name, id) in ids {
            if id.is_some_and(|id| id.is_empty() || id.len() > LONGEST_ID) {
                return Err(invalid(&field(name), &format!("is empty or longer than {LONGEST_ID} bytes")));
            }
            if id.is_some_and(|id| id.chars().any(char::is_control)) {
                return Err(invalid(&field(name), "holds a control character"));
            }
        }
        if scan.at > now + MOST_AHEAD {
            return Err(invalid(&field("at"), "is more than an hour ahead of our clock"));
        }
        if scan.at < Timestamp::from_micros(0) {
            return Err(invalid(&field("at"), "is before 1970"));
        }
        if seen.insert(&scan.scan_id, scan).is_some_and(|other| other != scan) {
            return Err(invalid(&field("scanId"), "stands in another row for another scan"));
        }
    }
    Ok(())
}

fn invalid(field: &str, problem: &str) -> Fault {
    Fault::invalid_argument("events.scan.invalid", format!("taking scans of gates: {field} {problem}"))
}

/// Takes checked scans in and books them. The caller holds the event's sync position.
pub async fn take(tx: &mut Transaction, event_id: &str, scans: &[GateScan]) -> Result<GateScansTaken, Fault> {
    let unique: BTreeMap<&str, &GateScan> = scans.iter().map(|scan| (scan.scan_id.as_str(), scan)).collect();
    let known = known(tx, event_id, &unique).await?;
    let fresh: Vec<&GateScan> =
        unique.values().copied().filter(|scan| !known.contains(&scan.scan_id)).collect();
    let accepted = fresh.len() as u64;
    let repeated = scans.len() as u64 - accepted;
    if fresh.is_empty() {
        return Ok(GateScansTaken { accepted, repeated });
    }
    let tally = tally::fetch(tx, event_id).await?.filter(|tally| tally.basis.pushed);
    if let Some(mut tally) = tally {
        let change = change(tx, event_id, &fresh).await?;
        tally::add(tx, event_id, &mut tally, &change).await?;
        let moved = |people: u64, by: i64| people.saturating_add_signed(by);
        tally.totals.checked_in = moved(tally.totals.checked_in, change.came);
        tally.totals.inside = moved(tally.totals.inside, change.inside);
        tally::save(tx, event_id, &tally).await?;
    }
    insert(tx, event_id, &fresh).await?;
    Ok(GateScansTaken { accepted, repeated })
}

async fn known(
    tx: &mut Transaction,
    event_id: &str,
    scans: &BTreeMap<&str, &GateScan>,
) -> Result<BTreeSet<String>, StoreError> {
    let ids: Vec<&str> = scans.keys().copied().collect();
    let mut known = BTreeSet::new();
    for ids in ids.chunks(MOST_VALUES) {
        let holes = vec!["?"; ids.len()].join(", ");
        let sql =
            format!("SELECT scan_id FROM ieum_events_gate_scan WHERE event_id = ? AND scan_id IN ({holes})");
        let values: Vec<Value> =
            std::iter::once(event_id.into()).chain(ids.iter().map(|id| Value::from(*id))).collect();
        for row in tx.fetch_all(&sql, &values).await? {
            known.insert(row.text("scan_id")?);
        }
    }
    Ok(known)
}

async fn insert(tx: &mut Transaction, event_id: &str, fresh: &[&GateScan]) -> Result<(), StoreError> {
    let rows = fresh.iter().map(|scan| {
        vec![
            event_id.into(),
            (&scan.scan_id).into(),
            scan.ticket.clone().into(),
            (&scan.gate_id).into(),
            (scan.direction == GateDirection::Out).into(),
            scan.at.into(),
        ]
    });
    let columns = ["event_id", "scan_id", "ticket", "gate", "is_exit", "scanned_at"];
    Insert::into("ieum_events_gate_scan").columns(columns).rows(rows.collect::<Vec<_>>()).run_in(tx).await?;
    Ok(())
}

/// Returns what new scans change: their tickets with them, less their tickets without.
async fn change(tx: &mut Transaction, event_id: &str, fresh: &[&GateScan]) -> Result<Counts, StoreError> {
    let mut before = Counts::default();
    let mut after = Counts::default();
    let mut tickets: BTreeMap<String, Vec<Pass>> = BTreeMap::new();
    for scan in fresh {
        match &scan.ticket {
            Some(ticket) => tickets.entry(ticket.clone()).or_default().push(pass_of(scan)),
            None => after.add_head(&pass_of(scan)),
        }
    }
    let names: Vec<String> = tickets.keys().cloned().collect();
    for names in names.chunks(MOST_VALUES) {
        let holes = vec!["?"; names.len()].join(", ");
        let sql = format!(
            "SELECT ticket, gate, is_exit, scanned_at FROM ieum_events_gate_scan \
             WHERE event_id = ? AND ticket IN ({holes})"
        );
        let values: Vec<Value> =
            std::iter::once(event_id.into()).chain(names.iter().map(Value::from)).collect();
        for (ticket, passes) in by_ticket(&tx.fetch_all(&sql, &values).await?)? {
            before.add_ticket(passes.clone());
            tickets.entry(ticket).or_default().extend(passes);
        }
    }
    for passes in tickets.into_values() {
        after.add_ticket(passes);
    }
    Ok(after.since(before))
}

fn pass_of(scan: &GateScan) -> Pass {
    Pass { gate: scan.gate_id.clone(), is_exit: scan.direction == GateDirection::Out, at: scan.at }
}

fn by_ticket(rows: &[Row]) -> Result<BTreeMap<String, Vec<Pass>>, StoreError> {
    let mut tickets: BTreeMap<String, Vec<Pass>> = BTreeMap::new();
    for row in rows {
        tickets.entry(row.text("ticket")?).or_default().push(read_pass(row)?);
    }
    Ok(tickets)
}

fn read_pass(row: &Row) -> Result<Pass, StoreError> {
    Ok(Pass {
        gate: row.text("gate")?,
        is_exit: row.bool("is_exit")?,
        at: Timestamp::from_micros(row.int("scanned_at")?),
    })
}

/// Counts every pushed scan of an event, some thousand at a time.
pub async fn count_all(tx: &mut Transaction, event_id: &str) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    let sql = format!(
        "SELECT scan_id, gate, is_exit, scanned_at FROM ieum_events_gate_scan \
         WHERE event_id = ? AND ticket IS NULL AND scan_id > ? ORDER BY scan_id LIMIT {PAGE}"
    );
    let mut after = String::new();
    loop {
        let rows = tx.fetch_all(&sql, &[event_id.into(), (&after).into()]).await?;
        for row in &rows {
            counts.add_head(&read_pass(row)?);
        }
        let Some(last) = rows.last() else { break };
        after = last.text("scan_id")?;
    }
    let sql = format!(
        "SELECT ticket, gate, is_exit, scanned_at FROM ieum_events_gate_scan \
         WHERE event_id = ? AND ticket > ? ORDER BY ticket LIMIT {PAGE}"
    );
    let mut after = String::new();
    loop {
        let rows = tx.fetch_all(&sql, &[event_id.into(), (&after).into()]).await?;
        let mut tickets = by_ticket(&rows)?;
        // The last ticket of a full page may go on beyond it.
        if rows.len() == PAGE && tickets.len() > 1 {
            tickets.pop_last();
        }
        let Some(last) = tickets.keys().next_back().cloned() else { return Ok(counts) };
        for passes in tickets.into_values() {
            counts.add_ticket(passes);
        }
        after = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(id: &str) -> GateScan {
        GateScan {
            scan_id: id.into(),
            gate_id: "north".into(),
            direction: GateDirection::In,
            at: Timestamp::from_seconds(1_000),
            ticket: None,
        }
    }

    fn problem(scans: Vec<GateScan>) -> String {
        let scans = GateScans { event_id: "expo".into(), scans };
        check(&scans, Timestamp::from_seconds(1_000)).expect_err("is wrong").message
    }

    #[test]
    fn a_wrong_row_is_named_with_its_field() {
        let long = "x".repeat(LONGEST_ID + 1);
        let cases = [
            (GateScan { scan_id: String::new(), ..scan("b") }, "scans[1].scanId is empty"),
            (GateScan { gate_id: long, ..scan("b") }, "scans[1].gateId is empty or longer"),
            (GateScan { ticket: Some(String::new()), ..scan("b") }, "scans[1].ticket is empty"),
            (GateScan { gate_id: "a\u{0}".into(), ..scan("b") }, "scans[1].gateId holds a control character"),
            (
                GateScan { at: Timestamp::from_seconds(4_601), ..scan("b") },
                "scans[1].at is more than an hour ahead",
            ),
            (GateScan { at: Timestamp::from_seconds(-1), ..scan("b") }, "scans[1].at is before 1970"),
            (GateScan { gate_id: "south".into(), ..scan("a") }, "scans[1].scanId stands in another row"),
        ];
        for (wrong, expected) in cases {
            let said = problem(vec![scan("a"), wrong]);
            assert!(said.contains(expected), "{said}: {expected}");
        }
        assert!(problem(Vec::new()).contains("scans has 0 rows"));
        let many = (0..=MOST_SCANS).map(|i| scan(&i.to_string())).collect();
        assert!(problem(many).contains("1001 rows"));
        let twice = GateScans { event_id: "expo".into(), scans: vec![scan("a"), scan("a")] };
        assert_eq!(check(&twice, Timestamp::from_seconds(1_000)), Ok(()));
    }
}
