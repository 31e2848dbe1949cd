//! The permission matrix of the requirements (B.5), cell by cell, proved over HTTP and printed as a
//! table for people who do not read code: `docs/permission-matrix.md`.
//!
//! A cell is proved by what its persona is answered in another organization, in their own, and about
//! themselves. `INSTA_UPDATE=always` writes the page anew.

use crate::support::running::{Client, Organization, Reply, fresh_organization, token_keys};
use palmares_domain::{
    identity::{Role, RoleRef},
    kernel::{OrganizationId, RoleId, UserId},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{fmt::Write as _, path::Path, time::Duration};
use uuid::Uuid;

const PARTICIPATION: &str = "/wellness/participation?metric=steps&from=2020-01-01&until=2020-01-31";
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/permission-matrix.md");

/// How far somebody's permission reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Nothing,
    /// About themselves.
    Own,
    /// About those to whom they are assigned, and themselves.
    Assigned,
    /// What enough people do together, never what one of them does.
    Figures,
    FiguresEverywhere,
    Organization,
    Everywhere,
}

impl Reach {
    fn words(self) -> &'static str {
        match self {
            Reach::Nothing => "refused",
            Reach::Own => "about themselves only",
            Reach::Assigned => "about themselves and those to whom they are assigned",
            Reach::Figures => "figures over five people or more, own organization only",
            Reach::FiguresEverywhere => "figures over five people or more, every organization",
            Reach::Organization => "own organization only",
            Reach::Everywhere => "every organization",
        }
    }
}

