//! A supervised child: started, watched, started again when it dies, stopped with its owner.

use super::unix::{self, Signal};
use std::{
    io,
    process::{Child, Command, ExitStatus},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A child that ran this long was no failed start: the next one waits the first backoff only.
const STEADY: Duration = Duration::from_secs(3);

/// A child process with a thread of its own, which starts it, waits for it and starts it again.
///
/// One thread for the child's whole life is a need: the kernel's death signal is bound to the
/// thread that started the child, and threads of an async runtime come and go.
pub struct Supervised {
    name: &'static str,
    stop_signal: Signal,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pid: Option<u32>,
    starts: u32,
    last_exit: Option<ExitStatus>,
    stopping: bool,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is a handful of plain values, so a panic elsewhere leaves it usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Supervised {
    /// Starts the child. `command` is asked again for each later start.
    pub fn start(name: &'static str, stop_signal: Signal, command: impl Fn() -> io::Result<Command> + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (started, first) = mpsc::sync_channel(1);
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name(format!("supervise-{name}")).spawn(move || {
            let mut backoff = BACKOFF_FIRST;
            let mut report = Some(started);
            loop {
                let began = Instant::now();
                match begin(&theirs, &command) {
                    Ok(Some(child)) => {
                        if let Some(report) = report.take() {
                            let _ = report.send(Ok(()));
                        }
                        watch(&theirs, child);
                    }
                    Ok(None) => break,
                    Err(error) => match report.take() {
                        Some(report) => {
                            let _ = report.send(Err(error));
                            break;
                        }
                        None => tracing::error!(child = name, %error, "a child could not be started again"),
                    },
                }
                if began.elapsed() > STEADY {
                    backoff = BACKOFF_FIRST;
                }
                if !pause(&theirs, name, backoff) {
                    break;
                }
                backoff = (backoff * 2).min(BACKOFF_MAX);
            }
            theirs.lock().ended = true;
            theirs.changed.notify_all();
        })?;
        let supervised = Self { name, stop_signal, shared, thread: Some(thread) };
        first.recv().unwrap_or_else(|_| Err(io::Error::other("the supervising thread ended")))?;
        Ok(supervised)
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The process id, while the child runs.
    pub fn pid(&self) -> Option<u32> {
        self.shared.lock().pid
    }

    /// How often the child was started: 1 after the first time.
    pub fn starts(&self) -> u32 {
        self.shared.lock().starts
    }

    /// How the child ended the last time.
    pub fn last_exit(&self) -> Option<ExitStatus> {
        self.shared.lock().last_exit
    }

    /// Kills the child as a crash would (SIGKILL); it is started again. Returns the pid it hit.
    pub fn kill(&self) -> Option<u32> {
        let state = self.shared.lock();
        state.pid.filter(|pid| unix::send(*pid, Signal::Kill))
    }

    /// Asks the child to end, without waiting.
    pub fn request_stop(&self) {
        let mut state = self.shared.lock();
        state.stopping = true;
        if let Some(pid) = state.pid {
            unix::send(pid, self.stop_signal);
        }
        self.shared.changed.notify_all();
    }

    /// Stops the child and waits for its end; after `patience` it is killed.
    pub fn stop(&mut self, patience: Duration) {
        let Some(thread) = self.thread.take() else { return };
        self.request_stop();
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), patience, |state| !state.ended);
        let (state, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        if outcome.timed_out()
            && let Some(pid) = state.pid
        {
            tracing::warn!(child = self.name, pid, "did not stop in time and is killed");
            unix::send(pid, Signal::Kill);
        }
        drop(state);
        let _ = thread.join();
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(60));
    }
}

/// Starts the child, unless the owner is stopping.
fn begin(shared: &Shared, command: &impl Fn() -> io::Result<Command>) -> io::Result<Option<Child>> {
    // Under the lock: a stop request comes before the start and prevents it, or after it and finds the pid.
    let mut state = shared.lock();
    if state.stopping {
        return Ok(None);
    }
    let child = command()?.spawn()?;
    state.pid = Some(child.id());
    state.starts += 1;
    drop(state);
    shared.changed.notify_all();
    Ok(Some(child))
}

/// Waits for the end of the child. It is reaped under the lock, so no signal can hit a reused pid.
fn watch(shared: &Shared, mut child: Child) {
    let waited = unix::wait_without_reaping(child.id());
    let mut state = shared.lock();
    if let Err(error) = waited {
        tracing::error!(%error, "waiting for a child failed");
    }
    state.last_exit = child.wait().ok();
    state.pid = None;
    drop(state);
    shared.changed.notify_all();
}

/// Waits before the next start; false when the owner is stopping.
fn pause(shared: &Shared, name: &str, backoff: Duration) -> bool {
    let state = shared.lock();
    if !state.stopping {
        tracing::warn!(child = name, exit = ?state.last_exit, retry_ms = backoff.as_millis() as u64, "a child ended and is started again");
    }
    let (state, _) = shared.changed.wait_timeout_while(state, backoff, |state| !state.stopping).unwrap_or_else(PoisonError::into_inner);
    !state.stopping
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> io::Result<Command> {
        let mut command = Command::new("sleep");
        command.arg("600");
        unix::contain(&mut command, None, Signal::Terminate);
        Ok(command)
    }

    #[test]
    fn a_killed_child_is_started_again_and_a_stopped_one_is_not() {
        let mut child = Supervised::start("sleep", Signal::Terminate, sleeper).expect("sleep starts");
        let first = child.kill().expect("it runs");
        let state = child.shared.lock();
        let (state, outcome) = child
            .shared
            .changed
            .wait_timeout_while(state, Duration::from_secs(20), |state| state.starts < 2 || state.pid.is_none())
            .expect("lock");
        assert!(!outcome.timed_out());
        assert_ne!(state.pid, Some(first));
        drop(state);
        child.stop(Duration::from_secs(10));
        assert_eq!((child.pid(), child.starts()), (None, 2));
    }

    #[test]
    fn a_program_that_does_not_exist_is_an_error_at_once() {
        assert!(Supervised::start("none", Signal::Terminate, || Ok(Command::new("/does/not/exist"))).is_err());
    }
}
