//! Recognition: the teams in which people work together, and who is what in them.
//!
//! Words: a *team* is a group of users of one organization; in it everyone has one *team role*:
//! *member*, *coach*, or *owner*, who manages its members (T-07). A team role says nothing outside of its
//! team, and is no role of the organization.
//!
//! Invariants: nobody is in a team twice; a team has an owner as long as somebody removes people from it,
//! and is without one only where its last owner was erased; it is no larger than the organization's
//! setting `max_team_size` says when somebody is added (P-113); an archived team stays as it is, apart
//! from whoever is erased.
//!
//! A team knows nothing of what stands above or below it: their hierarchy is an aggregate of its own,
//! one stream for all teams of an organization, so that moves are put in order (T-36 to T-43).
//!
//! Others see the [`TeamRole`] and the aggregate [`team::Team`], which the gate asks who is what in it.

pub mod team;

pub use team::TeamRole;
