//! The table that serves: finds the one row for a request.
//!
//! No request fits two rows, as far as its ids are ids. That is checked when the table is made, so
//! "the first match wins" never decides who may do what. What stands in place of an id and is none
//! names nothing, whichever row it comes to; a row that takes it by its name goes first.

use super::route::{Route, Verb};
use percent_encoding::percent_decode_str;

/// The parameters of a path, decoded, in their order.
pub type Params = Vec<(&'static str, String)>;

/// Two rows that one request could fit.
#[derive(Debug, thiserror::Error)]
#[error("{first} and {second} both fit some request")]
pub struct Overlap {
    first: String,
    second: String,
}

/// What a request found.
pub enum Found {
    Row {
        index: usize,
        params: Params,
    },
    /// The path is known, under these methods only.
    WrongMethod(Vec<&'static str>),
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Segment {
    Literal(&'static str),
    Param(&'static str),
    /// The rest of the path, however long; last in its pattern.
    Rest(&'static str),
}

struct Row {
    verb: Verb,
    accept: Option<&'static str>,
    pattern: &'static str,
    segments: Vec<Segment>,
}

/// Rows by their patterns. The patterns live as long as the process, as the rows do.
pub struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// # Errors
    /// Rows of which two could fit the same request.
    pub fn new<'a>(routes: impl IntoIterator<Item = &'a Route>) -> Result<Self, Overlap> {
        let mut table = Self { rows: Vec::new() };
        for route in routes {
            let row = Row::new(route);
            if let Some(other) = table.rows.iter().find(|other| other.overlaps(&row)) {
                let name = |row: &Row| format!("{} {}", row.verb.name(), row.pattern);
                return Err(Overlap { first: name(other), second: name(&row) });
            }
            table.rows.push(row);
        }
        Ok(table)
    }

    /// The row for a request. Among rows that differ only in their media type, the one that the
    /// `Accept` header names; without such a name, the one that asks for none.
    pub fn find(&self, method: &str, path: &str, accept: &str) -> Found {
        let at_path: Vec<_> =
            self.rows.iter().enumerate().filter_map(|(index, row)| row.fit(path).map(|params| (index, row, params))).collect();
        if at_path.is_empty() {
            return Found::Nothing;
        }
        // `/users/imports` is no user of this name.
        let by_name = at_path.iter().any(|(_, _, params)| ids_are_ids(params));
        let at_path: Vec<_> = at_path.into_iter().filter(|(_, _, params)| !by_name || ids_are_ids(params)).collect();
        let method = if method == "HEAD" { "GET" } else { method };
        let mut allow: Vec<_> = at_path.iter().map(|(_, row, _)| row.verb.name()).collect();
        let mut named: Vec<_> = at_path.into_iter().filter(|(_, row, _)| row.verb.name() == method).collect();
        named.retain(|(_, row, _)| row.accept.is_none_or(|media| accepts(accept, media)));
        match named.into_iter().max_by_key(|(_, row, _)| row.accept.is_some()) {
            Some((index, _, params)) => Found::Row { index, params },
            None => {
                allow.sort_unstable();
                allow.dedup();
                Found::WrongMethod(allow)
            }
        }
    }

    /// The pattern of a row.
    pub fn pattern(&self, index: usize) -> &'static str {
        self.rows[index].pattern
    }
}

impl Row {
    fn new(route: &Route) -> Self {
        let pattern: &'static str = route.pattern().leak();
        Self { verb: route.verb, accept: route.accept, pattern, segments: pattern.split('/').skip(1).map(segment).collect() }
    }

    fn fit(&self, path: &str) -> Option<Params> {
        let mut params = Params::new();
        let mut rest = path.strip_prefix('/')?;
        for (index, segment) in self.segments.iter().enumerate() {
            if let Segment::Rest(name) = segment {
                params.push((name, decode(rest)?));
                return Some(params);
            }
            let last = index + 1 == self.segments.len();
            let part = match rest.split_once('/') {
                Some((part, more)) if !last => {
                    rest = more;
                    part
                }
                None if last => rest,
                _ => return None,
            };
            match segment {
                Segment::Literal(literal) if *literal == part => {}
                Segment::Param(name) if !part.is_empty() => params.push((name, decode(part)?)),
                _ => return None,
            }
        }
        Some(params)
    }

    fn overlaps(&self, other: &Self) -> bool {
        if self.verb != other.verb || self.accept != other.accept {
            return false;
        }
        let mut pairs = self.segments.iter().zip(&other.segments);
        let open_ended = |row: &Self| matches!(row.segments.last(), Some(Segment::Rest(_)));
        let lengths_fit = match (open_ended(self), open_ended(other)) {
            (true, true) => true,
            (true, false) => self.segments.len() <= other.segments.len(),
            (false, true) => other.segments.len() <= self.segments.len(),
            (false, false) => self.segments.len() == other.segments.len(),
        };
        let parts_fit = pairs.all(|pair| match pair {
            (Segment::Literal(one), Segment::Literal(two)) => one == two,
            (Segment::Literal(literal), Segment::Param(name)) | (Segment::Param(name), Segment::Literal(literal)) => may_be(name, literal),
            _ => true,
        });
        lengths_fit && parts_fit
    }
}

/// Whether a parameter can have this value: one that is named as an id is one.
pub(super) fn may_be(name: &str, text: &str) -> bool {
    !name.ends_with("_id") || uuid::Uuid::try_parse(text).is_ok()
}

/// Whether every id in a path is one.
pub(super) fn ids_are_ids(params: &Params) -> bool {
    params.iter().all(|(name, text)| may_be(name, text))
}

fn segment(text: &'static str) -> Segment {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(name) => name.strip_prefix('*').map_or(Segment::Param(name), Segment::Rest),
        None => Segment::Literal(text),
    }
}

fn decode(part: &str) -> Option<String> {
    percent_decode_str(part).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

fn accepts(header: &str, media_type: &str) -> bool {
    header.split(',').any(|range| range.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type)))
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
