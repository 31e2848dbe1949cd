//! Lists: pages, cursors and limits, the same for every query.

use super::reader::{ReadError, TenantReader};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palmares_domain::kernel::FieldError;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::{
    FromRow, Postgres,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
};
use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type},
    },
};
use uuid::Uuid;

/// One page of a list.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Fetches the following page; absent on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` items out of `rows`, for which one more row than `limit` was
    /// read; `cursor` makes the cursor behind the last item that is shown.
    pub fn of(mut rows: Vec<T>, limit: i64, cursor: impl FnOnce(&T) -> Result<String, ReadError>) -> Result<Self, ReadError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = if more { rows.last().map(cursor).transpose()? } else { None };
        Ok(Self { items: rows, next_cursor })
    }

    /// The same page of what the rows are shown as.
    pub fn map<U>(self, shown: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(shown).collect(), next_cursor: self.next_cursor }
    }

    /// Notes on which keys the answer depends.
    pub fn touch(&self, reader: &mut TenantReader<'_>, key: impl Fn(&T) -> Uuid) {
        self.items.iter().for_each(|item| reader.touches(key(item)));
    }
}

/// A list that is asked for: where it goes on, and how many items a page has.
#[derive(Clone, Debug)]
pub struct Listing<K> {
    list: &'static str,
    behind: Option<K>,
    limit: i64,
}

impl<K: Clone + Serialize + DeserializeOwned> Listing<K> {
    pub(super) fn of(list: &'static str, behind: Option<K>, limit: &Limit) -> Result<Self, ReadError> {
        Ok(Self { list, behind, limit: limit.rows()? })
    }

    /// The key of the last item that the caller saw; nothing on the first page.
    pub fn behind(&self) -> Option<K> {
        self.behind.clone()
    }

    /// How many rows are read: one more than is shown, which tells whether there are more.
    pub fn rows(&self) -> i64 {
        self.limit + 1
    }

    /// The page out of what `query` finds; `key` is what the following one goes on behind.
    pub async fn page<T>(
        self,
        reader: &mut TenantReader<'_>,
        query: QueryAs<'_, Postgres, T, PgArguments>,
        key: impl FnOnce(&T) -> K,
    ) -> Result<Page<T>, ReadError>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        // Filters that are not given are left to the planner, which sees them only if it plans anew.
        let rows = query.persistent(false).fetch_all(reader.connection()).await?;
        Page::of(rows, self.limit, |last| reader.cursor_of(self.list, &key(last)))
    }
}

impl Listing<i64> {
    /// Where a list that begins with the newest goes on.
    pub fn before(&self) -> i64 {
        self.behind.unwrap_or(i64::MAX)
    }

    /// Where a list that begins with the oldest goes on.
    pub fn after(&self) -> i64 {
        self.behind.unwrap_or(0)
    }
}

// Written out, because a derived schema is named `Page` whatever it is a page of, and leaves out
// the schema of its items.
impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("PageOf{}", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Fetches the following page; null on the last one."));
        ObjectBuilder::new()
            .description(Some("One page of a list."))
            .property("items", ArrayBuilder::new().items(Ref::from_schema_name(T::name())))
            .property("next_cursor", cursor)
            .required("items")
            .required("next_cursor")
            .into()
    }
}

/// Where a list goes on. Opaque, and without authority: it is decoded as data, and the query
/// applies the caller's tenant and rights as on the first page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Cursor(String);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CursorForm<T> {
    /// Of which list it is: the keys of many are of one type. Once, cursors did not say it.
    #[serde(rename = "l", default)]
    list: String,
    /// The log's incarnation: a restored log may have reused the positions of an old cursor.
    #[serde(rename = "i")]
    incarnation: Uuid,
    #[serde(rename = "k")]
    key: T,
}

impl Cursor {
    pub fn encode<T: Serialize>(incarnation: Uuid, list: &str, key: &T) -> Result<String, ReadError> {
        let list = list.to_owned();
        let json = serde_json::to_vec(&CursorForm { list, incarnation, key }).map_err(|error| ReadError::Unavailable(error.into()))?;
        Ok(URL_SAFE_NO_PAD.encode(json))
    }

