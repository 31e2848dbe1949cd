//! What a witness adds: that it saw this checkpoint, then, and no other history (c2sp.org/tlog-cosignature).

use crate::note::{Algorithm, Note, NoteSignature, Sign, Verifier};

fn message(text: &str, seconds: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

/// When a witness cosigned the note, in seconds since 1970; `None` where it did not.
pub fn cosigned_at(note: &Note, witness: &Verifier) -> Option<u64> {
    if witness.algorithm != Algorithm::Cosignature {
        return None;
    }
    let id = witness.key_id();
    note.signatures.iter().filter(|signature| signature.name == witness.name && signature.key_id == id).find_map(|signature| {
        let (seconds, signature) = signature.bytes.split_first_chunk::<8>()?;
        let seconds = u64::from_be_bytes(*seconds);
        (seconds > 0 && witness.verifies(&message(&note.text, seconds), signature.try_into().ok()?)).then_some(seconds)
    })
}

/// The line of a cosignature under the text of a checkpoint.
pub fn cosign(text: &str, name: &str, seconds: u64, signer: &dyn Sign) -> String {
    let witness = Verifier { name: name.to_owned(), algorithm: Algorithm::Cosignature, public: signer.public() };
    let signature = signer.sign(&message(text, seconds));
    let bytes = [seconds.to_be_bytes().as_slice(), &signature].concat();
    NoteSignature { name: name.to_owned(), key_id: witness.key_id(), bytes }.line()
}
