//! What a row says of itself to the document: the schemas of its types.

use crate::pipeline::{
    action::Action,
    door::Door,
    live::{self, Live},
    stream::Streaming,
};
use palmares_commands::engine::Capability;
use palmares_projections::engine::Query;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::{PartialSchema, ToSchema};

/// A route as the document shows it.
#[derive(Clone, Debug, Default)]
pub struct Description {
    pub operation_id: String,
    pub summary: String,
    /// All that the type says of itself; its first sentence is the summary.
    pub text: String,
    /// The fields of path, query and body together.
    pub input: Option<Value>,
    pub output: Option<Value>,
    pub media_type: &'static str,
    pub status: u16,
    /// Named schemas that input and output refer to.
    pub schemas: BTreeMap<String, Value>,
}

impl Description {
    fn answering<T: ToSchema>(mut self) -> Self {
        let name = T::name().into_owned();
        self.output = Some(json!({ "$ref": format!("#/components/schemas/{name}") }));
        self.schemas.extend(nested::<T>());
        self.schemas.insert(name, schema::<T>());
        self
    }
}

pub(crate) fn command<O: Capability>() -> Description {
    Description { media_type: "application/json", status: 200, ..of_input::<O>() }
}

pub(crate) fn query<Q: Query + ToSchema>() -> Description {
    Description { media_type: "application/json", status: 200, ..of_input::<Q>() }.answering::<Q::Output>()
}

pub(crate) fn stream<S: Streaming>() -> Description {
    Description { media_type: S::MEDIA_TYPE, status: 200, ..of_input::<S>() }
}

pub(crate) fn live<L: Live>() -> Description {
    Description { media_type: live::MEDIA_TYPE, status: 200, ..of_input::<L>() }
}

pub(crate) fn action<A: Action>() -> Description {
    Description { media_type: "application/json", status: A::STATUS, ..of_input::<A>() }.answering::<A::Output>()
}

pub(crate) fn door<D: Door>() -> Description {
    Description { media_type: "application/json", status: D::STATUS, ..of_input::<D>() }.answering::<D::Output>()
}

/// A public route, which has no parameters.
pub(crate) fn public(operation_id: &str, summary: &str, media_type: &'static str) -> Description {
    let (summary, text) = (first_sentence(summary), summary.to_owned());
    Description { operation_id: operation_id.to_owned(), summary, text, media_type, status: 200, ..Description::default() }
}

fn of_input<T: ToSchema>() -> Description {
    let (mut input, mut schemas) = (schema::<T>(), nested::<T>());
    let own_text = take_text(&mut input);
    // A newtype refers to the type it wraps: its fields are that one's.
    let wrapped = input.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next()).map(str::to_owned);
    if let Some(wrapped) = wrapped.and_then(|name| schemas.remove(&name)) {
        input = wrapped;
    }
    let text = own_text.or(take_text(&mut input)).unwrap_or_default();
    let summary = first_sentence(&text);
    Description { operation_id: T::name().into_owned(), summary, text, input: Some(input), schemas, ..Description::default() }
}

/// The first sentence of a text, on one line however the text is broken.
pub(super) fn first_sentence(text: &str) -> String {
    let paragraph = text.trim().split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let ends = |at: &usize| line[at + 1..].strip_prefix(' ').is_some_and(|rest| !rest.starts_with(char::is_lowercase));
    match line.match_indices(['.', '?']).map(|(at, _)| at).find(ends) {
        Some(end) => line[..=end].to_owned(),
        None => line,
    }
}

fn take_text(schema: &mut Value) -> Option<String> {
    schema.as_object_mut()?.remove("description")?.as_str().map(str::to_owned)
}

/// A type's schema, written out.
pub(crate) fn schema<T: PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap_or_default()
}

/// The named schemas that a type's schema refers to.
pub(crate) fn nested<T: ToSchema>() -> BTreeMap<String, Value> {
    let mut schemas = Vec::new();
    T::schemas(&mut schemas);
    schemas.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default())).collect()
}
