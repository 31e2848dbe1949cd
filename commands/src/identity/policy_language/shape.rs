//! The shape of a text, looked at before the parser is: the parser and the validator go down into it
//! by recursion, and a text that is nested deeply enough would end the process.

use super::PolicyFault;
use std::ops::Range;

/// Brackets and conditions in each other.
const NESTING_MAX: usize = 24;
/// Operators of one policy. A chain of them is as deep as it is long.
const OPERATORS_MAX: usize = 120;

const OPERATOR_WORDS: [&str; 4] = ["in", "has", "like", "is"];

/// Refuses a text that goes deeper than any policy has to.
pub(super) fn check(text: &str) -> Result<(), PolicyFault> {
    let (mut open, mut conditions, mut operators) = (0_usize, 0_usize, 0_usize);
    for span in code(text) {
        let span = &text[span];
        for char in span.bytes() {
            match char {
                b'(' | b'[' | b'{' => open += 1,
                b')' | b']' | b'}' => open = open.saturating_sub(1),
                b'!' | b'-' | b'+' | b'*' | b'&' | b'|' | b'=' | b'<' | b'>' | b'.' => operators += 1,
                _ => {}
            }
            if open + conditions > NESTING_MAX {
                return Err(PolicyFault::of(format!("the policy is nested more than {NESTING_MAX} deep")));
            }
        }
        let words = span.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
        for word in words {
            conditions += usize::from(word == "if");
            operators += usize::from(OPERATOR_WORDS.contains(&word));
        }
    }
    if conditions > NESTING_MAX || operators > OPERATORS_MAX {
        return Err(PolicyFault::of(format!("a policy has at most {OPERATORS_MAX} operators and {NESTING_MAX} conditions")));
    }
    Ok(())
}

/// Puts `value` where the text says `slot`, and says how often that was.
pub(super) fn put(text: &str, slot: &str, value: &str) -> (String, usize) {
    let (mut put, mut from, mut count) = (String::with_capacity(text.len()), 0, 0);
    for span in code(text) {
        let start = span.start;
        for (at, _) in text[span].match_indices(slot) {
            put.push_str(&text[from..start + at]);
            put.push_str(value);
            from = start + at + slot.len();
            count += 1;
        }
    }
    put.push_str(&text[from..]);
    (put, count)
}

/// The parts of a text that are neither strings nor comments.
fn code(text: &str) -> Vec<Range<usize>> {
    let (bytes, mut spans, mut from, mut at) = (text.as_bytes(), Vec::new(), 0, 0);
    while at < bytes.len() {
        let end = match bytes[at] {
            b'"' => end_of_string(bytes, at + 1),
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end)
            }
            _ => {
                at += 1;
                continue;
            }
        };
        spans.push(from..at);
        (at, from) = (end, end);
    }
    spans.push(from..bytes.len());
    spans
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_not_code() {
        let text = "a \"b \\\" ( ?x\" c // ( ?x\n ?x \"open";
        let code: Vec<_> = code(text).into_iter().map(|span| &text[span]).collect();
        assert_eq!(code, ["a ", " c ", "\n ?x ", ""]);
        let (put, count) = put(text, "?x", "Y");
        assert_eq!((put.as_str(), count), ("a \"b \\\" ( ?x\" c // ( ?x\n Y \"open", 1));
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        assert!(check(&format!("{}{}", "(".repeat(24), ")".repeat(24))).is_ok());
        assert!(check(&"(".repeat(25)).is_err());
        assert!(check(&"(x)".repeat(100)).is_ok());
        assert!(check(&format!("\"{}\"", "(".repeat(100))).is_ok());
        assert!(check(&"if a then b else ".repeat(25)).is_err());
        assert!(check(&"a + ".repeat(120)).is_ok() && check(&"a + ".repeat(121)).is_err());
        assert!(check(&"a in ".repeat(121)).is_err());
    }
}
