//! Challenges that programs do not solve: somebody else sets them, and says whether they were solved (E-100).

mod siteverify;

pub use siteverify::SiteVerify;

use async_trait::async_trait;
use std::net::IpAddr;

/// What an operator says of it.
#[derive(Clone)]
pub struct CaptchaSettings {
    /// Where the service says whether a challenge was solved.
    pub url: String,
    /// By which the service knows us.
    pub secret: String,
}

/// Why nobody said whether a challenge was solved.
#[derive(Debug, thiserror::Error)]
#[error("the service that sets challenges gave no answer: {0}")]
pub struct CaptchaFault(pub String);

/// Says whether a challenge was solved.
#[async_trait]
pub trait Captcha: Send + Sync + 'static {
    /// Whether `response`, which somebody at `address` sent, solves a challenge.
    ///
    /// # Errors
    /// When it cannot be told.
    async fn is_solved(&self, response: &str, address: IpAddr) -> Result<bool, CaptchaFault>;
}
