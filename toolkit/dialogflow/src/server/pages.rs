//! Lists in pages, as Google's APIs give them: a size, and a token for the next one.

use ieum_core::Fault;

use crate::convert::wrong;

/// The size of a page whose caller names none, and the greatest.
const SIZE: usize = 100;
const MOST: usize = 1_000;

/// Cuts the page that `token` names out of `items`; returns it and the next one's token, empty after the last.
pub fn page<T>(items: Vec<T>, size: i32, token: &str) -> Result<(Vec<T>, String), Fault> {
    let size = usize::try_from(size).map_err(|_| wrong("page_size", "is less than 0"))?;
    let size = if size == 0 { SIZE } else { size.min(MOST) };
    let start = match token {
        "" => 0,
        token => token.parse().map_err(|_| wrong("page_token", "was not given here"))?,
    };
    let all = items.len();
    let page: Vec<T> = items.into_iter().skip(start).take(size).collect();
    let end = start.saturating_add(page.len());
    let next = if end < all { end.to_string() } else { String::new() };
    Ok((page, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_a_list_once() {
        let (mut token, mut seen) = (String::new(), Vec::new());
        loop {
            let (items, next) = page((0..7).collect(), 3, &token).expect("is a page");
            seen.extend(items);
            if next.is_empty() {
                break;
            }
            token = next;
        }
        assert_eq!(seen, (0..7).collect::<Vec<_>>());
        assert!(page(vec![1], -1, "").is_err());
        assert!(page(vec![1], 1, "x").is_err());
        assert_eq!(page(vec![1], 1, "99").expect("is empty"), (Vec::new(), String::new()));
    }
}
