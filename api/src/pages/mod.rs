//! The pages to which the links in letters lead: they read the token behind the `#`, which no server
//! sees, and take the step when a button is pressed. Whoever only looks at a link, as mail scanners do,
//! uses nothing up.
//!
//! A page is one answer: its style and its script stand in it, under hashes that its policy names, and
//! it loads nothing.

use crate::problem::Language;
use actix_web::{HttpResponse, http::header};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{collections::BTreeMap, sync::LazyLock};

const FRAME: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const ENGLISH: &str = include_str!("en.json");
const FRENCH: &str = include_str!("fr.json");

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    MagicLink,
    PasswordReset,
    EmailVerification,
    Invitation,
    Signup,
    NotMe,
}

impl Page {
    pub const ALL: [Page; 6] = [Page::MagicLink, Page::PasswordReset, Page::EmailVerification, Page::Invitation, Page::Signup, Page::NotMe];

    /// Where it stands, below the public address.
    pub fn path(self) -> &'static str {
        match self {
            Page::MagicLink => "auth/magic-link",
            Page::PasswordReset => "auth/password-reset",
            Page::EmailVerification => "auth/email-verification",
            Page::Invitation => "invitation",
            Page::Signup => "auth/signup",
            Page::NotMe => "auth/not-me",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Page::MagicLink => "magic_link.title",
            Page::PasswordReset => "password_reset.title",
            Page::EmailVerification => "email_verification.title",
            Page::Invitation => "invitation.title",
            Page::Signup => "signup.title",
            Page::NotMe => "not_me.title",
        }
    }

    /// The page in a language.
    pub fn answer(self, language: Language) -> HttpResponse {
        HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
            .insert_header((header::CONTENT_LANGUAGE, language.tag()))
            .body(self.text(language))
    }

    fn text(self, language: Language) -> String {
        let texts = match language {
            Language::English => ENGLISH,
            Language::French => FRENCH,
        };
        // A test reads them, so they can be read; and a text that is missing is empty, no fault.
        let named: BTreeMap<String, String> = serde_json::from_str(texts).unwrap_or_default();
        let of = |key: &str| named.get(key).map(String::as_str).unwrap_or_default();
        [
            ("{language}", language.tag()),
            ("{page}", self.path()),
            ("{title}", of(self.title())),
            ("{no_script}", of("no_script")),
            ("{style}", STYLE),
            ("{texts}", texts),
            ("{script}", SCRIPT),
        ]
        .into_iter()
        .fold(FRAME.to_owned(), |page, (mark, value)| page.replacen(mark, value, if mark == "{title}" { 2 } else { 1 }))
    }
}

/// Its own style and script run, by their hashes, and talk to this server; nothing else does anything.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

fn hash(source: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest::digest(&digest::SHA256, source.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Links;
    use palmares_domain::messaging::letter::LetterKind;
    use std::collections::BTreeSet;

    fn texts(source: &str) -> BTreeMap<String, String> {
        serde_json::from_str(source).unwrap()
    }

    #[test]
    fn every_link_in_a_letter_leads_to_a_page() {
        let links = Links::on("https://palmares.test");
        for (kind, page) in [
            (LetterKind::MagicLink, Page::MagicLink),
            (LetterKind::PasswordReset, Page::PasswordReset),
            (LetterKind::EmailVerification, Page::EmailVerification),
            (LetterKind::Invitation, Page::Invitation),
            (LetterKind::Signup, Page::Signup),
            (LetterKind::NewSignIn, Page::NotMe),
        ] {
            assert_eq!(links.of(kind, "t"), Some(format!("https://palmares.test/{}#token=t", page.path())));
        }
    }

    #[test]
    fn both_languages_say_everything_and_nothing_that_ends_the_script() {
        let keys = |source| texts(source).into_keys().collect::<BTreeSet<_>>();
        assert_eq!(keys(ENGLISH), keys(FRENCH));
        for (key, text) in texts(ENGLISH).into_iter().chain(texts(FRENCH)) {
            assert!(!text.is_empty() && !text.contains(['<', '>', '&', '"']), "{key}: {text}");
        }
    }

    #[test]
    fn the_script_says_only_what_there_is_a_text_for() {
        let known = texts(ENGLISH);
        let shown = SCRIPT.split("show(\"").skip(1).filter_map(|rest| rest.split('"').next());
        let shown: BTreeSet<&str> = shown.chain(["second_factor", "email_code"]).collect();
        assert!(shown.len() > 8, "{shown:?}");
        for step in shown {
            for part in ["title", "lead"] {
                assert!(known.contains_key(&format!("{step}.{part}")), "{step}.{part}");
            }
        }
    }

    #[test]
    fn a_page_is_whole_and_asks_nobody_else() {
        for (page, language) in Page::ALL.into_iter().flat_map(|page| Language::ALL.map(|language| (page, language))) {
            let text = page.text(language);
            assert!(text.contains(&format!("<html lang=\"{}\">", language.tag())), "{text}");
            assert!(text.contains(&format!("<script>{SCRIPT}</script>")) && text.contains(&format!("<style>{STYLE}</style>")));
            assert!(!text.contains("://") && !text.contains("{title}") && !text.contains("{no_script}"), "{text}");
        }
        assert!(POLICY.contains("script-src 'sha256-") && !POLICY.contains("unsafe"));
    }
}
