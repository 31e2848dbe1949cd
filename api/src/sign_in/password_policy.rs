//! Which passwords are accepted: long, hard to guess, and in no list of stolen ones (E-96, E-97).
//!
//! There are no rules about kinds of characters: they make passwords harder to remember and not to
//! guess (NIST SP 800-63B, 5.1.1.2). An estimate of the guesses that a password takes replaces them.

use crate::problem::Problem;
use aws_lc_rs::digest;
use palmares_domain::organizations::organization::PASSWORD_MIN_LENGTH;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
};
use zxcvbn::{Score, zxcvbn};

/// A hash takes longer for a longer text; nobody types more than this.
const LENGTH_MAX_CHARS: usize = 128;
/// "Safely unguessable": 10^8 guesses and more.
const SCORE_MIN: Score = Score::Three;

/// Judges passwords that somebody wants to set.
#[derive(Default)]
pub struct PasswordPolicy {
    /// SHA-1 hashes of stolen passwords in upper-case hexadecimal, one in a line, in order, as Have I
    /// Been Pwned publishes them; what follows a colon does not count.
    breached: Option<PathBuf>,
}

impl PasswordPolicy {
    /// # Errors
    /// A list that cannot be read.
    pub fn new(breached: Option<&Path>) -> io::Result<Self> {
        breached.map(File::open).transpose()?;
        Ok(Self { breached: breached.map(Path::to_owned) })
    }

    /// Refuses a password by the field that held it. `length_min` is how many characters the
    /// organization asks for, `personal` what others know of the owner.
    pub fn check(&self, field: &str, password: &str, length_min: u16, personal: &[&str]) -> Result<(), Problem> {
        let refused = |reason: &'static str| Problem::invalid_field(field, reason);
        if password.chars().count() < usize::from(length_min.max(PASSWORD_MIN_LENGTH)) {
            return Err(refused("password_too_short"));
        }
        if password.chars().count() > LENGTH_MAX_CHARS {
            return Err(refused("password_too_long"));
        }
        let parts = personal.iter().flat_map(|known| known.split(|char: char| !char.is_alphanumeric()));
        let parts: Vec<&str> = parts.chain(personal.iter().copied()).filter(|part| part.len() > 2).collect();
        if zxcvbn(password, &parts).score() < SCORE_MIN {
            return Err(refused("password_guessable"));
        }
        match self.is_breached(password) {
            Ok(false) => Ok(()),
            Ok(true) => Err(refused("password_breached")),
            Err(error) => Err(Problem::internal(error)),
        }
    }

    fn is_breached(&self, password: &str) -> io::Result<bool> {
        let Some(path) = &self.breached else { return Ok(false) };
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        stands_in(&mut BufReader::new(File::open(path)?), &hash)
    }
}

/// Looks a line up by its beginning in a file of ordered lines, by halving.
fn stands_in(file: &mut (impl BufRead + Seek), start: &str) -> io::Result<bool> {
    let (mut low, mut high) = (0, file.seek(SeekFrom::End(0))?);
    let mut line = String::new();
    // The line that is looked for begins in [low, high).
    while low < high {
        let middle = low + (high - low) / 2;
        let mut begin = low;
        if middle > low {
            // The first line that begins here or later begins behind the end of the one before.
            file.seek(SeekFrom::Start(middle - 1))?;
            begin = middle - 1 + skip_line(file)?;
        } else {
            file.seek(SeekFrom::Start(low))?;
        }
        if begin >= high {
            high = middle;
            continue;
        }
        line.clear();
        let length = file.read_line(&mut line)? as u64;
        match line.get(..start.len().min(line.trim_end().len())).unwrap_or_default().to_ascii_uppercase().as_str().cmp(start) {
            std::cmp::Ordering::Equal => return Ok(true),
            std::cmp::Ordering::Less => low = begin + length,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(false)
}

fn skip_line(file: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = Vec::new();
    Ok(file.read_until(b'\n', &mut skipped)? as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn reason(password: &str, personal: &[&str]) -> Option<String> {
        PasswordPolicy::default()
            .check("password", password, PASSWORD_MIN_LENGTH, personal)
            .err()
            .map(|problem| problem.errors[0].reason.to_string())
    }

    #[test]
    fn a_password_is_long_and_hard_to_guess() {
        assert_eq!(reason("correct horse battery staple", &[]), None);
        assert_eq!(reason("Tr0ub4dor&3", &[]).as_deref(), Some("password_too_short"));
        assert_eq!(reason(&"ab1! ".repeat(26), &[]).as_deref(), Some("password_too_long"));
        for guessable in ["password1234", "qwertyuiop12", "aaaaaaaaaaaa", "123456789012", "iloveyou1234"] {
            assert_eq!(reason(guessable, &[]).as_deref(), Some("password_guessable"), "{guessable}");
        }
        let asked = PasswordPolicy::default().check("password", "correct horse battery staple", 29, &[]);
        assert_eq!(asked.unwrap_err().errors[0].reason, "password_too_short", "an organization asks for more");
        let own = ["zebulon.quixwell@acme.example", "Zebulon Quixwell"];
        assert_eq!(reason("zebulonquixwell", &own).as_deref(), Some("password_guessable"), "a name is no secret");
        assert_eq!(reason(own[0], &own).as_deref(), Some("password_guessable"), "an address is no secret");
    }

    #[test]
    fn a_stolen_password_is_refused_by_a_list_on_this_machine() {
        let (stolen, other) = ("gravel nimbus ottoman 83", "gravel nimbus ottoman 84");
        let sha1 = |text: &str| -> String {
            let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
            hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
        };
        let mut lines: Vec<String> = (0..500).map(|number| format!("{}:{number}", sha1(&number.to_string()))).collect();
        lines.push(format!("{}:7", sha1(stolen)));
        lines.sort();
        let path = std::env::temp_dir().join(format!("palmares-breached-{}", std::process::id()));
        File::create(&path).unwrap().write_all(lines.join("\r\n").as_bytes()).unwrap();
        let policy = PasswordPolicy::new(Some(&path)).unwrap();
        let refused = policy.check("password", stolen, 12, &[]).unwrap_err();
        assert_eq!(refused.errors[0].reason, "password_breached");
        assert!(policy.check("password", other, 12, &[]).is_ok());
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn every_line_of_a_list_is_found_and_nothing_else() {
        let lines: Vec<String> = (0..200_u32).map(|number| format!("{:08X}:{}", number * 7, "9".repeat((number % 5) as usize))).collect();
        let mut file = Cursor::new(lines.join("\n"));
        for number in 0..1_500_u32 {
            let expected = number % 7 == 0 && number / 7 < 200;
            assert_eq!(stands_in(&mut file, &format!("{number:08X}")).unwrap(), expected, "{number}");
        }
        assert!(!stands_in(&mut Cursor::new(""), "00").unwrap());
    }
}
