//! The texts of problems, in English and French.
//!
//! A line is `key = text`. Keys are `title.<CODE>`, a reason, or `field.<reason>`.

use super::name;
use palmares_domain::{kernel::Code, organizations::Locale};
use std::{collections::BTreeMap, sync::LazyLock};

type Texts = BTreeMap<&'static str, &'static str>;

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| parse(include_str!("en.txt")));
static FRENCH: LazyLock<Texts> = LazyLock::new(|| parse(include_str!("fr.txt")));

/// A language that the interface speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// The default of organizations that chose none.
    #[default]
    English,
    French,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::English, Language::French];

    /// The tag of RFC 5646.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::French => "fr",
        }
    }

    /// The language of a locale.
    pub fn of(locale: Locale) -> Self {
        match locale {
            Locale::En => Self::English,
            Locale::Fr => Self::French,
        }
    }

    /// The language that an `Accept-Language` header prefers among ours (RFC 9110, 12.5.4).
    pub fn preferred(header: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for range in header.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let primary = parts.next().and_then(|tag| tag.split('-').next()).unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |value| value.parse().unwrap_or(0.0));
            let language = match primary {
                "*" => Self::default(),
                primary => match Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag())) {
                    Some(language) => language,
                    None => continue,
                },
            };
            if quality > 0.0 && best.is_none_or(|(most, _)| quality > most) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// The detail of a reason.
    pub fn text(self, reason: &str) -> Option<&'static str> {
        self.texts().get(reason).copied()
    }

    /// What is wrong with a field.
    pub fn field_text(self, reason: &str) -> Option<&'static str> {
        self.text(&format!("field.{reason}")).or_else(|| self.text(reason))
    }

    /// The title of a code.
    pub fn title(self, code: Code) -> &'static str {
        self.text(&format!("title.{}", name(code))).unwrap_or(name(code))
    }

    pub(super) fn texts(self) -> &'static Texts {
        match self {
            Language::English => &ENGLISH,
            Language::French => &FRENCH,
        }
    }
}

fn parse(file: &'static str) -> Texts {
    file.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, text)| (key.trim(), text.trim()))
        .collect()
}
