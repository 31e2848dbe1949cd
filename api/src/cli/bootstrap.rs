//! `palmares bootstrap`: the platform's organization and its first administrator, who creates all others
//! through the API.

use super::{output::Reporter, settings::GivenSettings, system::System};
use palmares_domain::kernel::OrganizationId;
use serde_json::json;

#[derive(clap::Args)]
pub struct BootstrapArgs {
    #[command(flatten)]
    given: GivenSettings,
    /// How the administrator is called in your own systems
    #[arg(long)]
    external_ref: String,
}

pub async fn run(args: &BootstrapArgs, system: &dyn System, reporter: &Reporter) -> anyhow::Result<()> {
    let user = system.bootstrap(&args.given.complete()?, &args.external_ref).await?;
    let organization = OrganizationId::PLATFORM;
    let sentence = format!(
        "the platform's administrator is {user}; a token for an hour: palmares token --user {user} --organization {organization} --role platform_admin"
    );
    reporter.say(&sentence, || json!({ "event": "bootstrapped", "user_id": user, "organization_id": organization }));
    Ok(())
}
