//! Finds `?` placeholders in SQL text and rewrites them for PostgreSQL.

use std::borrow::Cow;

use crate::{Dialect, Value};

/// SQL text as a driver takes it, with the number of placeholders in it.
pub(crate) struct Prepared {
    pub(crate) sql: String,
    pub(crate) holes: usize,
}

/// Rewrites each `?` outside quotes and comments to `$1`, `$2`, … for PostgreSQL and counts them.
///
/// `??` stands for one literal question mark (PostgreSQL's JSON operators). PostgreSQL fixes the parameter
/// types when it prepares a text, and the driver caches by text alone; so the types are added as a comment,
/// which keeps a number from being read as the bits of another type.
pub(crate) fn prepare(dialect: Dialect, sql: &str, values: &[Value]) -> Prepared {
    let (mut text, holes) = rewrite(dialect, sql);
    if dialect == Dialect::Postgres && !values.is_empty() {
        let kinds: String = values.iter().map(Value::kind_letter).collect();
        text = Cow::Owned(format!("{text}\n/*{kinds}*/"));
    }
    Prepared { sql: text.into_owned(), holes }
}

fn rewrite(dialect: Dialect, sql: &str) -> (Cow<'_, str>, usize) {
    if !sql.contains('?') {
        return (Cow::Borrowed(sql), 0);
    }
    let mut out = String::with_capacity(sql.len() + 16);
    let mut holes = 0;
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let literal = literal_length(dialect, sql.len() - rest.len(), sql);
        if literal > 0 {
            out.push_str(&rest[..literal]);
            rest = &rest[literal..];
        } else if rest.starts_with("??") {
            out.push('?');
            rest = &rest[2..];
        } else if first == '?' {
            holes += 1;
            match dialect {
                Dialect::Postgres => out.push_str(&format!("${holes}")),
                _ => out.push('?'),
            }
            rest = &rest[1..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    (Cow::Owned(out), holes)
}

/// Returns the length of the quoted text or comment that begins at `start`, or 0 where none begins.
fn literal_length(dialect: Dialect, start: usize, sql: &str) -> usize {
    let rest = &sql[start..];
    let bytes = rest.as_bytes();
    match bytes {
        [b'\'', ..] => quoted_length(bytes, b'\'', backslash_escapes(dialect, &sql.as_bytes()[..start])),
        [b'"', ..] => quoted_length(bytes, b'"', dialect == Dialect::MySql),
        [b'`', ..] if dialect != Dialect::Postgres => quoted_length(bytes, b'`', false),
        [b'-', b'-', ..] => line_length(rest),
        [b'#', ..] if dialect == Dialect::MySql => line_length(rest),
        [b'/', b'*', ..] => block_length(bytes, dialect == Dialect::Postgres),
        [b'$', ..] if dialect == Dialect::Postgres => dollar_length(rest),
        _ => 0,
    }
}

/// Tells whether a backslash escapes within the quote that follows `before`: always in MySQL, in
/// PostgreSQL after a lone `E`.
fn backslash_escapes(dialect: Dialect, before: &[u8]) -> bool {
    match dialect {
        Dialect::MySql => true,
        Dialect::Sqlite => false,
        Dialect::Postgres => match before {
            [.., previous, b'E' | b'e'] => !previous.is_ascii_alphanumeric() && *previous != b'_',
            [b'E' | b'e'] => true,
            _ => false,
        },
    }
}

fn quoted_length(bytes: &[u8], quote: u8, backslash: bool) -> usize {
    let mut i = 1;
    while i < bytes.len() {
        let escapes = backslash && bytes[i] == b'\\';
        if escapes || (bytes[i] == quote && bytes.get(i + 1) == Some(&quote)) {
            i += 2;
        } else if bytes[i] == quote {
            return i + 1;
        } else {
            i += 1;
        }
    }
    bytes.len()
}

fn line_length(rest: &str) -> usize {
    rest.find('\n').map_or(rest.len(), |end| end + 1)
}

fn block_length(bytes: &[u8], nests: bool) -> usize {
    let mut depth = 0_usize;
    let mut i = 0;
    while i + 1 < bytes.len() {
        match (bytes[i], bytes[i + 1]) {
            (b'/', b'*') if depth == 0 || nests => {
                depth += 1;
                i += 2;
            }
            (b'*', b'/') => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    bytes.len()
}

/// Returns the length of `$tag$ … $tag$` at the start of `rest`
/// (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-DOLLAR-QUOTING>).
fn dollar_length(rest: &str) -> usize {
    let Some(tag_end) = rest[1..].find('$').map(|end| end + 2) else { return 0 };
    let tag = &rest[..tag_end];
    let name = &tag[1..tag_end - 1];
    let is_name = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        && !name.starts_with(|letter: char| letter.is_ascii_digit());
    if !is_name {
        return 0;
    }
    rest[tag_end..].find(tag).map_or(rest.len(), |end| tag_end + end + tag.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn postgres(sql: &str) -> (String, usize) {
        let (text, holes) = rewrite(Dialect::Postgres, sql);
        (text.into_owned(), holes)
    }

    #[test]
    fn placeholders_are_numbered_outside_quotes_and_comments_only() {
        for (given, wanted, count) in [
            ("SELECT ? + ?", "SELECT $1 + $2", 2),
            ("SELECT '?', ?", "SELECT '?', $1", 1),
            ("SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1", 1),
            ("SELECT E'\\'?', ?", "SELECT E'\\'?', $1", 1),
            ("SELECT '\\', ?", "SELECT '\\', $1", 1),
            ("SELECT \"a?\" FROM t WHERE b = ?", "SELECT \"a?\" FROM t WHERE b = $1", 1),
            ("SELECT 1 -- why?\n, ?", "SELECT 1 -- why?\n, $1", 1),
            ("SELECT /* a /* ? */ ? */ ?", "SELECT /* a /* ? */ ? */ $1", 1),
            ("SELECT $q$ ? $q$, ?", "SELECT $q$ ? $q$, $1", 1),
            ("SELECT $$?$$, ?", "SELECT $$?$$, $1", 1),
            ("SELECT a ?? 'k' AND b = ?", "SELECT a ? 'k' AND b = $1", 1),
            ("SELECT '한글?', ? -- 끝?", "SELECT '한글?', $1 -- 끝?", 1),
            ("SELECT 'never closed ?", "SELECT 'never closed ?", 0),
        ] {
            assert_eq!(postgres(given), (wanted.to_owned(), count), "{given}");
        }
    }

    #[test]
    fn mysql_reads_backslashes_backticks_and_hash_comments() {
        for (given, count) in
            [("SELECT '\\'?', ?", 1), ("SELECT `a?` = ?", 1), ("SELECT ? # what?\n", 1), ("SELECT \"?\"", 0)]
        {
            assert_eq!(rewrite(Dialect::MySql, given).1, count, "{given}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_rewriter_panic_or_lose_a_letter(sql in "[a-zE$'\"`?/*#\\\\\n한 -]{0,60}") {
            for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::MySql] {
                let (text, holes) = rewrite(dialect, &sql);
                prop_assert!(holes <= sql.matches('?').count());
                let marks = |text: &str| text.chars().filter(|letter| letter.is_alphabetic()).count();
                prop_assert_eq!(marks(&text), marks(&sql));
            }
        }
    }
}
