//! Organizations: the tenants. Every other record belongs to exactly one of them (E-06).
//!
//! Words: an *organization* is a client company and the boundary of its data; its *slug* is the
//! short name in addresses, unique over the platform (a claim of the append, not a rule here); it
//! is *suspended* when its people may no longer act, and *resumed* when they may again.
//!
//! Invariants: an organization is created once; only an active one can be suspended and only a
//! suspended one resumed; the platform's own organization is never suspended (B.2).
//!
//! A *domain* is a name in the DNS that the organization proves to be its own; its people may then
//! join by themselves, if the organization says so. Its *settings* are keys that it sets for itself,
//! and some that only the platform sets for it (B.5 "Limited").
//!
//! Others see the [`organization::Organization`], [`domain::Domain`] and [`provisioning::Provisioning`]
//! aggregates and the [`Locale`].

pub mod domain;
pub mod organization;
pub mod provisioning;

use serde::{Deserialize, Serialize};

/// A language in which texts are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    #[default]
    En,
    Fr,
}

impl Locale {
    pub const ALL: [Locale; 2] = [Locale::En, Locale::Fr];

    /// The language tag (RFC 5646).
    pub fn tag(self) -> &'static str {
        match self {
            Locale::En => "en",
            Locale::Fr => "fr",
        }
    }

    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.tag() == tag)
    }
}