/// One cell: the document's word, and how far the persona reaches.
type Cell = (&'static str, Reach);

/// What is tried.
#[derive(Clone, Copy)]
enum Probe {
    CreateOrganization,
    ManageSettings,
    InviteUsers,
    AssignExperts,
    WellnessRecords,
    ExportData,
    ViewAuditLogs,
    DeleteAccounts,
    ManageRoles,
    ConfigureSso,
}

struct Row {
    capability: &'static str,
    probe: Probe,
    cells: [Cell; 4],
}

const PERSONAS: [&str; 4] = ["Platform Admin", "Organization Admin", "Expert", "End User"];

/// B.5, in its order: PM-01 is the first cell of the first row.
fn rows() -> Vec<Row> {
    use Reach::{Assigned, Everywhere, Figures, FiguresEverywhere, Nothing, Organization, Own};
    let scoped = |word| [("allow", Everywhere), (word, Organization), ("deny", Nothing), ("deny", Nothing)];
    vec![
        Row {
            capability: "Create Organization",
            probe: Probe::CreateOrganization,
            cells: [("allow", Everywhere), ("deny", Nothing), ("deny", Nothing), ("deny", Nothing)],
        },
        Row { capability: "Manage Tenant Settings", probe: Probe::ManageSettings, cells: scoped("Limited") },
        Row { capability: "Invite Users", probe: Probe::InviteUsers, cells: scoped("allow (own organization)") },
        Row { capability: "Assign Experts", probe: Probe::AssignExperts, cells: scoped("allow (own organization)") },
        Row {
            capability: "Access Wellness Records",
            probe: Probe::WellnessRecords,
            cells: [("Limited", FiguresEverywhere), ("Limited", Figures), ("Assigned Only", Assigned), ("Self Only", Own)],
        },
        Row {
            capability: "Export Data",
            probe: Probe::ExportData,
            cells: [("allow", Everywhere), ("Scoped", Organization), ("deny", Nothing), ("Self Only", Own)],
        },
        Row { capability: "View Audit Logs", probe: Probe::ViewAuditLogs, cells: scoped("Scoped") },
        Row {
            capability: "Delete Accounts",
            probe: Probe::DeleteAccounts,
            cells: [("allow", Everywhere), ("Scoped", Organization), ("Self", Own), ("Self", Own)],
        },
        Row { capability: "Manage Roles", probe: Probe::ManageRoles, cells: scoped("Scoped, never above own rights") },
        Row { capability: "Configure SSO", probe: Probe::ConfigureSso, cells: scoped("allow (own organization)") },
    ]
}

struct Persona {
    client: Client,
    user: String,
}

/// Two organizations, and the four personas: the platform's admin, and three of the first organization.
struct World {
    own: Organization,
    other: Organization,
    personas: [Persona; 4],
    /// Experts of the first and of the other organization.
    experts: [String; 2],
}

impl World {
    async fn new() -> Self {
        let (own, other) = (fresh_organization().await, fresh_organization().await);
        let role = json!({ "name": "Wellness expert", "grants": ["challenges.leaderboard.read", "challenges.activity.read"] });
        let role = own.admin.post("/roles", &role).await.expect(201).id("id");
        let expert = json!({ "external_ref": "expert", "role": "expert" });
        let expert = own.admin.post("/users", &expert).await.expect(201).id("id");
        own.admin.post(&format!("/users/{expert}/roles"), &json!({ "role": role })).await.expect(200);
        let elsewhere = json!({ "external_ref": "expert", "role": "expert" });
        let elsewhere = other.admin.post("/users", &elsewhere).await.expect(201).id("id");
        let roles = [RoleRef::from(Role::Expert), RoleRef::from(role.parse::<RoleId>().expect("a role"))];
        let user = UserId(expert.parse().expect("a user"));
        let token = token_keys().mint(user, own.id, roles, Duration::from_secs(3600)).expect("a token");
        let personas = [
            Persona { client: own.platform.clone(), user: Uuid::now_v7().to_string() },
            Persona { client: own.admin.clone(), user: Uuid::now_v7().to_string() },
            Persona { client: own.admin.with_token(&token), user: expert.clone() },
            Persona { client: own.member.clone(), user: own.member_id.clone() },
        ];
        Self { own, other, personas, experts: [expert, elsewhere] }
    }

    /// How far the persona reaches: the widest place in which they are not refused.
    async fn reach(&self, probe: Probe, persona: &Persona) -> Reach {
        let elsewhere = persona.client.in_organization(self.other.id);
        let stranger = self.other.add_member(&Uuid::now_v7().to_string()).await;
        if passed(&self.attempt(probe, &elsewhere, self.other.id, &stranger).await) {
            return Reach::Everywhere;
        }
        let colleague = self.own.add_member(&Uuid::now_v7().to_string()).await;
        if passed(&self.attempt(probe, &persona.client, self.own.id, &colleague).await) {
            return Reach::Organization;
        }
        let own = async || passed(&self.attempt(probe, &persona.client, self.own.id, &persona.user).await);
        match probe {
            Probe::DeleteAccounts if own().await => {
                // They are needed for the cells that follow.
                self.own
                    .admin
                    .post(&format!("/users/{}/cancel-deletion", persona.user), &json!({ "reason": "They stay." }))
                    .await
                    .expect(200);
                Reach::Own
            }
            Probe::ExportData if passed(&persona.client.post("/me/exports", &json!({ "format": "json" })).await) => Reach::Own,
            Probe::WellnessRecords if passed(&elsewhere.get(PARTICIPATION).await) => Reach::FiguresEverywhere,
            Probe::WellnessRecords if passed(&persona.client.get(PARTICIPATION).await) => Reach::Figures,
            Probe::WellnessRecords if self.reads_when_assigned(persona, &colleague).await => Reach::Assigned,
            Probe::WellnessRecords if own().await => Reach::Own,
            _ => Reach::Nothing,
        }
    }

    /// Whether a persona who can be assigned reads what is somebody else's then, and not any more afterwards.
    async fn reads_when_assigned(&self, persona: &Persona, colleague: &str) -> bool {
        let experts = format!("/users/{colleague}/experts");
        let assigned = self.own.admin.post(&experts, &json!({ "expert_id": persona.user })).await;
        let reads = async || passed(&self.attempt(Probe::WellnessRecords, &persona.client, self.own.id, colleague).await);
        if assigned.status != 200 {
            assigned.refused(422, "VALIDATION_ERROR");
            return reads().await;
        }
        let while_assigned = reads().await;
        self.own.admin.send("DELETE", &format!("{experts}/{}", persona.user), &json!({})).await.expect(200);
        while_assigned && !reads().await
    }

    async fn attempt(&self, probe: Probe, client: &Client, organization: OrganizationId, user: &str) -> Reply {
        let fresh = Uuid::now_v7().simple().to_string();
        match probe {
            Probe::CreateOrganization => client.post("/organizations", &json!({ "name": "New", "slug": format!("new-{fresh}") })).await,
            Probe::ManageSettings => {
                client.send("PATCH", &format!("/organizations/{organization}/settings"), &json!({ "display_name": "New" })).await
            }
            Probe::InviteUsers => {
                let invitation = json!({ "email": format!("{fresh}@example.test"), "role": "member" });
                client.post(&format!("/organizations/{organization}/invite"), &invitation).await
            }
            Probe::AssignExperts => {
                let expert = if organization == self.own.id { &self.experts[0] } else { &self.experts[1] };
                client.post(&format!("/users/{user}/experts"), &json!({ "expert_id": expert })).await
            }
            Probe::WellnessRecords => client.get(&format!("/users/{user}/activities")).await,
            Probe::ExportData => Reply::of(client.request(Method::GET, "/events").header("Accept", "application/x-ndjson")).await,
            Probe::ViewAuditLogs => client.get("/audit-logs").await,
            Probe::DeleteAccounts => client.post(&format!("/users/{user}/request-deletion"), &json!({})).await,
            Probe::ManageRoles => client.post("/roles", &json!({ "name": fresh, "grants": ["points.balance.read"] })).await,
            Probe::ConfigureSso => {
                let connection = json!({ "issuer": format!("https://{fresh}.example"), "client_id": "palmares" });
                client.send("PUT", &format!("/organizations/{organization}/identity-connection"), &connection).await
            }
        }
    }
}

/// Whether it was done. Whatever is neither done nor refused proves nothing.
#[track_caller]
fn passed(reply: &Reply) -> bool {
    match reply.status {
        200..=299 => true,
        403 | 404 => false,
        status => panic!("{status}: {}", reply.body),
    }
}

/// The words of B.5 that a reach does not say: what is denied within what is allowed.
async fn limits_hold(world: &World) {
    let admin = &world.own.admin;
    // PM-34: never above one's own rights.
    let above = json!({ "name": "Above", "grants": ["organizations"] });
    admin.post("/roles", &above).await.refused(403, "ACCESS_DENIED");
    // PM-06: Limited; what the platform decides is not the organization's to change.
    let path = format!("/organizations/{}/settings", world.own.id);
    for key in ["plan", "isolation_mode", "feature_flags", "retention_days"] {
        // To follow the platform again is a change as well.
        admin.send("PATCH", &path, &json!({ key: null })).await.refused(403, "ACCESS_DENIED");
        world.own.platform.send("PATCH", &path, &json!({ key: null })).await.expect(200);
    }
    // PM-17 and PM-18: Limited; figures over fewer than five people are withheld.
    let figures = admin.get(PARTICIPATION).await.expect(200).body;
    assert_eq!((&figures["withheld"], &figures["participants"], &figures["total"]), (&json!(true), &Value::Null, &Value::Null));
    // PM-24: Self Only; the organization's data is not the member's to export.
    let export = world.attempt(Probe::ExportData, &world.own.member, world.own.id, "").await;
    assert!(!passed(&export));
}

// covers: E-65, E-66, E-67, E-68, E-69, E-70, E-71, E-72, E-73, E-74, E-55
#[tokio::test]
async fn every_cell_of_b_5_is_as_the_document_has_it() {
    let world = World::new().await;
    let (mut table, mut number) = (String::new(), 0);
    let _ = writeln!(table, "| Capability | {} |\n|---|---|---|---|---|", PERSONAS.join(" | "));
    for row in rows() {
        let _ = write!(table, "| {} |", row.capability);
        for (persona, (word, expected)) in world.personas.iter().zip(row.cells) {
            number += 1;
            let found = world.reach(row.probe, persona).await;
            assert_eq!(found, expected, "PM-{number:02}: {}, {word}", row.capability);
            let _ = write!(table, " PM-{number:02} **{word}**: {} |", found.words());
        }
        table.push('\n');
    }
    assert_eq!(number, 40);
    limits_hold(&world).await;
    let page = format!(
        "# Who may do what\n\nThe permission matrix of the requirements (B.5), written by `tests/pipeline/permission_matrix.rs`. In bold stands the \
         word of the requirements, after it what the running system answers. \"Expert\" is someone with the role Expert and a role \
         that their organization composed. All {number} cells are proved.\n\n{table}"
    );
    compare(&page);
}

fn compare(page: &str) {
    let path = Path::new(PAGE);
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(path, page).expect("the page is written");
    }
    let committed: Value = std::fs::read_to_string(path).unwrap_or_default().into();
    assert_eq!(committed, page, "docs/permission-matrix.md is not what the system does");
}
