//! The tables of the workload, one migration a round, so that the power is cut within migrations too.

use ieum_store::{Dialect, Migration};

/// How often the workload opens the store, migrates, works and closes.
pub const ROUNDS: usize = 3;
/// How many rows each round's migration fills in.
pub const FILLED: i64 = 40;

/// Returns the migrations up to and with those of `round`.
pub fn migrations(round: usize) -> Vec<Migration> {
    let own = [
        Migration { owner: "power", name: "0001_tables", up: tables },
        Migration { owner: "power", name: "0002_first_fill", up: |_| fill("first") },
        Migration { owner: "power", name: "0003_second_fill", up: |_| fill("second") },
    ];
    let mut all = ieum_bus::migrations();
    all.extend(own.into_iter().take(round + 1));
    all
}

fn tables(dialect: Dialect) -> Vec<String> {
    let serial = dialect.types().serial_primary_key;
    vec![
        format!("CREATE TABLE effect (id {serial}, event_id TEXT NOT NULL)"),
        "CREATE TABLE cup (id TEXT NOT NULL PRIMARY KEY)".to_owned(),
        "CREATE TABLE filled (name TEXT NOT NULL, number INTEGER NOT NULL)".to_owned(),
    ]
}

/// Several statements that would show if they ran twice or half.
fn fill(name: &str) -> Vec<String> {
    let mut statements = vec![format!("ALTER TABLE cup ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0")];
    statements.extend((0..FILLED).map(|number| format!("INSERT INTO filled VALUES ('{name}', {number})")));
    statements.push(format!("CREATE UNIQUE INDEX filled_{name} ON filled (name, number)"));
    statements.push(format!("DROP INDEX filled_{name}"));
    statements
}
