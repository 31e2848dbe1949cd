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
