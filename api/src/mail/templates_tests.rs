//! Every letter in every language, whole.

use super::*;
use chrono::{TimeDelta, TimeZone};
use palmares_domain::messaging::letter::Channel;
use std::{collections::BTreeSet, fs, path::Path};

const LINK: &str = "https://palmares.test/auth/magic-link#token=abc.def";

fn about(kind: LetterKind) -> Subject<'static> {
    let key = match kind {
        LetterKind::EmailCode | LetterKind::SignupCode | LetterKind::PhoneCode => "042917",
        LetterKind::AccountReminder
        | LetterKind::SignupApproved
        | LetterKind::SignupRefused
        | LetterKind::DeletionAsked
        | LetterKind::DeletionUndone
        | LetterKind::DeletionCancelled
        | LetterKind::DeletionRefused
        | LetterKind::AnomalyRaised
        | LetterKind::SiemStreamFailed
        | LetterKind::AuditExportReady
        | LetterKind::AuditExportFailed
        | LetterKind::RequestReceived
        | LetterKind::RequestExtended
        | LetterKind::RequestRefused
        | LetterKind::RequestOverdue
        | LetterKind::BreachOverdue
        | LetterKind::ReviewOverdue => "",
        LetterKind::RequestFulfilled => "1a2b-3c4d-5e6f-7a8b-9c0d-1e2f-3a4b-5c6d",
        _ => LINK,
    };
    let note = match kind {
        LetterKind::SignupRefused => Some("We <know> nobody of this name."),
        LetterKind::DeletionUndone | LetterKind::DeletionCancelled => Some("You <called>, and asked us to."),
        LetterKind::RequestExtended => Some("It stands in <many> systems."),
        _ => None,
    };
    let valid_until = Utc.with_ymd_and_hms(2026, 8, 1, 7, 5, 59).unwrap();
    Subject { organization: "Acme & Søns <3", key, note, valid_until, happened: None }
}

/// The kinds that go by this way.
fn by(channel: Channel) -> impl Iterator<Item = LetterKind> {
    LetterKind::ALL.into_iter().filter(move |kind| kind.channel() == channel)
}

fn happened() -> Happened {
    let at = Utc.with_ymd_and_hms(2026, 7, 25, 7, 5, 59).unwrap();
    Happened {
        at,
        address: Some("203.0.113.7".to_owned()),
        device: Some("Ann's <b>phone</b>".to_owned()),
        found: Some(AnomalyRule::MassReads),
        request: Some(RequestTold {
            kind: Some(SubjectRequestKind::Access),
            due_at: Some(Utc.with_ymd_and_hms(2026, 8, 25, 7, 5, 59).unwrap()),
            ground: Some(RequestRefusal::RightsOfOthers),
            ..RequestTold::of(SubjectRequestId(uuid::Uuid::nil()))
        }),
        refused: None,
    }
}

#[test]
fn each_letter_reads_as_reviewed() {
    let templates = Templates::new().unwrap();
    for kind in by(Channel::Mail) {
        // Of a deletion, a ground of its own.
        let refused = (kind == LetterKind::DeletionRefused).then_some(RefusalGround::LegalClaims);
        let request = happened().request.filter(|_| refused.is_none());
        let happened = Happened { request, refused, ..happened() };
        for language in Locale::ALL {
            let Letter { subject, text, html } =
                templates.write(kind, language, Subject { happened: Some(&happened), ..about(kind) }).unwrap();
            insta::assert_snapshot!(format!("{}_{}", language.tag(), kind.name()), format!("{subject}\n\n{text}\n{html}"));
        }
    }
}

// covers: E-87
#[test]
fn each_anomaly_is_told_in_words_of_its_own() {
    let templates = Templates::new().unwrap();
    for language in Locale::ALL {
        let text = |rule| {
            let happened = Happened { found: Some(rule), ..happened() };
            let about = Subject { happened: Some(&happened), ..about(LetterKind::AnomalyRaised) };
            templates.write(LetterKind::AnomalyRaised, language, about).unwrap().text
        };
        assert_eq!(AnomalyRule::ALL.map(text).into_iter().collect::<BTreeSet<_>>().len(), AnomalyRule::ALL.len());
    }
}

#[test]
fn each_text_message_reads_as_reviewed_and_is_short() {
    let templates = Templates::new().unwrap();
    for kind in by(Channel::Sms) {
        for language in Locale::ALL {
            let text = templates.write_text(kind, language, about(kind)).unwrap();
            assert!(text.contains(about(kind).key) && !text.contains('\n') && text.chars().count() <= 160, "{text}");
            insta::assert_snapshot!(format!("{}_{}", language.tag(), kind.name()), text);
        }
    }
}

#[test]
fn every_language_has_the_same_letters_with_the_same_variables() {
    let templates = Templates::new().unwrap();
    let of = |language: Locale| {
        let prefix = format!("{}/", language.tag());
        let own = SOURCES.iter().filter_map(move |(path, _)| Some((*path, path.strip_prefix(&prefix)?.to_owned())));
        let variables = |path: &str| templates.0.get_template(path).unwrap().undeclared_variables(true);
        own.map(|(path, name)| (name, variables(path).into_iter().collect::<BTreeSet<_>>())).collect::<BTreeSet<_>>()
    };
    let english = of(Locale::En);
    assert_eq!(english.len(), 4 + 2 * by(Channel::Mail).count() + by(Channel::Sms).count());
    assert_eq!(english, of(Locale::Fr));
}

