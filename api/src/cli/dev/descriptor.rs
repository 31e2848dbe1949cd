//! `dev.json`: where the running development system is, for people, tests and tools. Mode 0600.

use super::embedded::folder::write_private;
use chrono::{Days, NaiveDate, Utc};
use palmares_domain::kernel::OrganizationId;
use serde::{Deserialize, Serialize};
use std::{io, path::Path};

/// The name of the file in the data folder.
pub const DESCRIPTOR: &str = "dev.json";
const DEMO: &str = "demo.json";

/// Where everything is, and a token for each role.
#[derive(Clone, Serialize, Deserialize)]
pub struct Descriptor {
    pub base_url: String,
    /// Where the letters that it sends are read; `/messages?to=…` gives them as JSON.
    pub mailbox_url: String,
    pub database_url: String,
    pub nats_url: String,
    /// The demo organization.
    pub organization_id: OrganizationId,
    pub tokens: Tokens,
}

/// Tokens, valid for a day.
#[derive(Clone, Serialize, Deserialize)]
pub struct Tokens {
    pub platform_admin: String,
    pub organization_admin: String,
    pub compliance_officer: String,
    pub analyst: String,
    pub member: String,
}

impl Descriptor {
    pub fn write(&self, data_dir: &Path) -> io::Result<()> {
        write_private(&data_dir.join(DESCRIPTOR), &serde_json::to_vec_pretty(self)?)
    }

    pub fn read(data_dir: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&std::fs::read(data_dir.join(DESCRIPTOR))?)?)
    }
}

#[derive(Serialize, Deserialize)]
struct DemoMonth {
    first_day: NaiveDate,
}

/// The first day of the demo's month, so that it ends yesterday at the first start and stays the
/// same at every later one.
pub fn demo_first_day(data_dir: &Path, days: u64) -> io::Result<NaiveDate> {
    let path = data_dir.join(DEMO);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(serde_json::from_slice::<DemoMonth>(&bytes)?.first_day),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let first_day = Utc::now().date_naive() - Days::new(days);
            write_private(&path, &serde_json::to_vec(&DemoMonth { first_day })?)?;
            Ok(first_day)
        }
        Err(error) => Err(error),
    }
}
