use super::*;
use crate::{Checkpoint, LogKey, NodeHash, TrustedKeys, keys};
use ed25519_dalek::SigningKey;
use signed_note::{Note as TheirNote, StandardVerifier, VerifierList};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn checkpoint(origin: &str) -> Checkpoint {
    Checkpoint { origin: origin.to_owned(), size: 42, root: NodeHash::of_leaf(b"x") }
}

fn verifier(name: &str, seed: u8) -> Verifier {
    Verifier { name: name.to_owned(), algorithm: Algorithm::Ed25519, public: key(seed).public() }
}

/// The example of the specification of Go's notes.
#[test]
fn a_note_of_the_specification_is_verified() {
    let peter = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let verifier = Verifier::parse(peter).unwrap();
    assert_eq!(verifier.to_string(), peter);
    assert!(Note::parse(note).unwrap().is_signed_by(&verifier));
    assert!(!Note::parse(&note.replace("problem is", "problem was")).unwrap().is_signed_by(&verifier));
}

#[test]
fn another_implementation_accepts_what_we_sign() {
    let origin = "palmares-log/1/root";
    let signed = sign(&checkpoint(origin).text(), origin, &[&key(1), &key(2)]);
    for seed in [1, 2] {
        let theirs = StandardVerifier::new(&verifier(origin, seed).to_string()).unwrap();
        let note = TheirNote::from_bytes(signed.as_bytes()).unwrap();
        assert_eq!(note.verify(&VerifierList::new(vec![Box::new(theirs)])).unwrap().0.len(), 1);
    }
    let read = tlog_tiles::Checkpoint::from_bytes(checkpoint(origin).text().as_bytes()).unwrap();
    assert_eq!((read.origin(), read.size()), (origin, 42));
}

#[test]
fn a_note_is_signed_by_whom_it_names() {
    let signed = sign("origin\ntext\n", "origin", &[&key(1)]);
    let note = Note::parse(&signed).unwrap();
    assert!(note.is_signed_by(&verifier("origin", 1)));
    assert!(!note.is_signed_by(&verifier("origin", 2)));
    assert!(!note.is_signed_by(&verifier("another", 1)));
    // One good signature does not make up for a broken one of the same key.
    let mut broken = note.clone();
    let mut again = note.signatures[0].clone();
    again.bytes[0] ^= 1;
    broken.signatures.push(again);
    assert!(!broken.is_signed_by(&verifier("origin", 1)));
    for malformed in
        ["", "text\n", "text\n\n", "text\n\n- name AAAAAAA=\n", "text\n\n\u{2014} name AAAA\n", "te\rxt\n\n\u{2014} name AAAAAAA=\n"]
    {
        assert!(Note::parse(malformed).is_none(), "{malformed:?}");
    }
}

#[test]
fn checkpoints_have_one_spelling() {
    let text = checkpoint("a").text();
    assert_eq!(Checkpoint::parse(&text), Some(checkpoint("a")));
    for other in [
        text.replace("42", "042"),
        text.replace("42", "+42"),
        format!("{text}more\n"),
        text.trim_end().to_owned(),
        text.replacen('a', "", 1),
    ] {
        assert_eq!(Checkpoint::parse(&other), None, "{other:?}");
    }
}

#[test]
fn a_key_is_trusted_once_a_trusted_one_introduced_it() {
    let log = "palmares-log/1";
    let first = LogKey { log: log.to_owned(), public: key(1).public() };
    let origin = keys::root_origin(log);
    let by = |seed: u8| Note::parse(&sign(&checkpoint(&origin).text(), &origin, &[&key(seed)])).unwrap();
    let mut trusted = TrustedKeys::new([first]);
    assert!(trusted.signed(&by(1), &origin) && !trusted.signed(&by(2), &origin));

    assert!(!trusted.introduce(&keys::introduce(log, &key(3), &key(2))), "by a key that nobody trusts");
    let another_log = keys::introduce("palmares-log/2", &key(1), &key(2));
    assert!(!trusted.introduce(&another_log), "of another log");
    assert!(!trusted.signed(&by(2), &origin));

    let introduction = keys::introduce(log, &key(1), &key(2));
    let unsigned_by_itself = introduction.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    assert!(!trusted.introduce(&unsigned_by_itself), "a key that its owner does not have");
    assert!(trusted.introduce(&introduction) && trusted.signed(&by(2), &origin));
    assert!(trusted.introduce(&keys::introduce(log, &key(2), &key(3))) && trusted.signed(&by(3), &origin));
    // A tree of another log is not its own, though the name begins alike.
    assert!(!trusted.signed(&by(1), "palmares-log/11/root"));
}

#[test]
fn a_witness_signs_a_checkpoint_and_the_time() {
    let origin = "palmares-log/1/root";
    let witness = Verifier { name: "witness.example".to_owned(), algorithm: Algorithm::Cosignature, public: key(7).public() };
    let signed = sign(&checkpoint(origin).text(), origin, &[&key(1)]);
    let answer = crate::cosignature::cosign(&checkpoint(origin).text(), &witness.name, 1_700_000_000, &key(7));
    let (line, seconds) = crate::witness::cosignature(&signed, &answer, &witness).unwrap();
    assert_eq!((line, seconds), (answer.clone(), 1_700_000_000));
    assert_eq!(Verifier::parse(&witness.to_string()), Some(witness.clone()));
    let other = signed.replace("42", "43");
    assert!(crate::witness::cosignature(&other, &answer, &witness).is_none());
    let body = crate::witness::add_checkpoint(7, &[NodeHash::of_leaf(b"y")], &signed);
    assert_eq!(crate::witness::parse_add_checkpoint(&body), Some((7, vec![NodeHash::of_leaf(b"y")], signed.as_str())));
}