#[test]
fn every_template_in_the_folder_is_used() {
    fn collect(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.path().is_dir() {
                true => collect(&entry.path(), &format!("{name}/"), found),
                false => _ = found.insert(name),
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mail/templates"), "", &mut found);
    assert_eq!(found, SOURCES.iter().map(|(path, _)| (*path).to_owned()).collect());
}

#[test]
fn both_parts_of_a_letter_hold_its_key_and_what_comes_from_outside_is_escaped() {
    let templates = Templates::new().unwrap();
    for kind in by(Channel::Mail) {
        let about = Subject { organization: "<script>alert(1)</script>", ..about(kind) };
        for language in Locale::ALL {
            let letter = templates.write(kind, language, about).unwrap();
            assert!(letter.text.contains(about.key), "{kind:?}");
            assert!(letter.html.contains(&about.key.replace('/', "&#x2f;")), "{kind:?}: {}", letter.html);
            assert!(!letter.html.contains("<script"), "{kind:?}");
            assert!(!letter.subject.contains('\n') && !letter.text.contains("&amp;"));
        }
    }
}

#[test]
fn no_letter_fetches_anything_when_it_is_opened() {
    for (path, source) in SOURCES {
        for fetched in ["src=", "<link", "url(", "@import", "<script", "<img"] {
            assert!(!source.contains(fetched), "{path} has {fetched}");
        }
    }
}

#[test]
fn a_moment_is_written_as_in_its_language() {
    let at = Utc.with_ymd_and_hms(2026, 2, 14, 18, 30, 0).unwrap();
    assert_eq!(moment(Locale::En, at), "14 February 2026, 18:30 UTC");
    assert_eq!(moment(Locale::Fr, at), "14 février 2026 à 18:30 UTC");
    assert_eq!(moment(Locale::Fr, Utc.with_ymd_and_hms(2026, 8, 1, 7, 5, 0).unwrap()), "1er août 2026 à 07:05 UTC");
}

/// Every right and every ground has words of its own in every language, with a note and without.
#[test]
fn each_right_and_each_ground_is_told_in_words() {
    let templates = Templates::new().unwrap();
    let ground = [
        RequestRefusal::Excessive,
        RequestRefusal::NotIdentified,
        RequestRefusal::LegalObligation,
        RequestRefusal::LegalClaims,
        RequestRefusal::RightsOfOthers,
        RequestRefusal::CompellingGrounds,
        RequestRefusal::NotApplicable,
    ];
    for language in Locale::ALL {
        let write = |letter, note, told| {
            let happened = Happened { request: Some(told), ..happened() };
            templates.write(letter, language, Subject { note, happened: Some(&happened), ..about(letter) }).unwrap().text
        };
        let told = RequestTold::of(SubjectRequestId(uuid::Uuid::nil()));
        for note in [None, Some("See our letter.")] {
            let refused = ground.map(|ground| write(LetterKind::RequestRefused, note, RequestTold { ground: Some(ground), ..told }));
            assert_eq!(refused.iter().collect::<BTreeSet<_>>().len(), ground.len(), "{refused:?}");
            assert!(refused.iter().all(|text| note.is_none_or(|note| text.contains(note)) && !text.contains('_')), "{refused:?}");
        }
        let rights = SubjectRequestKind::ALL.map(|kind| write(LetterKind::RequestReceived, None, RequestTold { kind: Some(kind), ..told }));
        assert_eq!(rights.into_iter().collect::<BTreeSet<_>>().len(), SubjectRequestKind::ALL.len());
    }
}

/// What came by post and lay is recorded late: nobody is promised an answer for a day that is over.
#[test]
fn what_is_overdue_when_it_is_recorded_is_told_so() {
    let templates = Templates::new().unwrap();
    let of = |language, late: bool| {
        let recorded = happened().at;
        let due_at = Some(if late { recorded } else { recorded + TimeDelta::seconds(1) });
        let told = RequestTold { due_at, ..RequestTold::of(SubjectRequestId(uuid::Uuid::nil())) };
        let happened = Happened { request: Some(told), ..happened() };
        let letter = LetterKind::RequestReceived;
        templates.write(letter, language, Subject { happened: Some(&happened), ..about(letter) }).unwrap()
    };
    for (language, promised, over) in
        [(Locale::En, "You get an answer by", "That time is over"), (Locale::Fr, "Vous aurez une réponse", "Ce délai est écoulé")]
    {
        for late in [false, true] {
            let Letter { text, html, .. } = of(language, late);
            for written in [text, html] {
                assert_eq!((written.contains(promised), written.contains(over)), (!late, late), "{written}");
            }
        }
    }
}

#[test]
fn each_ground_on_which_a_deletion_is_refused_is_told_in_words() {
    let templates = Templates::new().unwrap();
    let grounds = [
        RefusalGround::FreedomOfExpression,
        RefusalGround::LegalObligation,
        RefusalGround::PublicHealth,
        RefusalGround::PublicInterestArchive,
        RefusalGround::LegalClaims,
        RefusalGround::ManifestlyUnfounded,
    ];
    for language in Locale::ALL {
        let write = |ground| {
            let happened = Happened { request: None, refused: Some(ground), ..happened() };
            let about = Subject { happened: Some(&happened), ..about(LetterKind::DeletionRefused) };
            templates.write(LetterKind::DeletionRefused, language, about).unwrap().text
        };
        let told = grounds.map(write);
        assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), grounds.len(), "{told:?}");
        assert!(told.iter().all(|text| !text.contains('_')), "{told:?}");
    }
}
