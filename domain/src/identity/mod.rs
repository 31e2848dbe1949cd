//! Identity: who acts, and what they may.
//!
//! Words: a *user* belongs to one organization and walks the life cycle of B.1; a *permission* is
//! `context.noun.verb` and stands in the groups of its prefixes; a *grant* names a permission or a
//! group of them, later ones included; a *role* is a set of grants, built in or composed by an
//! organization at run time; *rights* are what all roles of a user grant together; a *policy* of an
//! organization's own *policy store* permits or forbids beside the roles, by attributes; a *credential*
//! is what a user proves themselves with, a *pass* of it a link or a code that is good once; a *session*
//! is a device on which a user is signed in; a *connection* names the identity provider at which the
//! people of an organization sign in; an *invitation* asks someone to join, once and for a while; an
//! *import* invites the people of a table, row by row; a *sign-up* is somebody who asks to join, and
//! the *hooks* of an organization's *sign-up policy* are what they have to pass before they do.
//! *import* invites the people of a table, row by row; a *membership* joins two users, of two
//! organizations, who are one person.
//!
//! Invariants: every transition of a user that B.1 does not allow is refused; a deactivated user
//! returns only after someone else approved it; nobody gives away more than they may themselves
//! (E-46); what the platform keeps to itself no role of an organization ever grants; no secret stands
//! in clear in any event; a code, a link and a refresh token are good once (E-105, E-109); rights for a
//! while are approved by somebody else, end by themselves and are never passed on, and whoever acts
//! as another user may never do more than both of them (E-33); a membership shares nothing, and what
//! happens to one of its users never happens to the other.
//!
//! Others see the [`Role`], the [`RoleRef`], the [`Rights`], and the aggregates
//! [`user::User`], [`credential::Credential`], [`sessions::Sessions`], [`invitation::Invitation`],
//! [`role_catalogue::RoleCatalogue`], [`policy_store::PolicyStore`], [`connection::Connection`],
//! [`api_key::ApiKey`], [`elevation::Elevation`], [`user_import::UserImport`], [`signup::Signup`] and
//! [`signup_policy::SignupPolicy`].
//! [`memberships::Memberships`], [`api_key::ApiKey`], [`elevation::Elevation`] and [`user_import::UserImport`].

pub mod api_key;
pub mod connection;
pub mod credential;
pub mod elevation;
mod grant;
pub mod invitation;
pub mod memberships;
mod permission_tree;
pub mod policy_store;
mod rights;
mod role;
pub mod role_catalogue;
pub mod sessions;
pub mod sign_in_watch;
pub mod signup;
pub mod signup_policy;
pub mod user;
pub mod user_import;

pub use grant::{Grant, MalformedGrant};
pub use permission_tree::PermissionTree;
pub use rights::{CONFIDENTIAL_READ, HeldRole, RESTRICTED_READ, Rights};
pub use role::{Role, RoleRef};

/// The kind under which an external reference is hashed: the claim that keeps it unique and the
/// directory that finds a user by it have to agree.
pub const EXTERNAL_REF_LOOKUP: &str = "identity.external_ref";

/// The kind under which the [`email_key`] of an e-mail address is hashed.
pub const EMAIL_LOOKUP: &str = "identity.email";

/// The kind under which the [`email_key`] of an address is hashed for which a sign-up is under way.
pub const SIGNUP_EMAIL_LOOKUP: &str = "identity.signup_email";

/// The kind under which the [`external_identity_key`] of an account elsewhere is hashed.
pub const EXTERNAL_IDENTITY_LOOKUP: &str = "identity.external_identity";

/// What names an account at an identity provider. A digest has a fixed length, so no two accounts
/// share their key.
pub fn external_identity_key(issuer: crate::kernel::Digest, subject: &str) -> String {
    format!("{issuer}{subject}")
}

/// What two spellings of one mailbox have in common. Strictly the part before the `@` may tell them
/// apart by case (RFC 5321, 2.4), but no provider of note does, and people type as they please.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}
