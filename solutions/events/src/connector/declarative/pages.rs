//! Asks for a page of a mapped list, and finds out how the next one is asked for.

use http::{HeaderMap, header};
use ieum_core::{Fault, Timestamp};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

use super::mapping::{ListMap, Pages};
use super::position::write_time;
use crate::rules::garbage;

/// The longest text that names a next page.
const LONGEST_PAGE: usize = 4_000;

/// Returns the path and query of a page.
pub fn path_of<F>(list: &ListMap<F>, page: Option<&str>, since: Option<Timestamp>) -> String {
    if let (Pages::Link, Some(address)) = (&list.pages, page) {
        return address.to_owned();
    }
    let mut query = Serializer::new(String::new());
    query.extend_pairs(&list.query);
    if let (Some(map), Some(since)) = (&list.since, since) {
        query.append_pair(&map.parameter, &write_time(since - map.overlap, map.form));
    }
    match &list.pages {
        Pages::Number { parameter, first, size_parameter, size, .. } => {
            query.append_pair(parameter, page.unwrap_or(&first.to_string()));
            if let Some(name) = size_parameter {
                query.append_pair(name, &size.to_string());
            }
        }
        Pages::Cursor { parameter, .. } => {
            if let Some(page) = page {
                query.append_pair(parameter, page);
            }
        }
        Pages::None | Pages::Link => {}
    }
    let query = query.finish();
    if query.is_empty() { list.path.clone() } else { format!("{}?{query}", list.path) }
}

/// Returns how the page after this one is asked for; `None` after the last. Fails with `events.source.garbage`
/// where pages would never end or lead to another origin.
pub fn next_of<F>(
    list: &ListMap<F>,
    page: Option<&str>,
    rows: usize,
    (answer, headers): (&Value, &HeaderMap),
    base: &Url,
) -> Result<Option<String>, Fault> {
    let says_more = |more: &Option<String>| more.as_ref().map(|pointer| is_truthy(answer.pointer(pointer)));
    let next = match &list.pages {
        Pages::None => None,
        Pages::Number { first, size, more, .. } => {
            let present = page.and_then(|text| text.parse().ok()).unwrap_or(*first);
            let full = rows as u64 >= *size;
            says_more(more).unwrap_or(full).then(|| (present + 1).to_string())
        }
        Pages::Cursor { next, more, .. } => match answer.pointer(next) {
            _ if says_more(more) == Some(false) => None,
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(Value::String(text)) if text.len() <= LONGEST_PAGE => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => return Err(garbage(next, "names no next page: it is neither a text nor a number")),
        },
        Pages::Link => linked(headers, base)?,
    };
    match next {
        Some(_) if rows == 0 => Err(garbage("the next page", "follows a page without rows")),
        Some(next) if Some(next.as_str()) == page => Err(garbage("the next page", "is the page itself")),
        next => Ok(next),
    }
}

fn is_truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty() && text != "false",
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(_) => true,
    }
}

/// Reads `Link: <…>; rel="next"` (RFC 8288). The address must be the source's own.
fn linked(headers: &HeaderMap, base: &Url) -> Result<Option<String>, Fault> {
    let links = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    for link in links.flat_map(|links| links.split(",<").flat_map(|link| link.split(", <"))) {
        let Some((address, parameters)) = link.trim().trim_start_matches('<').split_once('>') else {
            continue;
        };
        let is_next = parameters.split(';').any(|parameter| {
            let (name, value) = parameter.trim().split_once('=').unwrap_or_default();
            let mut relations = value.trim_matches('"').split_ascii_whitespace();
            name.eq_ignore_ascii_case("rel")
                && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        if !is_next {
            continue;
        }
        let url = base.join(address).ok().filter(|url| url.origin() == base.origin());
        let url = url.filter(|url| url.as_str().len() <= LONGEST_PAGE);
        return url
            .map(|url| Some(url.to_string()))
            .ok_or_else(|| garbage("header Link", "leads to another origin, or is no address"));
    }
    Ok(None)
}
