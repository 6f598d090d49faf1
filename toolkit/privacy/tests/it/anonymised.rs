//! What must hold of every release, whatever the rows.

use std::collections::BTreeSet;

use ieum_privacy::{AnonymiseError, Attack, Column, Diversity, Hierarchy, Release, Rules, anonymise};
use proptest::prelude::*;

fn columns() -> Vec<Column> {
    let places = [("mapo", "seoul"), ("jongno", "seoul"), ("seoul", "korea"), ("lyon", "france")];
    vec![
        Column::new("age", Hierarchy::bands(&[5, 10, 20]).expect("nest")),
        Column::new("entered", Hierarchy::times(&[900, 3_600]).expect("nest")),
        Column::new("zip", Hierarchy::prefixes(&[3, 1]).expect("shrink")),
        Column::new("place", Hierarchy::categories(places).expect("is a tree")),
        Column::new("sex", Hierarchy::flat()),
    ]
}

fn person() -> impl Strategy<Value = (Vec<String>, String)> {
    let age = prop_oneof![9 => (18_i64..80).prop_map(|age| age.to_string()), 1 => Just(String::new())];
    let zip = (13_000_u32..13_060).prop_map(|zip| zip.to_string());
    let place = prop_oneof![Just("mapo"), Just("jongno"), Just("lyon"), Just("elsewhere")];
    let sex = prop_oneof![Just("F"), Just("M"), Just("")];
    let secret = prop_oneof![4 => Just("none"), 1 => Just("flu"), 1 => Just("cold")];
    (age, 0_i64..20_000, zip, place, sex, secret).prop_map(|(age, entered, zip, place, sex, secret)| {
        (vec![age, entered.to_string(), zip, place.to_owned(), sex.to_owned()], secret.to_owned())
    })
}

fn diversity() -> impl Strategy<Value = Diversity> {
    prop_oneof![Just(Diversity::None), Just(Diversity::Distinct(2)), Just(Diversity::Entropy(1.5))]
}

/// Counts by comparing labels alone, as somebody who gets the release would.
fn crowds(release: &Release) -> Vec<BTreeSet<usize>> {
    release.classes.iter().map(|class| class.rows.iter().copied().collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_class_has_k_people_and_diverse_secrets(
        people in prop::collection::vec(person(), 0..150),
        k in 2_usize..9,
        diversity in diversity(),
        most_suppressed in prop_oneof![Just(0.0), Just(0.05), Just(0.3)],
    ) {
        let (rows, secrets): (Vec<_>, Vec<_>) = people.into_iter().unzip();
        let columns = columns();
        let rules = Rules { k, diversity, most_suppressed };
        let release = anonymise(&columns, &rows, &secrets, rules).expect("the rows are right");
        let mut seen: BTreeSet<usize> = release.suppressed.iter().copied().collect();
        prop_assert_eq!(seen.len(), release.suppressed.len());
        for (class, crowd) in release.classes.iter().zip(crowds(&release)) {
            prop_assert!(crowd.len() >= k, "a class of {}", crowd.len());
            prop_assert!(diversity.holds(crowd.iter().map(|&row| secrets[row].as_str())));
            for &row in &crowd {
                prop_assert!(seen.insert(row), "row {row} stands twice");
                for ((column, value), (label, level)) in
                    columns.iter().zip(&rows[row]).zip(class.labels.iter().zip(&class.levels))
                {
                    prop_assert_eq!(&column.hierarchy.label(value, *level), label, "labels are true");
                }
            }
        }
        prop_assert_eq!(seen.len(), rows.len(), "every row is told or left out");
        let allowed = (rows.len() as f64 * most_suppressed) as usize;
        prop_assert!(release.suppressed.len() <= allowed || release.classes.is_empty());
        let attack = Attack::on(&release, &columns, &rows, k);
        prop_assert_eq!((attack.found, attack.narrowed), (0, 0));
        prop_assert!((0.0..=1.0).contains(&release.loss.penalty));
        for marginal in &release.loss.marginals {
            prop_assert!((0.0..=1.0 + 1e-9).contains(&marginal.total_variation), "{}", marginal.total_variation);
        }
    }
}

fn rows(list: &[[&str; 5]]) -> Vec<Vec<String>> {
    list.iter().map(|row| row.map(str::to_owned).to_vec()).collect()
}

#[test]
fn alike_people_are_told_as_they_are() {
    let alike = rows(&[["30", "0", "13053", "mapo", "F"]; 6]);
    let release = anonymise(&columns(), &alike, &[], Rules::default()).expect("is right");
    assert_eq!(release.classes.len(), 1);
    assert_eq!(release.classes[0].labels, ["30", "0", "13053", "mapo", "F"]);
    assert_eq!((release.loss.penalty, release.loss.suppressed), (0.0, 0.0));
}

#[test]
fn too_few_people_are_left_out_altogether() {
    let few = rows(&[["30", "0", "13053", "mapo", "F"]; 4]);
    let release = anonymise(&columns(), &few, &[], Rules::default()).expect("is right");
    assert_eq!((release.classes.len(), release.suppressed.len()), (0, 4));
    assert_eq!(release.loss.penalty, 1.0);
}

#[test]
fn one_stranger_is_left_out_so_that_the_others_stay_as_they_are() {
    let mut list = vec![["30", "0", "13053", "mapo", "F"]; 40];
    list.push(["75", "9000", "99999", "lyon", "M"]);
    let release = anonymise(&columns(), &rows(&list), &[], Rules::default()).expect("is right");
    assert_eq!((release.suppressed.as_slice(), release.classes.len()), ([40].as_slice(), 1));
    let kept = Rules { most_suppressed: 0.0, ..Rules::default() };
    let release = anonymise(&columns(), &rows(&list), &[], kept).expect("is right");
    assert_eq!(release.classes[0].labels[0], "*", "without leave to leave out, all are told as one");
}

#[test]
fn what_is_wrong_is_named() {
    let one = rows(&[["thirty", "0", "13053", "mapo", "F"]]);
    let error = anonymise(&columns(), &one, &[], Rules::default()).expect_err("is no age");
    assert_eq!(error.to_string(), "row 0, column age: \"thirty\" is no number");
    let small = Rules { k: 1, ..Rules::default() };
    assert_eq!(anonymise(&columns(), &[], &[], small), Err(AnonymiseError::TooSmall { k: 1 }));
    let diverse = Rules { diversity: Diversity::Distinct(2), ..Rules::default() };
    let alike = rows(&[["30", "0", "13053", "mapo", "F"]; 6]);
    let missing = anonymise(&columns(), &alike, &[], diverse);
    assert_eq!(missing, Err(AnonymiseError::Secrets { secrets: 0, rows: 6 }));
    let short = [vec!["30".to_owned()]];
    let error = anonymise(&columns(), &short, &[], Rules::default()).expect_err("is short");
    assert_eq!(error, AnonymiseError::RowLength { row: 0, values: 1, columns: 5 });
}
