//! What counts as a text: the checks that every context makes of what people type.

use crate::TEXT_MAX_CHARS;

/// Whether `text` can stand as a name: something to read, on one line, with nothing hidden around
/// it, so that two names that look the same are the same.
pub fn is_label(text: &str, max_chars: usize) -> bool {
    !text.is_empty() && text.trim() == text && text.chars().count() <= max_chars && !text.chars().any(char::is_control)
}

/// Whether `text` can stand as a reason or a note: not blank, at most [`TEXT_MAX_CHARS`] characters.
pub fn is_prose(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= TEXT_MAX_CHARS
}

/// Whether `text` can be the number of a telephone, as E.164 writes it: `+`, then the country's code and the
/// number, 7 to 15 digits together. Whether it is in use is for a message to find out.
pub fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.starts_with('0')
}

/// Longest address of a mailbox, in bytes (RFC 5321, 4.5.3.1.3, without the angle brackets).
const EMAIL_MAX_BYTES: usize = 254;

/// Whether `text` can be the address of a mailbox: one `@`, a name before it, a domain of at least
/// two labels after it. Whether it exists is for a message to find out.
pub fn is_email(text: &str) -> bool {
    let label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    let Some((name, domain)) = text.split_once('@') else { return false };
    text.len() <= EMAIL_MAX_BYTES
        && !name.is_empty()
        && name.len() <= 64
        && !text.chars().any(|char| char.is_control() || char.is_whitespace() || "()<>[],;:\\\"".contains(char))
        && !domain.contains('@')
        && domain.contains('.')
        && domain.split('.').all(label)
}
