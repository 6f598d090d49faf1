//! Reads a mapping out of TOML or JSON, with every mistake named at once.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderName;
use ieum_core::Fault;
use serde_json::Value;

use super::form::{Form, Mistakes};
use super::mapping::{
    CheckinFields, CountMap, EventMap, HookMap, ListMap, Mapping, Pages, Since, TicketFields, TimeForm,
};
use crate::connector::invalid;

/// The only kind of mapping that is read here.
const SCHEMA: &str = "ieum-mapping/1";

impl Mapping {
    /// Reads a mapping in TOML or JSON; `{name}` in its paths stands for the option of that name. Fails with
    /// `events.source.invalid`, naming every mistake.
    pub fn read(text: &str, options: &BTreeMap<String, String>) -> Result<Self, Fault> {
        let value: Value = if text.trim_start().starts_with('{') {
            serde_json::from_str(text)
                .map_err(|error| invalid("options.mapping", format!("is no JSON: {error}")))?
        } else {
            toml::from_str(text).map_err(|error| {
                let message = error.message().to_owned();
                let line = error.span().map_or(0, |span| text[..span.start].lines().count().max(1));
                invalid("options.mapping", format!("is no TOML in line {line}: {message}"))
            })?
        };
        let mut mistakes = Mistakes::default();
        let mapping = Reader { options }.mapping(&value, &mut mistakes);
        if mistakes.0.is_empty() {
            return Ok(mapping);
        }
        Err(invalid(
            "options.mapping",
            format!("has {} mistakes: {}", mistakes.0.len(), mistakes.0.join("; ")),
        ))
    }
}

struct Reader<'a> {
    options: &'a BTreeMap<String, String>,
}

impl Reader<'_> {
    fn mapping(&self, value: &Value, mistakes: &mut Mistakes) -> Mapping {
        let mut form = Form::of(value, mistakes);
        form.word("schema", &[SCHEMA], mistakes);
        let base = form.text("base", mistakes);
        let (mut header, mut prefix) = ("authorization".to_owned(), "Bearer ".to_owned());
        if let Some(mut auth) = form.table("auth", mistakes) {
            header = auth.text("header", mistakes).unwrap_or(header);
            prefix = auth.text("prefix", mistakes).unwrap_or_default();
            if HeaderName::try_from(&header).is_err() {
                mistakes.add(&auth.name("header"), format!("is {header:?}, no header name"));
            }
            auth.end(mistakes);
        }
        let event = form.table("event", mistakes).map(|mut event| {
            let map = EventMap {
                path: self.path(&mut event, "path", mistakes),
                name: event.pointer("name", mistakes),
                begins_at: event.pointer("begins_at", mistakes),
                ends_at: event.pointer("ends_at", mistakes),
            };
            event.end(mistakes);
            map
        });
        let tickets = form.table("tickets", mistakes).map(|list| self.list(list, ticket_fields, mistakes));
        let checkins = form.table("checkins", mistakes).map(|list| self.list(list, checkin_fields, mistakes));
        let totals = form.table("totals", mistakes).map(|counts| self.counts(counts, mistakes));
        let figures = form.table("figures", mistakes).map(|counts| self.counts(counts, mistakes));
        let hook = form.table("hook", mistakes).map(|mut hook| {
            let map = HookMap {
                id: hook.required_pointer("id", mistakes),
                action: hook.pointer("action", mistakes),
                ticket: hook.required_pointer("ticket", mistakes),
            };
            hook.end(mistakes);
            map
        });
        form.end(mistakes);
        match (&tickets, &checkins, &figures) {
            (None, None, None) => mistakes.add("the mapping", "has neither tickets nor figures"),
            (None, Some(_), _) => mistakes.add("checkins", "need tickets beside them"),
            (Some(_), _, Some(_)) => {
                mistakes.add("figures", "stand beside tickets, which are counted themselves")
            }
            _ => {}
        }
        if hook.is_some() && tickets.as_ref().is_none_or(|tickets| tickets.one.is_none()) {
            mistakes.add("hook", "needs tickets.one, the path of the ticket that it names");
        }
        Mapping { base, header, prefix, event, tickets, checkins, totals, figures, hook }
    }

    fn list<F>(
        &self,
        mut form: Form<'_>,
        fields: fn(&mut Form<'_>, &mut Mistakes) -> F,
        mistakes: &mut Mistakes,
    ) -> ListMap<F>
    where
        F: Default,
    {
        let path = self.path(&mut form, "path", mistakes);
        let one = form.text("one", mistakes).map(|text| {
            let name = form.name("one");
            if !text.contains("{id}") {
                mistakes.add(&name, "does not hold {id}");
            }
            self.fill(&name, &text, &["id"], mistakes)
        });
        let list = ListMap {
            path,
            query: form.pairs("query", mistakes),
            rows: form.required_pointer("rows", mistakes),
            pages: pages(&mut form, mistakes),
            since: since(&mut form, mistakes),
            one,
            fields: match form.table("fields", mistakes) {
                Some(mut table) => {
                    let read = fields(&mut table, mistakes);
                    table.end(mistakes);
                    read
                }
                None => {
                    mistakes.add(&form.name("fields"), "is missing");
                    F::default()
                }
            },
        };
        form.end(mistakes);
        list
    }

    fn counts(&self, mut form: Form<'_>, mistakes: &mut Mistakes) -> CountMap {
        let counts = CountMap {
            path: self.path(&mut form, "path", mistakes),
            registered: form.required_pointer("registered", mistakes),
            checked_in: form.required_pointer("checked_in", mistakes),
            inside: form.pointer("inside", mistakes),
        };
        form.end(mistakes);
        counts
    }

    fn path(&self, form: &mut Form<'_>, key: &'static str, mistakes: &mut Mistakes) -> String {
        let text = form.required(key, mistakes);
        let name = form.name(key);
        if !text.is_empty() && (!text.starts_with('/') || text.contains('?')) {
            mistakes.add(&name, format!("is {text:?}, no path: it begins with / and has no ?; see query"));
        }
        self.fill(&name, &text, &[], mistakes)
    }

    /// Puts options in place of `{name}`, in a form that cannot leave the path.
    fn fill(&self, name: &str, text: &str, kept: &[&str], mistakes: &mut Mistakes) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((option, after)) = after.split_once('}') else { break };
            filled.push_str(before);
            rest = after;
            let value = self.options.get(option).filter(|_| option != "mapping");
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            match value {
                _ if kept.contains(&option) => filled.push_str(&format!("{{{option}}}")),
                Some(value) if !value.is_empty() && value.bytes().all(plain) && !value.contains("..") => {
                    filled.push_str(value);
                }
                Some(_) => {
                    mistakes.add(name, format!("names options.{option}, which does not fit into a path"))
                }
                None => mistakes.add(name, format!("names options.{option}, which is missing")),
            }
        }
        filled.push_str(rest);
        filled
    }
}

