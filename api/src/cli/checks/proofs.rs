//! The seal of the log: whether what is in the database extends what was signed.

use super::Finding;
use crate::cli::{settings::ServerSettings, verify_log};
use palmares_projections::engine::sealing::{self, Outside};

const SUBJECT: &str = "seal of the log";

pub async fn check(settings: &ServerSettings) -> Finding {
    let Some(sealing) = &settings.sealing else {
        return Finding::doubtful(SUBJECT, "PALMARES_LOG_KEY_FILE is not set: nothing is signed, and nothing can be proved");
    };
    if let Err(error) = crate::wiring::log_keys::LogKeyFile::new(&sealing.key_file).read() {
        return Finding::bad(SUBJECT, format!("PALMARES_LOG_KEY_FILE {} cannot be used: {error:#}", sealing.key_file.display()));
    }
    let log = match verify_log::open(&settings.database_url).await {
        Ok(log) => log,
        Err(error) => return Finding::bad(SUBJECT, format!("{error:#}")),
    };
    match sealing::inspect(&log, &Outside::new(&sealing.checkpoint_file)).await {
        Ok(position) => Finding::good(SUBJECT, format!("the log extends what was signed, up to position {position}")),
        Err(error) => Finding::bad(SUBJECT, format!("nothing is signed any more: {error}")),
    }
}
