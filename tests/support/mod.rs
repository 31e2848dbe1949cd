//! What every test stands on.

pub mod captcha;
pub mod dns;
pub mod mail;
pub mod provider;
pub mod running;
pub mod servers;
pub mod sink;
pub mod streams;
pub mod timing;