    /// The key behind which the list goes on; a cursor of another list or incarnation is a
    /// validation error on the field `cursor`.
    pub fn decode<T: DeserializeOwned>(&self, incarnation: Uuid, list: &str) -> Result<T, ReadError> {
        let refused = |reason: &str| ReadError::Invalid(vec![FieldError::new("cursor", reason)]);
        if self.0.len() > 4096 {
            return Err(refused("too_long"));
        }
        let json = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| refused("malformed"))?;
        let form: CursorForm<Value> = serde_json::from_slice(&json).map_err(|_| refused("malformed"))?;
        if form.list != list {
            return Err(refused("another_list"));
        }
        if form.incarnation != incarnation {
            return Err(refused("stale"));
        }
        serde_json::from_value(form.key).map_err(|_| refused("malformed"))
    }
}

/// How many items a page has: 1 to 200, 50 where the query does not say.
///
/// Anything else is kept as asked until [`Limit::rows`] refuses it, so that the error names the
/// field; numbers come as text from a query string.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = u16, minimum = 1, maximum = 200, default = 50)]
pub struct Limit(String);

impl Limit {
    pub const MAX: i64 = 200;

    /// The number of rows asked for.
    pub fn rows(&self) -> Result<i64, ReadError> {
        let refused = |reason: &str| ReadError::Invalid(vec![FieldError::new("limit", reason)]);
        let rows = self.0.parse::<i64>().map_err(|_| refused("not_an_integer"))?;
        if (1..=Self::MAX).contains(&rows) { Ok(rows) } else { Err(refused("out_of_range")) }
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self("50".to_owned())
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;
        impl serde::de::Visitor<'_> for NumberOrText {
            type Value = Limit;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of items")
            }
            fn visit_i64<E>(self, value: i64) -> Result<Limit, E> {
                Ok(Limit(value.to_string()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Limit, E> {
                Ok(Limit(value.to_string()))
            }
            fn visit_str<E>(self, value: &str) -> Result<Limit, E> {
                Ok(Limit(value.to_owned()))
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason<T>(result: Result<T, ReadError>) -> String {
        match result {
            Err(ReadError::Invalid(errors)) => errors.into_iter().map(|error| format!("{} {}", error.field, error.reason)).collect(),
            Err(other) => other.to_string(),
            Ok(_) => "accepted".to_owned(),
        }
    }

    #[test]
    fn a_cursor_round_trips_within_its_list_and_its_incarnation() {
        let (now, then) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let cursor = Cursor(Cursor::encode(now, "ListEvents", &(7_i64, "b")).unwrap());
        assert_eq!(cursor.decode::<(i64, String)>(now, "ListEvents").unwrap(), (7, "b".to_owned()));
        assert_eq!(reason(cursor.decode::<(i64, String)>(then, "ListEvents")), "cursor stale");
        assert_eq!(reason(cursor.decode::<(i64, String)>(now, "ListAuditLogs")), "cursor another_list");
        assert_eq!(reason(cursor.decode::<String>(now, "ListEvents")), "cursor malformed");
    }

    #[test]
    fn a_cursor_that_names_no_list_is_of_another_one() {
        let old = serde_json::json!({ "i": Uuid::nil(), "k": 7 });
        let old = Cursor(URL_SAFE_NO_PAD.encode(old.to_string()));
        assert_eq!(reason(old.decode::<i64>(Uuid::nil(), "ListEvents")), "cursor another_list");
    }

    #[test]
    fn a_forged_cursor_names_its_field() {
        for text in ["", "%%%", "e30", "bnVsbA", "ZQ"] {
            assert_eq!(reason(Cursor(text.to_owned()).decode::<i64>(Uuid::nil(), "ListEvents")), "cursor malformed", "{text}");
        }
    }

    #[test]
    fn a_limit_is_a_number_within_bounds() {
        let limit = |json: &str| serde_json::from_str::<Limit>(json).unwrap().rows();
        assert_eq!(limit("1").unwrap(), 1);
        assert_eq!(limit("\"200\"").unwrap(), 200);
        assert_eq!(Limit::default().rows().unwrap(), 50);
        for (json, expected) in
            [("0", "limit out_of_range"), ("201", "limit out_of_range"), ("-1", "limit out_of_range"), ("\"x\"", "limit not_an_integer")]
        {
            assert_eq!(reason(limit(json)), expected);
        }
    }

    #[test]
    fn a_page_has_a_cursor_only_when_there_is_more() {
        let page = |rows: Vec<i32>| Page::of(rows, 2, |last| Ok(last.to_string())).unwrap();
        assert_eq!(page(vec![1, 2]).next_cursor, None);
        assert_eq!(page(vec![1, 2, 3]).next_cursor.as_deref(), Some("2"));
        assert_eq!(page(vec![1, 2, 3]).items, [1, 2]);
    }
}
