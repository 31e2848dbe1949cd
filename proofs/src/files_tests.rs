//! With what a program ends: what is not proved is told from what could not be read.

use super::*;
use std::{env, process};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("palmares-proofs-{name}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn refused(file: PathBuf, key: &str) -> (u8, String) {
    let why = verify(&Asked { file, keys: vec![key.to_owned()], ..Asked::default() }).unwrap_err();
    (why.exit_code(), why.to_string())
}

// covers: E-184
#[test]
fn what_cannot_be_read_is_not_understood_and_what_is_not_so_is_not_proved() {
    let folder = Folder::new("codes");
    let (package, key) = evidence::tests::package_and_key();
    let path = |name: &str, content: &[u8]| folder.file(name, content);
    let asked = Asked { file: path("whole", &package), keys: vec![key.clone()], ..Asked::default() };
    verify(&asked).expect("it is proved");

    // Not so, or by nobody whom one trusts.
    let lines: Vec<&[u8]> = package.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(refused(path("short", &lines[..lines.len() - 1].concat()), &key).0, 1);
    let other = LogKey { public: [7; 32], ..LogKey::parse(&key).unwrap() }.to_string();
    assert_eq!(refused(path("whole", &package), &other).0, 1);

    // Nothing to be read, of another form, or asked with what is no key.
    assert_eq!(refused(folder.0.join("nowhere"), &key).0, 2);
    for (name, content) in
        [("empty", b"".as_slice()), ("prose", b"Dear Sir,\n"), ("other", b"{}\n"), ("proof", b"c2sp.org/tlog-proof@v1\nx\n")]
    {
        assert_eq!(refused(path(name, content), &key).0, 2, "{name}");
    }
    assert_eq!(refused(path("whole", &package), "no key").0, 2);
}

#[test]
fn what_a_program_converted_on_its_way_is_told_so() {
    let folder = Folder::new("lines");
    let (package, key) = evidence::tests::package_and_key();
    let converted = |text: &str| text.replace('\n', "\r\n").into_bytes();
    let package = converted(std::str::from_utf8(&package).unwrap());
    for (name, content) in [("package", package), ("proof", converted("c2sp.org/tlog-proof@v1\nindex 1\n"))] {
        let (code, why) = refused(folder.file(name, &content), &key);
        assert_eq!(code, 2);
        assert!(why.contains("CR LF"), "{name}: {why}");
    }
}

// covers: E-184
#[test]
fn how_much_a_package_shows_is_said_and_what_is_hidden_is_refused_where_all_is_to_be_shown() {
    let folder = Folder::new("shown");
    let (package, key) = evidence::tests::package_and_key();
    let asked = Asked { file: folder.file("package", &package), keys: vec![key.clone()], ..Asked::default() };
    let verified = verify(&asked).expect("it is proved");
    let told = asked.sentences(&verified);
    for sentence in ["of 3 of 5 events the text is shown, and of 2 hashes alone", "2 later leaves of the tree are not in the package"] {
        assert!(told.iter().any(|told| told == sentence), "{told:?}");
    }
    let told = serde_json::to_value(&verified).unwrap()["package"].clone();
    assert_eq!((&told["shown"], &told["hidden"], &told["later"]), (&3.into(), &2.into(), &2.into()));

    let whole = |asked: &Asked| Asked { whole: true, ..asked.clone() };
    let why = verify(&whole(&asked)).unwrap_err();
    assert_eq!((why.exit_code(), why.to_string()), (1, "of 2 of 5 events the package shows hashes alone".to_owned()));
    let shown = Asked { file: folder.file("shown", &evidence::tests::package_that_shows_all()), ..asked };
    let verified = verify(&whole(&shown)).expect("nothing is hidden");
    let told = shown.sentences(&verified);
    assert!(told.iter().any(|told| told == "of all 2 events the text is shown"), "{told:?}");
    let proof = Asked { file: folder.file("proof", b"c2sp.org/tlog-proof@v1\nx\n"), ..shown };
    assert_eq!(verify(&whole(&proof)).unwrap_err().exit_code(), 2, "there is no text in a proof");
}

// covers: E-184
#[test]
fn the_first_key_proves_one_event_that_a_later_key_signed_where_introductions_lead_to_it() {
    let folder = Folder::new("rotated");
    let (proof, [second, third], key) = evidence::tests::proof_introductions_and_key();
    let file = folder.file("proof", proof.as_bytes());
    let asked = |introductions: &[&str]| {
        let introductions = introductions.iter().enumerate().map(|(at, text)| folder.file(&format!("{at}.txt"), text.as_bytes())).collect();
        verify(&Asked { file: file.clone(), keys: vec![key.clone()], introductions, ..Asked::default() })
    };
    let code = |introductions: &[&str]| asked(introductions).map_err(|why| why.exit_code()).map(drop);
    assert_eq!(refused(file.clone(), &key).1, "no trusted key signed the checkpoint");

    let answer = serde_json::json!({
        "items": [
            { "key": key, "introduction": null, "introduced_at": "2026-01-02T03:04:05Z" },
            { "key": "the second", "introduction": second },
            { "key": "the third", "introduction": third },
        ],
        "next_cursor": null,
    });
    for introductions in [
        vec![answer.to_string()],
        vec![format!("{second}{third}")],
        vec![format!("{second}\n{third}\n\n")],
        vec![second.clone(), third.clone()],
        vec![format!("{second}{third}").replace('\n', "\r\n")],
    ] {
        let introductions: Vec<_> = introductions.iter().map(String::as_str).collect();
        assert!(matches!(asked(&introductions), Ok(Verified::Event(event)) if event.index == 4), "{introductions:?}");
    }

    // What leads there from no trusted key is nothing to rely on.
    for introductions in [&[third.as_str()][..], &[second.as_str()], &[third.as_str(), &second], &[r#"{"items":[]}"#]] {
        assert_eq!(code(introductions), Err(1), "{introductions:?}");
    }
    let forged = second.replacen("+", "+0", 1);
    for text in ["", "Dear Sir,\n", r#"{"items":[{"introduction":"x"}]}"#, &forged] {
        assert_eq!(code(&[text]), Err(2), "{text}");
    }
}

#[test]
fn a_proof_whose_checkpoint_is_none_is_not_understood() {
    let folder = Folder::new("checkpoints");
    let (proof, _, key) = evidence::tests::proof_introductions_and_key();
    let (code, why) = refused(folder.file("whole", proof.as_bytes()), &key);
    assert_eq!((code, why.as_str()), (1, "no trusted key signed the checkpoint"), "it has the form of one");
    for (name, broken) in [
        ("a letter more", format!("{proof}x")),
        ("twice", format!("{proof}{proof}")),
        ("an empty line more", format!("{proof}\n")),
        ("no size", proof.replacen("\n9\n", "\nnine\n", 1)),
    ] {
        assert_eq!(refused(folder.file(name, broken.as_bytes()), &key), (2, "the checkpoint of the proof is none".to_owned()), "{name}");
    }
    // It has the form of a proof, of another place.
    let moved = proof.replacen("index 4", "index 3", 1);
    assert_eq!(refused(folder.file("moved", moved.as_bytes()), &key), (1, "the event is NOT in the tree of the checkpoint".to_owned()));
}
