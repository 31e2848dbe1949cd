//! People of a file, as users of the organization: found or created by their external reference.

use crate::cli::{
    client::{ApiClient, ApiError, member},
    output::Reporter,
};
use futures::{StreamExt, TryStreamExt, stream};
use palmares_domain::{identity::Role, kernel::UserId};
use reqwest::StatusCode;
use serde_json::json;
use std::collections::HashMap;

/// People who are looked after at the same time.
const CONCURRENT: usize = 8;

/// The user of each external reference, or why there is none.
pub type People = HashMap<String, Result<UserId, String>>;

/// Finds or creates all of them as members.
///
/// # Errors
/// What would refuse every one: no such server, no right to create users.
pub async fn ensure_members(api: &ApiClient, file_kind: &str, refs: Vec<String>, reporter: &Reporter) -> Result<People, ApiError> {
    let progress = reporter.progress("people", refs.len() as u64);
    let progress = &progress;
    stream::iter(refs)
        .map(|external_ref| async move {
            let user = ensure_user(api, file_kind, &external_ref, Role::Member).await;
            progress.advance(1);
            match user {
                Ok(user) => Ok((external_ref, Ok(user))),
                Err(error) if error.is_final() => Err(error),
                Err(error) => Ok((external_ref, Err(error.to_string()))),
            }
        })
        .buffer_unordered(CONCURRENT)
        .try_collect()
        .await
}

/// Finds or creates one user. The key is derived from the kind of file and the reference, so running
/// again gives the first answer; someone who came in by another way is looked up.
pub async fn ensure_user(api: &ApiClient, file_kind: &str, external_ref: &str, role: Role) -> Result<UserId, ApiError> {
    let body = json!({ "external_ref": external_ref, "role": role });
    match api.post("users", &body, Some(&format!("{file_kind}:{external_ref}"))).await {
        Ok(answer) => id(member(&answer.body, "users", "id")?),
        Err(error) if error.status() == Some(StatusCode::CONFLICT) => {
            let found = api.get("users", &[("external_ref", external_ref)]).await?;
            let first = found.get("items").and_then(|items| items.get(0)).ok_or(error)?;
            id(member(first, "users", "id")?)
        }
        Err(error) => Err(error),
    }
}

fn id(text: &str) -> Result<UserId, ApiError> {
    text.parse().map_err(|_| ApiError::Incomplete { path: "users".to_owned(), member: "id" })
}
