//! HTTP over the write side and the read side, and the command line of the binary `palmares`.

pub mod captcha;
pub mod cli;
pub mod dns;
pub mod mail;
pub mod openapi;
pub mod pages;
pub mod pipeline;
pub mod problem;
pub mod reactors;
pub mod routes;
mod secrets;
pub mod sign_in;
pub mod sms;
pub mod telemetry;
pub mod wiring;
