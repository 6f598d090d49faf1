//! What every SQL backend does with sealed columns.

use ieum_core::Secret;
use ieum_store::{SealError, SealedColumn, Sealer, SealingKey};

use crate::backend::Backend;

pub async fn a_column_moves_to_the_first_key_from_clear_and_from_an_older_one(backend: &Backend) {
    let store = backend.store().await;
    let types = store.dialect().types();
    let (id, text) = (types.id, types.text);
    let table = format!("CREATE TABLE vault (id {id} NOT NULL PRIMARY KEY, word {text})");
    store.execute(&table, &[]).await.expect("makes the table");
    let column = SealedColumn { table: "vault", column: "word", id: "id" };
    let (older, newer) = (SealingKey::generate(), SealingKey::generate());
    let before = Sealer::new(std::slice::from_ref(&older)).expect("has a key");
    let sealed = before.seal(&column.at("a"), &Secret::new("plum"));
    for (row, word) in [("a", Some(sealed.as_str())), ("b", Some("pear")), ("c", None)] {
        let values = [row.into(), word.map(str::to_owned).into()];
        store.execute("INSERT INTO vault (id, word) VALUES (?, ?)", &values).await.expect("inserts");
    }
    let both = Sealer::new(&[newer.clone(), older]).expect("has keys");
    assert_eq!(both.reseal(&store, &column).await.expect("seals anew"), 2);
    assert_eq!(both.reseal(&store, &column).await.expect("has nothing to do"), 0);
    let after = Sealer::new(&[newer]).expect("has a key");
    for (row, word) in [("a", "plum"), ("b", "pear")] {
        let kept = store.fetch_one("SELECT word FROM vault WHERE id = ?", &[row.into()]).await;
        let kept = kept.and_then(|row| row.text("word")).expect("is there");
        assert!(after.is_current(&kept), "{kept}");
        assert_eq!(after.open(&column.at(row), &kept).expect("opens").expose(), word);
    }
    let error = before.reseal(&store, &column).await.expect_err("lacks the newer key");
    assert!(matches!(error, SealError::MissingKey { .. }), "{error}");
}
