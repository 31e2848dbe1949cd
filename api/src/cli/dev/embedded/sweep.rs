//! Removes temporary folders of test runs that could not do so themselves, because they were killed.

use super::folder::LOCK_FILE;
use std::{
    fs::{self, File},
    path::Path,
};

/// Removes every temporary folder of ours whose owner and whose PostgreSQL are gone. What it may not
/// remove it leaves: this is tidiness, not a need.
pub fn leftovers(temporary: &Path) {
    let Ok(entries) = fs::read_dir(temporary) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix("palmares-")?.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !is_alive(pid)) && is_ours(&entry.path()) && !is_served(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn is_ours(folder: &Path) -> bool {
    File::open(folder.join(LOCK_FILE)).is_ok_and(|lock| lock.try_lock().is_ok())
}

/// PostgreSQL removes its pid file when it has stopped.
fn is_served(folder: &Path) -> bool {
    let pid = fs::read_to_string(folder.join("postgres/postmaster.pid")).ok().and_then(|text| text.lines().next()?.trim().parse().ok());
    pid.is_some_and(is_alive)
}
