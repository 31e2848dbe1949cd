//! Password hashes: Argon2id, at most two at a time, and as slow for strangers as for members (E-95).

use crate::problem::Problem;
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// OWASP's smallest recommendation for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes at a time: each takes a core and its memory, and requests need cores too.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// A password on its way to the hash; wiped when it is dropped.
pub type Password = Zeroizing<String>;

/// Makes and verifies hashes.
pub struct Passwords {
    turns: Arc<Semaphore>,
    argon: Arc<Argon2<'static>>,
    /// The hash of a password that nobody has, for users that nobody is.
    nobodys: Arc<str>,
}

impl Passwords {
    /// # Errors
    /// Where the system has no randomness to give.
    pub fn new() -> anyhow::Result<Self> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| anyhow::anyhow!("{error}"))?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut unknown = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(unknown.as_mut()).map_err(|_| anyhow::anyhow!("no randomness"))?;
        let nobodys = argon.hash_password(unknown.as_ref()).map_err(|error| anyhow::anyhow!("{error}"))?.to_string();
        Ok(Self { turns: Arc::new(Semaphore::new(AT_ONCE)), argon: Arc::new(argon), nobodys: nobodys.into() })
    }

    /// The hash of a password as a PHC string, under a salt of its own.
    pub async fn hash(&self, password: Password) -> Result<String, Problem> {
        let argon = self.argon.clone();
        self.in_turn(move || argon.hash_password(password.as_bytes()).map(|hash| hash.to_string())).await?.map_err(Problem::internal)
    }

    /// Whether it is the password of this hash. Where there is none, the same work is done for nothing.
    pub async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool, Problem> {
        let (argon, nobodys) = (self.argon.clone(), self.nobodys.clone());
        let verified = self.in_turn(move || {
            let known = hash.is_some();
            let hash = hash.as_deref().unwrap_or(&nobodys);
            let fits = PasswordHash::new(hash).is_ok_and(|hash| argon.verify_password(password.as_bytes(), &hash).is_ok());
            fits && known
        });
        verified.await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let turn = match tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await {
            Ok(turn) => turn.map_err(Problem::internal)?,
            Err(_) => return Err(Problem::unavailable(anyhow::anyhow!("too many passwords are being hashed"))),
        };
        // A caller who goes away does not stop the work, so the work keeps its turn.
        let working = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        working.await.map_err(Problem::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Zeroizing::new(text.to_owned())
    }

    // covers: E-95
    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash(password("correct horse battery staple")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify(password("correct horse battery staple"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(password("correct horse battery stapler"), Some(hash.clone())).await.unwrap());
        assert_ne!(hash, passwords.hash(password("correct horse battery staple")).await.unwrap(), "two hashes share their salt");
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        let passwords = Passwords::new().unwrap();
        for text in ["", "password", "correct horse battery staple"] {
            assert!(!passwords.verify(password(text), None).await.unwrap());
        }
        assert!(!passwords.verify(password("x"), Some("not a hash".to_owned())).await.unwrap());
    }
}
