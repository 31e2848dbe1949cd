//! Experts: who looks after whom.
//!
//! Words: an *expert* is a user with the built-in role Expert; an *assignment* makes them look after
//! one person, until somebody ends it or its time is over.
//!
//! Invariants: nobody is their own expert, and nobody assigns themselves; nobody is assigned twice at once to the same person; an
//! assignment that is over gives nothing, whether or not somebody recorded its end (E-22, E-121).
//!
//! Others see [`assignments::ExpertAssignments`], which the gate asks who is assigned to whom.

pub mod assignments;
