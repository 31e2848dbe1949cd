//! Waiting on conditions: a child that answers, an orphan that is gone. Always bounded.

use super::{
    EmbeddedError,
    child::Supervised,
    folder,
    unix::{self, Signal},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(40);
/// How long an orphan may take to stop before it is killed.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(60);

/// What one look at a child found.
pub enum Attempt {
    Ready,
    NotYet(String),
    Hopeless(String),
}

/// Looks until the child is ready in its `start`th life, has died in the first, or `patience` is over.
pub async fn wait(
    child: &Supervised,
    start: u32,
    program: &'static str,
    patience: Duration,
    log: PathBuf,
    mut attempt: impl AsyncFnMut() -> Attempt,
) -> Result<(), EmbeddedError> {
    let began = Instant::now();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        let detail = if child.starts() < start {
            "it has not been started again yet".to_owned()
        } else {
            match tokio::time::timeout(patience, attempt()).await {
                Ok(Attempt::Ready) => return Ok(()),
                Ok(Attempt::Hopeless(detail)) => return Err(EmbeddedError::NotStarted { program, detail, log }),
                Ok(Attempt::NotYet(detail)) => detail,
                Err(_) => "no answer".to_owned(),
            }
        };
        // At the first start a death is a failure to tell; later ones are the supervisor's daily work.
        if start == 1 && (child.starts() > 1 || child.pid().is_none()) {
            return Err(EmbeddedError::NotStarted { program, detail: folder::log_tail(&log), log });
        }
        if began.elapsed() > patience {
            return Err(EmbeddedError::NotReady { program, seconds: patience.as_secs(), detail, log });
        }
    }
}

/// Ends the process that `pidfile` names, if it is `program` with `marker` among its arguments;
/// false where it is not, or is none at all.
pub async fn end_orphan(pidfile: &Path, program: &str, marker: &str, signal: Signal) -> Result<bool, EmbeddedError> {
    let Some(pid) = fs::read_to_string(pidfile).ok().and_then(|text| text.lines().next()?.trim().parse::<u32>().ok()) else {
        return Ok(false);
    };
    if !is_ours(pid, program, marker) {
        return Ok(false);
    }
    tracing::warn!(pid, program, "a server of this data folder was left over and is stopped first");
    unix::send(pid, signal);
    let began = Instant::now();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut killed = false;
    while is_ours(pid, program, marker) {
        looks.tick().await;
        if began.elapsed() > ORPHAN_PATIENCE && !killed {
            killed = unix::send(pid, Signal::Kill);
        }
        if began.elapsed() > ORPHAN_PATIENCE * 2 {
            return Err(EmbeddedError::NotReady {
                program: "the end of a left-over server",
                seconds: ORPHAN_PATIENCE.as_secs() * 2,
                detail: format!("process {pid} does not end"),
                log: pidfile.to_owned(),
            });
        }
    }
    Ok(true)
}

/// Whether the process runs `program` on our folder. A pid alone proves nothing: pids are reused.
fn is_ours(pid: u32, program: &str, marker: &str) -> bool {
    let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else { return false };
    let mut arguments = line.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let runs = arguments.next().is_some_and(|first| Path::new(first.as_ref()).file_name().is_some_and(|name| name == program));
    runs && arguments.any(|argument| argument == marker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_that_is_not_ours_is_left_alone() {
        let pidfile = std::env::temp_dir().join(format!("palmares-orphan-{}", std::process::id()));
        fs::write(&pidfile, std::process::id().to_string()).expect("pidfile");
        assert!(!end_orphan(&pidfile, "postgres", "/nowhere", Signal::Kill).await.expect("no error"));
        fs::remove_file(&pidfile).expect("remove");
        assert!(!end_orphan(&pidfile, "postgres", "/nowhere", Signal::Kill).await.expect("no error"));
    }
}
