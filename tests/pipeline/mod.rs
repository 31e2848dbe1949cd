//! The one way in, tried with bad input and with bad intent against the running system.

mod attack;
mod bad_input;
mod permission_matrix;
