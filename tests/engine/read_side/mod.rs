//! The engine of the read side, on a log, a stream and a read model of each test's own.

mod failures;
mod incarnations;
mod jetstream;
mod model;
mod nodes;
mod over_http;
mod rebuilds;
mod requests;
mod rig;
