//! What std does not offer: signals, the death signal of a child, and giving up root for one.

#![expect(unsafe_code, reason = "kill(2), waitid(2), geteuid(2) and prctl(2) have no safe wrapper in std; each block says why it is sound")]

use std::{
    io,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::Command,
};

/// The signals that end a child, from polite to final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// PostgreSQL's fast shutdown: sessions are cut, a checkpoint is written.
    Interrupt,
    Terminate,
    Kill,
}

impl Signal {
    fn number(self) -> libc::c_int {
        match self {
            Signal::Interrupt => libc::SIGINT,
            Signal::Terminate => libc::SIGTERM,
            Signal::Kill => libc::SIGKILL,
        }
    }
}

/// Whom a child runs as when palmares itself is root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
}

impl Account {
    /// An unprivileged account of this machine: `postgres` where the distribution made it, else `nobody`.
    pub fn unprivileged() -> Option<Self> {
        let table = std::fs::read_to_string("/etc/passwd").ok()?;
        ["postgres", "nobody"].into_iter().find_map(|wanted| Self::named(&table, wanted))
    }

    fn named(table: &str, wanted: &str) -> Option<Self> {
        let mut fields =
            table.lines().map(|line| line.split(':')).find_map(|mut fields| (fields.next() == Some(wanted)).then_some(fields))?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (uid != 0).then_some(Self { uid, gid })
    }

    /// The first folder on the way to `path` that this account may not pass.
    pub fn barrier<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        path.ancestors().skip(1).find(|folder| {
            let Ok(meta) = folder.metadata() else { return false };
            let bit = match (meta.uid() == self.uid, meta.gid() == self.gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            meta.mode() & bit == 0
        })
    }
}

pub fn is_root() -> bool {
    effective_uid() == 0
}

pub fn effective_uid() -> u32 {
    // SAFETY: takes no argument, touches no memory, cannot fail.
    unsafe { libc::geteuid() }
}

/// Sends a signal; false where no such process is left.
pub fn send(pid: u32, signal: Signal) -> bool {
    let Ok(pid) = libc::pid_t::try_from(pid) else { return false };
    // SAFETY: plain integers; a pid of 0 or below, which would address a group, is excluded.
    pid > 0 && unsafe { libc::kill(pid, signal.number()) } == 0
}

/// Waits until the child has ended and leaves it as a zombie, so that its pid cannot be given to
/// another process before its owner has noted the end.
pub fn wait_without_reaping(pid: u32) -> io::Result<()> {
    loop {
        // SAFETY: `siginfo_t` is plain data for which all zeroes is valid, and the kernel writes into it.
        let outcome = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PID, pid as libc::id_t, &mut info, libc::WEXITED | libc::WNOWAIT)
        };
        if outcome == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Prepares a child that runs as `account`, in a process group of its own (so that Ctrl-C reaches
/// palmares alone, which then stops its children in order), and that the kernel ends with
/// `on_parent_death` when palmares is killed.
///
/// The kernel watches the *thread* that starts the child: it must live as long as the child should.
pub fn contain(command: &mut Command, account: Option<Account>, on_parent_death: Signal) {
    command.process_group(0);
    if let Some(account) = account {
        // std also drops the supplementary groups of root here.
        command.uid(account.uid).gid(account.gid);
    }
    #[cfg(target_os = "linux")]
    {
        let parent = std::process::id();
        let signal = on_parent_death.number();
        // SAFETY: between fork and exec only async-signal-safe calls are made and nothing is allocated.
        // It runs after the change of user, which would reset the death signal.
        unsafe {
            command.pre_exec(move || {
                if libc::prctl(libc::PR_SET_PDEATHSIG, signal) != 0 {
                    return Err(io::Error::last_os_error());
                }
                // The parent may have died before the call above.
                if libc::getppid() as u32 != parent { Err(io::Error::from_raw_os_error(libc::ESRCH)) } else { Ok(()) }
            });
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = on_parent_death;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_name_and_root_is_none() {
        let table = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:7::/:\npostgres:x:101:104:admin,,,:/var:/bin/bash\n";
        assert_eq!(Account::named(table, "postgres"), Some(Account { uid: 101, gid: 104 }));
        assert_eq!(Account::named(table, "root"), None);
        assert_eq!(Account::named(table, "nobody"), None);
    }
}
