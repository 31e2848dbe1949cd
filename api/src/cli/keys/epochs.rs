//! `palmares keys rotate-epoch`: an organization's data keys under a new epoch key, and the old one gone.

use crate::cli::{output::Reporter, settings::GivenSettings, system::System};
use palmares_domain::kernel::OrganizationId;
use serde_json::json;

#[derive(clap::Args)]
pub struct RotateEpochArgs {
    #[command(flatten)]
    given: GivenSettings,
    /// The organization whose data keys are wrapped anew; servers go on meanwhile
    #[arg(long)]
    organization: OrganizationId,
}

/// Rotates. After a crash it is called again.
pub async fn rotate(args: &RotateEpochArgs, system: &dyn System, reporter: &Reporter) -> anyhow::Result<()> {
    let rotated = system.rotate_epoch(&args.given.complete()?, args.organization).await?;
    let (organization, epoch, keys) = (args.organization, rotated.epoch.0, rotated.rewrapped);
    let sentence =
        format!("{keys} keys of {organization} are under epoch {epoch}; those before it are destroyed, and so is what older backups hold.");
    reporter.say(&sentence, || json!({ "event": "epoch_rotation", "organization_id": organization, "epoch": epoch, "rewrapped": keys }));
    Ok(())
}
