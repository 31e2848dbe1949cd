//! The name of an environment, such as `production` or `staging`: what is signed in one is good in no other (H-20).

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

const MAX_CHARS: usize = 32;

/// Letters, digits and dashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Environment(String);

/// What is not the name of an environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an environment has a name of 1 to {MAX_CHARS} letters, digits and dashes")]
pub struct MalformedEnvironment;

impl Environment {
    /// Where `palmares dev` runs.
    pub fn development() -> Self {
        Self("development".to_owned())
    }
}

impl Default for Environment {
    /// Whoever says nothing is in production, where a mistake would cost most.
    fn default() -> Self {
        Self("production".to_owned())
    }
}

impl FromStr for Environment {
    type Err = MalformedEnvironment;

    fn from_str(name: &str) -> Result<Self, MalformedEnvironment> {
        let fits = (1..=MAX_CHARS).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if fits { Ok(Self(name.to_owned())) } else { Err(MalformedEnvironment) }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_dashes() {
        for good in ["production", "staging-2", "QA"] {
            assert_eq!(good.parse::<Environment>().unwrap().to_string(), good);
        }
        for bad in ["", "a b", "a/b", "a_b", "é", &"a".repeat(33)] {
            assert_eq!(bad.parse::<Environment>(), Err(MalformedEnvironment), "{bad}");
        }
    }
}
