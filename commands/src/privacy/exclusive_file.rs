//! A file that appears whole, durable and once, whoever else tries at the same moment.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use uuid::Uuid;

/// Writes `bytes` to `path` for its owner alone, unless the file is there; answers whether it did.
///
/// A hard link gives the finished temporary file its name: unlike a rename it fails when the name
/// is taken, so the second of two writers never replaces the first one's key. The folder is
/// flushed in both cases, so that the loser does not use a key that a power cut could still lose.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let folder = parent(path)?;
    let temporary = folder.join(format!(".{}.tmp", Uuid::now_v7()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let linked = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&temporary, path));
    fs::remove_file(&temporary)?;
    let created = match linked {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
        Err(error) => return Err(error),
    };
    File::open(folder)?.sync_all()?;
    Ok(created)
}

/// Overwrites a file, deletes it, and returns when that is durable. One that is not there is no error.
pub fn destroy(path: &Path) -> io::Result<()> {
    let overwritten = OpenOptions::new().write(true).open(path).and_then(|mut file| {
        let length = file.metadata()?.len() as usize;
        file.write_all(&vec![0; length])?;
        file.sync_all()
    });
    match overwritten.and_then(|()| fs::remove_file(path)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => File::open(parent(path)?)?.sync_all(),
    }
}

/// Makes a folder for its owner alone, with what leads to it.
pub fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    File::open(parent(path)?)?.sync_all()
}

fn parent(path: &Path) -> io::Result<&Path> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(folder) => Ok(folder),
        None => Err(io::Error::new(ErrorKind::InvalidInput, "the path has no folder")),
    }
}

/// Folders for tests, removed when dropped.
#[cfg(test)]
pub mod scratch {
    use super::*;
    use std::path::PathBuf;

    pub struct Scratch(pub PathBuf);

    impl Scratch {
        pub fn new() -> Self {
            let path = std::env::temp_dir().join(format!("palmares-privacy-{}", Uuid::now_v7()));
            create_folder(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_first_writer_wins_and_leaves_nothing_else_behind() {
        let scratch = scratch::Scratch::new();
        let path = scratch.0.join("inner").join("file");
        create_folder(path.parent().unwrap()).unwrap();
        assert!(create(&path, b"first").unwrap());
        assert!(!create(&path, b"second").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn of_many_writers_exactly_one_wins() {
        let scratch = scratch::Scratch::new();
        let path = scratch.0.join("file");
        let winners: usize = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..16u8)
                .map(|n| {
                    scope.spawn({
                        let path = &path;
                        move || create(path, &[n; 64]).unwrap()
                    })
                })
                .collect();
            writers.into_iter().map(|writer| usize::from(writer.join().unwrap())).sum()
        });
        assert_eq!(winners, 1);
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() == 64 && bytes.iter().all(|byte| *byte == bytes[0]));
    }
}