fn pages(form: &mut Form<'_>, mistakes: &mut Mistakes) -> Pages {
    let Some(mut table) = form.table("pages", mistakes) else { return Pages::None };
    let kind = table.word("kind", &["none", "number", "cursor", "link"], mistakes);
    let pages = match kind {
        "number" => Pages::Number {
            parameter: table.required("parameter", mistakes),
            first: table.number("first", 0..=1, 1, mistakes),
            size_parameter: table.text("size_parameter", mistakes),
            size: table.number("size", 1..=10_000, 50, mistakes),
            more: table.pointer("more", mistakes),
        },
        "cursor" => Pages::Cursor {
            parameter: table.required("parameter", mistakes),
            next: table.required_pointer("next", mistakes),
            more: table.pointer("more", mistakes),
        },
        "link" => Pages::Link,
        _ => Pages::None,
    };
    table.end(mistakes);
    pages
}

fn since(form: &mut Form<'_>, mistakes: &mut Mistakes) -> Option<Since> {
    let mut table = form.table("since", mistakes)?;
    let since = Since {
        parameter: table.required("parameter", mistakes),
        field: table.required_pointer("field", mistakes),
        form: match table.word("form", &["rfc3339", "seconds", "millis"], mistakes) {
            "seconds" => TimeForm::Seconds,
            "millis" => TimeForm::Millis,
            _ => TimeForm::Rfc3339,
        },
        overlap: table.duration("overlap", Duration::from_secs(60), mistakes),
    };
    table.end(mistakes);
    Some(since)
}

fn ticket_fields(form: &mut Form<'_>, mistakes: &mut Mistakes) -> TicketFields {
    TicketFields {
        id: form.required_pointer("id", mistakes),
        status: form.pointer("status", mistakes),
        valid: form.texts("valid", mistakes),
        cancelled: form.pointer("cancelled", mistakes),
        checked_in: form.pointer("checked_in", mistakes),
        checked_in_at: form.pointer("checked_in_at", mistakes),
        checked_out_at: form.pointer("checked_out_at", mistakes),
        gate: form.pointer("gate", mistakes),
    }
}

fn checkin_fields(form: &mut Form<'_>, mistakes: &mut Mistakes) -> CheckinFields {
    CheckinFields {
        id: form.required_pointer("id", mistakes),
        ticket: form.required_pointer("ticket", mistakes),
        at: form.required_pointer("at", mistakes),
        kind: form.pointer("kind", mistakes),
        exit: form.texts("exit", mistakes),
        void: form.pointer("void", mistakes),
        gate: form.pointer("gate", mistakes),
    }
}
