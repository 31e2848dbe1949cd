use super::*;
use crate::pipeline::{TokenKeys, keys::load_or_create_pem};
use palmares_domain::{
    identity::Role,
    kernel::{OrganizationId, UserId},
};
use std::{os::unix::fs::PermissionsExt, time::Duration};
use uuid::Uuid;

/// A folder with a file of one key.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("palmares-key-file-{}", Uuid::now_v7().simple()));
        fs::create_dir_all(&folder).unwrap();
        load_or_create_pem(&folder.join("jwt.pem")).unwrap();
        Self(folder)
    }

    fn file(&self) -> KeyFile {
        KeyFile::read(&self.0.join("jwt.pem")).unwrap()
    }

    fn tokens(&self) -> TokenKeys {
        TokenKeys::from_pems("https://palmares.test", "palmares", [fs::read_to_string(self.0.join("jwt.pem")).unwrap().as_str()]).unwrap()
    }

    /// Takes a step and writes what came of it.
    fn step<T>(&self, step: impl FnOnce(&mut KeyFile) -> Result<T, RotationFault>) -> T {
        let mut file = self.file();
        let done = step(&mut file).unwrap();
        file.write().unwrap();
        done
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn token(keys: &TokenKeys) -> String {
    keys.mint(UserId(Uuid::from_u128(1)), OrganizationId::PLATFORM, [Role::Member], Duration::from_secs(60)).unwrap()
}

// covers: E-108, P-23
#[test]
fn a_token_stays_good_through_a_rotation_and_ends_with_its_key() {
    let (folder, now) = (Folder::new(), Utc::now());
    let first = folder.file().ids()[0].clone();
    let (keys, old) = (folder.tokens(), token(&folder.tokens()));
    let reload = || keys.replace(&fs::read_to_string(folder.0.join("jwt.pem")).unwrap()).unwrap();

    let second = folder.step(|file| file.publish(now));
    assert_eq!(folder.file().ids(), [first.as_str(), &second]);
    // A server that knows of the file already accepts what one that promoted signs.
    reload();
    assert_eq!(keys.jwks()["keys"].as_array().unwrap().len(), 2);
    assert!(folder.tokens().verify(&token(&keys)).is_ok());

    assert_eq!(folder.step(|file| file.promote(now + PUBLISHED_FOR, false)), second);
    let new = token(&folder.tokens());
    assert!(keys.verify(&new).is_ok(), "a server that has not looked yet refuses the new key");
    reload();
    assert_eq!(folder.file().ids(), [second.as_str(), &first]);
    assert!(keys.verify(&old).is_ok() && keys.verify(&new).is_ok());
    assert_eq!(fs::read_to_string(folder.0.join("jwt.pem")).unwrap().matches("BEGIN PRIVATE KEY").count(), 1);

    let later = now + TimeDelta::days(31);
    assert_eq!(folder.step(|file| file.retire(later, TimeDelta::days(30))), [first]);
    reload();
    assert!(keys.verify(&old).is_err() && keys.verify(&new).is_ok());
    assert_eq!(folder.file().ids(), [second]);
}

#[test]
fn steps_out_of_their_order_are_refused() {
    let (folder, now) = (Folder::new(), Utc::now());
    let refused = |step: fn(&mut KeyFile, DateTime<Utc>) -> Result<(), RotationFault>, at| step(&mut folder.file(), at).unwrap_err();
    let promote = |file: &mut KeyFile, now| file.promote(now, false).map(drop);
    let retire = |file: &mut KeyFile, now| file.retire(now, TimeDelta::days(30)).map(drop);
    assert!(matches!(refused(promote, now), RotationFault::NothingToPromote));
    assert!(matches!(refused(retire, now), RotationFault::NothingToRetire));
    folder.step(|file| file.publish(now));
    assert!(matches!(refused(|file, now| file.publish(now).map(drop), now), RotationFault::AlreadyPublished(_)));
    assert!(matches!(refused(promote, now + TimeDelta::seconds(59)), RotationFault::TooEarly { seconds: 59, .. }));
    folder.step(|file| file.promote(now, true));
    assert!(matches!(refused(retire, now + TimeDelta::days(29)), RotationFault::NothingToRetire));
}

#[test]
fn the_file_is_replaced_whole_and_for_its_owner_alone() {
    let folder = Folder::new();
    fs::write(folder.0.join("jwt.pem.new"), "another rotation").unwrap();
    let mut file = folder.file();
    file.publish(Utc::now()).unwrap();
    let before = fs::read_to_string(folder.0.join("jwt.pem")).unwrap();
    assert!(matches!(file.write(), Err(KeyFault::File { .. })), "two rotations at a time");
    assert_eq!(fs::read_to_string(folder.0.join("jwt.pem")).unwrap(), before);
    fs::remove_file(folder.0.join("jwt.pem.new")).unwrap();
    file.write().unwrap();
    let mode = fs::metadata(folder.0.join("jwt.pem")).unwrap().permissions().mode();
    assert_eq!((mode & 0o777, fs::read_dir(&folder.0).unwrap().count()), (0o600, 1));
}

#[test]
fn keys_that_cannot_be_used_leave_those_in_use_alone() {
    let folder = Folder::new();
    let (keys, whole) = (folder.tokens(), fs::read_to_string(folder.0.join("jwt.pem")).unwrap());
    let good = token(&keys);
    let public = Ed25519Key::from_pem(&whole).unwrap().public_pem();
    for bad in ["", "no key", &whole[..whole.len() / 2], &format!("{whole}{}", &whole[..whole.len() / 2]), &public] {
        assert!(keys.replace(bad).is_err(), "{bad} was taken");
        assert!(keys.verify(&good).is_ok() && keys.verify(&token(&keys)).is_ok());
    }
}
