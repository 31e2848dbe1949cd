//! Personal data beside the event: keys, seals, and what a lost key means (design 7, ADR 2).
//!
//! Words: a *data key* seals the fields of one (organization, subject, purpose); an organization's
//! *epoch key* wraps its data keys and stands in the *key store*, never in PostgreSQL; the *index
//! key* answers whether two values are equal without showing either; the *master key* seals the
//! files of the development key store.
//!
//! A key is *hidden* (it opens nothing, still seals, and can be shown again), *held* (a legal hold keeps it
//! from destruction) or *destroyed* (its name is a *tombstone* for good). [`Custody`] does all of it.
//!
//! What holds:
//! - A ciphertext opens only where it was sealed: organization, subject, purpose, container, record
//!   and field are its associated data.
//! - A lost data key reads as `None`, an altered or moved ciphertext as an error: the first is
//!   erasure doing its work, the second is an attack or a fault.
//! - No key and no clear value has a `Debug` or an error text.

mod cipher;
pub mod client_context;
pub mod contract;
pub mod custody;
pub mod data_keys;
mod error;
mod exclusive_file;
pub mod key_ring;
pub mod key_store;
pub mod master_key;
pub mod sealed_rows;
pub mod sealing;

pub use cipher::{CipherError, Secret};
pub use client_context::{ClientContextTable, ClientContexts};
pub use custody::{Custody, Rotated};
pub use data_keys::{DataKeyName, DataKeyTable, KeyFate, KeyLife, Subject, SubjectKeys, WrappedKey};
pub use error::PrivacyError;
pub use key_ring::{FORGOTTEN_EVERYWHERE_WITHIN, KeyRing, PURPOSES, SealRequest, Sealed};
pub use key_store::{Epoch, EpochKey, IndexKey, KeyStore, KeyStoreError, VaultKeyStore, VaultSettings};
pub use master_key::{MasterKey, MasterKeyError};
pub use sealed_rows::{MemorySealedRows, PostgresSealedRows, Redacted, SealedRows};
pub use sealing::{EventPlace, PersonalFields, SealedEvent, UnsealedEvent};
