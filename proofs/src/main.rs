//! `palmares-verify FILE --key KEY`: checks an evidence package, or the proof of one event, without any server.

use palmares_proofs::files::{Asked, verify};
use std::{env, process::ExitCode};

const USAGE: &str = "usage: palmares-verify FILE --key KEY [--key KEY] [--introductions FILE] [--pinned CHECKPOINT] [--payload FILE]
                       [--witness KEY] [--whole] [--json]
  FILE        an evidence package, or the .tlog-proof of one event
  --key       a key of the log that you trust, as name+id+key, or a file of such lines
  --introductions
              by what that key introduced later ones: the answer of GET /audit-logs/keys, or the notes in it
  --pinned    a checkpoint that you kept: the log has to extend it
  --payload   what is said to be the payload of the one event
  --witness   the key of a witness whose cosignature is reported
  --whole     refuse a package that shows hashes of an event alone
  --json      answer in JSON
Exit codes: 0 proved, 1 not proved, 2 not understood.";

fn main() -> ExitCode {
    let Some((asked, json)) = arguments(env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match verify(&asked) {
        Ok(verified) if json => println!("{}", serde_json::to_string(&verified).unwrap_or_default()),
        Ok(verified) => asked.sentences(&verified).iter().for_each(|sentence| println!("{sentence}")),
        Err(why) => {
            eprintln!("palmares-verify: {why}");
            return ExitCode::from(why.exit_code());
        }
    }
    ExitCode::SUCCESS
}

fn arguments(mut given: impl Iterator<Item = String>) -> Option<(Asked, bool)> {
    let (mut asked, mut json, mut file) = (Asked::default(), false, None);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--key" => asked.keys.push(given.next()?),
            "--witness" => asked.witnesses.push(given.next()?),
            "--introductions" => asked.introductions.push(given.next()?.into()),
            "--pinned" => asked.pinned = Some(given.next()?.into()),
            "--payload" => asked.payload = Some(given.next()?.into()),
            "--whole" => asked.whole = true,
            "--json" => json = true,
            flag if flag.starts_with('-') => return None,
            _ if file.is_some() => return None,
            _ => file = Some(argument.into()),
        }
    }
    asked.file = file?;
    Some((asked, json))
}
