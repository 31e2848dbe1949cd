//! How commands speak: sentences and a progress bar to a person, JSON lines to a program.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{
    io::{IsTerminal, Write},
    sync::atomic::{AtomicU64, Ordering},
};

/// Where a command reports. Standard output carries results only; logs go to standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reporter {
    Terminal,
    JsonLines,
    Silent,
}

impl Reporter {
    pub fn detect() -> Self {
        if std::io::stdout().is_terminal() { Self::Terminal } else { Self::JsonLines }
    }

    /// For work whose progress is no result of the command: programs hear nothing of it.
    pub fn for_people_only(self) -> Self {
        if self == Self::Terminal { self } else { Self::Silent }
    }

    /// One result: a sentence, or the object that says the same.
    pub fn say(&self, sentence: &str, object: impl FnOnce() -> Value) {
        match self {
            Self::Terminal => print_line(sentence),
            Self::JsonLines => print_line(&object().to_string()),
            Self::Silent => {}
        }
    }

    /// Work of `total` steps.
    pub fn progress(&self, task: &'static str, total: u64) -> Progress {
        match self {
            Self::Terminal => {
                let bar = ProgressBar::new(total);
                if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}") {
                    bar.set_style(style);
                }
                bar.set_message(task);
                Progress { task, total, shown: Shown::Bar(bar), done: AtomicU64::new(0) }
            }
            Self::JsonLines => Progress { task, total, shown: Shown::Lines, done: AtomicU64::new(0) },
            Self::Silent => Progress { task, total, shown: Shown::Nothing, done: AtomicU64::new(0) },
        }
    }
}

enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

/// Work that is under way.
pub struct Progress {
    task: &'static str,
    total: u64,
    shown: Shown,
    done: AtomicU64,
}

impl Progress {
    /// Counts `steps` more. As JSON it speaks at every twentieth of the whole, so that a log stays readable.
    pub fn advance(&self, steps: u64) {
        let before = self.done.fetch_add(steps, Ordering::Relaxed);
        let after = before + steps;
        match &self.shown {
            Shown::Bar(bar) => bar.inc(steps),
            Shown::Lines if twentieth(before, self.total) < twentieth(after, self.total) || after >= self.total => {
                print_line(&json!({ "event": "progress", "task": self.task, "done": after, "total": self.total }).to_string());
            }
            Shown::Lines | Shown::Nothing => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

fn twentieth(done: u64, total: u64) -> u64 {
    (done * 20).checked_div(total).unwrap_or(0)
}

/// Prints a line. A reader that went away (`| head`) is no error of ours.
pub fn print_line(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
