//! Finds PostgreSQL and nats-server, in the versions that are needed.

use super::EmbeddedError;
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

/// The oldest PostgreSQL that serves (`security_invoker` views came with 15).
pub const POSTGRES_MIN: u32 = 15;
/// The oldest nats-server that serves.
pub const NATS_MIN: (u32, u32) = (2, 12);

/// Where the install script puts nats-server, next to the sources this was built from.
const PROJECT_TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools");

/// One installed PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresPrograms {
    pub bin: PathBuf,
    pub major: u32,
}

impl PostgresPrograms {
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// The newest usable one, or exactly `major` where a data folder asks for it.
    pub fn find(major: Option<u32>) -> Result<Self, EmbeddedError> {
        let mut found: Vec<Self> = candidates().into_iter().filter_map(|bin| Self::at(&bin)).collect();
        found.sort_by_key(|programs| std::cmp::Reverse(programs.major));
        let newest = found.first().map(|programs| programs.major);
        let wanted = found.into_iter().find(|programs| major.map_or(programs.major >= POSTGRES_MIN, |major| programs.major == major));
        wanted.ok_or_else(|| EmbeddedError::MissingProgram {
            program: "PostgreSQL",
            wanted: major.map_or(format!("{POSTGRES_MIN} or newer"), |major| format!("{major}, which made this data folder,")),
            advice: match (major, newest) {
                (Some(major), _) => format!("install it (apt-get install postgresql-{major}) or choose another --data-dir"),
                (None, Some(newest)) => format!("only {newest} is installed; `make run` or `scripts/install.sh` installs a newer one"),
                (None, None) => "`make run` or `scripts/install.sh` installs it (apt-get install postgresql)".to_owned(),
            },
        })
    }

    fn at(bin: &Path) -> Option<Self> {
        if !bin.join("initdb").is_file() {
            return None;
        }
        let major = parse_postgres_version(&version_of(&bin.join("postgres"))?)?;
        Some(Self { bin: bin.to_owned(), major })
    }
}

/// nats-server, new enough.
pub fn find_nats() -> Result<PathBuf, EmbeddedError> {
    let mut places: Vec<PathBuf> = env::var_os("PALMARES_NATS_SERVER").map(PathBuf::from).into_iter().collect();
    places.push(Path::new(PROJECT_TOOLS).join("nats-server"));
    places.extend(search_path().map(|folder| folder.join("nats-server")));
    let mut too_old = None;
    for place in places.iter().filter(|place| place.is_file()) {
        match version_of(place).as_deref().and_then(parse_nats_version) {
            Some(version) if version >= NATS_MIN => return place.canonicalize().map_err(EmbeddedError::io(format!("{}", place.display()))),
            version => too_old = version.or(too_old),
        }
    }
    Err(EmbeddedError::MissingProgram {
        program: "nats-server",
        wanted: format!("{}.{} or newer", NATS_MIN.0, NATS_MIN.1),
        advice: match too_old {
            Some((major, minor)) => {
                format!(
                    "only {major}.{minor} is installed; `make run` or `scripts/install.sh` puts a newer one into .tools/ (or set PALMARES_NATS_SERVER)"
                )
            }
            None => "`make run` or `scripts/install.sh` puts it into .tools/ (or set PALMARES_NATS_SERVER)".to_owned(),
        },
    })
}

fn candidates() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = env::var_os("PALMARES_POSTGRES_BIN").map(PathBuf::from).into_iter().collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        places.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    places.extend(search_path());
    if let Some(bin) = Command::new("pg_config").arg("--bindir").output().ok().and_then(|output| String::from_utf8(output.stdout).ok()) {
        places.push(PathBuf::from(bin.trim()));
    }
    places
}

fn search_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect::<Vec<_>>().into_iter()
}

fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(OsStr::new(program)).arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok().filter(|_| output.status.success())
}

/// `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)` is 15.
pub fn parse_postgres_version(text: &str) -> Option<u32> {
    let number = text.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    number.split(|end: char| !end.is_ascii_digit()).next()?.parse().ok()
}

/// `nats-server: v2.15.1` is (2, 15).
pub fn parse_nats_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().rsplit(['v', ' ']).next()?.split(|end: char| !end.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_programs_print() {
        assert_eq!(parse_postgres_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_postgres_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_postgres_version("something else"), None);
        assert_eq!(parse_nats_version("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(parse_nats_version("nats-server: v2.9.10-beta"), Some((2, 9)));
        assert_eq!(parse_nats_version("nothing"), None);
    }
}
