use super::*;

/// A folder of its own per test, removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("palmares-folder-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_second_user_of_a_folder_is_told_so_in_one_line() {
    let scratch = Scratch::new("lock");
    let first = Folder::open(&scratch.0).expect("a new folder");
    let error = Folder::open(&scratch.0).err().expect("the lock is taken").to_string();
    assert!(error.contains("already uses") && error.contains(&std::process::id().to_string()) && !error.contains('\n'), "{error}");
    drop(first);
    Folder::open(&scratch.0).expect("free again");
}

#[test]
fn state_is_kept_and_private() {
    let scratch = Scratch::new("state");
    let mut folder = Folder::open(&scratch.0).expect("a new folder");
    let password = folder.state().owner_password.clone();
    folder.remember(|state| state.postgres_port = Some(20_001)).expect("writable");
    drop(folder);
    let again = Folder::open(&scratch.0).expect("ours");
    assert_eq!((again.state().postgres_port, &again.state().owner_password), (Some(20_001), &password));
    assert_eq!(scratch.0.join(STATE_FILE).metadata().expect("exists").mode() & 0o777, 0o600);
}

#[test]
fn foreign_and_damaged_folders_are_refused_with_advice() {
    let scratch = Scratch::new("foreign");
    fs::create_dir_all(&scratch.0).expect("folder");
    fs::write(scratch.0.join("thesis.txt"), "precious").expect("file");
    let error = Folder::open(&scratch.0).err().expect("not ours").to_string();
    assert!(error.contains("--data-dir"), "{error}");
    fs::remove_file(scratch.0.join("thesis.txt")).expect("remove");
    fs::write(scratch.0.join(STATE_FILE), "{\"format\":1").expect("file");
    let error = Folder::open(&scratch.0).err().expect("damaged").to_string();
    assert!(error.contains("damaged") && error.contains(STATE_FILE), "{error}");
}

#[test]
fn a_file_in_place_of_the_folder_is_refused() {
    let scratch = Scratch::new("file");
    fs::write(&scratch.0, "a file").expect("file");
    let error = Folder::open(&scratch.0).err().expect("not a folder").to_string();
    assert!(error.contains("--data-dir"), "{error}");
    let _ = fs::remove_file(&scratch.0);
}
