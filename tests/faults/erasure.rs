//! Many people are erased while the server is killed, and nothing of them is found anywhere afterwards.

use super::{
    certificate::assert_proved_offline,
    load::{read_all, read_until},
    plans::assert_plan_is_as_recorded,
    remains::{
        all_reach, as_projector, assert_log_is_whole, assert_nothing_is_found, assert_nothing_stands_in_clear, closings, head, read_models,
        rebuild_all, telling_of,
    },
    reused_address::assert_hashes_lead_to_nobody_else,
    seeded,
    world::{Caller, Victim, World, YEARS},
};
use crate::contexts::code;
use palmares::{
    pipeline::TokenKeys,
    reactors::erasure::{Certificate, PURPOSE},
};
use palmares_domain::{
    identity::Role,
    kernel::{OrganizationId, RoleId, UserId},
};
use rand::Rng;
use reqwest::Method;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

const GIVEN: &str = "lantern orbit pebble quartz";
const OWN: &str = "meadow tractor violin glacier";

/// So many people are erased; `make faults` takes 200.
fn subjects() -> usize {
    std::env::var("FAULT_SUBJECTS").ok().map_or(20, |subjects| subjects.parse().expect("FAULT_SUBJECTS is a number"))
}

// covers: W-25, W-26, E-160, E-161, E-163, E-164, E-168, E-173, E-198, E-289, E-292
#[test]
fn nothing_of_whom_was_erased_is_found_anywhere_and_a_rebuild_is_what_was_purged() {
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(world));
}

/// A day on which everybody walks, and one on which one of them does.
const MANY: &str = "2026-01-05";
const FEW: &str = "2026-01-06";

/// Somebody who will be erased.
struct Subject {
    id: String,
    request: String,
    own: Caller,
}

/// Who brings it about.
struct Staff {
    platform: Caller,
    admin: Caller,
    officer: Caller,
    organization: OrganizationId,
    base_url: String,
    mailbox_url: String,
    keys: Arc<TokenKeys>,
}

async fn run(mut world: World) {
    let mark = format!("canary{:016x}", seeded("erasure").random::<u64>());
    let descriptor = world.descriptor();
    let caller = |token: &str| Caller::new(&world.base_url, token);
    let (admin, officer) = (caller(&descriptor.tokens.organization_admin), caller(&descriptor.tokens.compliance_officer));
    let platform = caller(&descriptor.tokens.platform_admin);
    let (organization, keys) = (descriptor.organization_id, token_keys(&world));
    let (base_url, mailbox_url) = (world.base_url.clone(), descriptor.mailbox_url.clone());
    let staff = Staff { platform, admin, officer, organization, base_url, mailbox_url, keys };
    // What is not personal is found by the same search: the search can fail.
    let control = format!("control-of-{mark}").replace("canary", "c");
    let program = staff.admin.post("/points/programs", json!({ "name": control })).await["id"].as_str().expect("an id").to_owned();
    let mut people = vec![staff.deletes_somebody(&format!("{mark}-first"), &program).await];
    for n in 1..subjects() {
        people.push(staff.somebody_leaves(&format!("{mark}{n}"), &program).await);
    }
    let back = staff.somebody_leaves("thinks-better-of-it", &program).await;
    let mut database = as_projector(&descriptor.database_url).await;
    let until = head(&mut database).await;
    all_reach(&mut database, until).await;
    let ids: Vec<String> = people.iter().map(|subject| subject.id.clone()).collect();
    let telling = telling_of(&mut database, &ids).await;
    assert_eq!(telling, TRACES.into(), "what is to be forgotten is there before");
    // The keys lie in a folder of their own: whoever has the disk or a dump, but not them, reads nobody's name.
    assert_nothing_stands_in_clear(&world, &mark, &control).await;
    let figures = staff.figures().await;
    assert_eq!((&figures[0]["total"], &figures[0]["participants"]), (&json!(1234 * (people.len() + 1)), &json!(people.len() + 1)));
    assert_eq!(figures[1]["withheld"], true);

    // A month later they are hidden, another month later erased, with kills on the way.
    world.ahead(31);
    world.kill(Victim::Server);
    all_become(&staff.officer, &people, "SOFT_DELETED").await;
    let hidden = |user: &Value| {
        let stands = user["status"] == "SOFT_DELETED" && user["deletion_status"] == "SOFT_DELETED";
        stands && user["external_ref"].is_null() && user["email"].is_null()
    };
    read_until(&staff.admin, &format!("/users/{}?include_deleted=true", people[0].id), hidden).await;
    staff.assert_hidden(&people).await;
    assert_plan_is_as_recorded(&staff.officer, &people[0].id, &people[0].request).await;
    assert_eq!(staff.figures().await, figures, "when those behind them are hidden");
    staff.restores(&back, &world.descriptor().mailbox_url).await;
    world.ahead(62);
    world.kill(Victim::Server);
    all_become(&staff.officer, &people, "RETENTION_COUNTDOWN").await;
    let own = format!("/users/{}?include_deleted=true", people[0].id);
    assert_eq!(get(&staff.admin, &own).await["deletion_status"], "RETENTION_COUNTDOWN", "who is erased is not restorable");

    let mut database = as_projector(&descriptor.database_url).await;
    let until = head(&mut database).await;
    all_reach(&mut database, until).await;
    assert_eq!(telling_of(&mut database, &ids).await, BTreeSet::new(), "read models tell of whoever was erased");
    assert_nothing_is_found(&world, &mark, &control, &staff.admin).await;
    assert_log_is_whole(&world);
    staff.assert_written(&format!("{mark}-first"), false).await;
    assert_eq!(staff.figures().await, figures, "when those behind them are erased");
    assert_closed_once_and_names_nobody(&closings(&world, organization).await, &people);
    staff.assert_certified(&people).await;
    staff.assert_teams_are_left(&people[0]).await;
    assert_hashes_lead_to_nobody_else(&world, (&staff.admin, &staff.officer), &people[0].id, &format!("{mark}-first")).await;
    let listed = read_all(&staff.admin, "/users?include_deleted=true").await;
    // To look is recorded, and counted.
    let until = head(&mut database).await;
    all_reach(&mut database, until).await;
    let purged = read_models(&mut database, until, None).await;
    rebuild_all(&staff.platform, &mut database).await;
    let rebuilt = read_models(&mut database, until, None).await;
    for (name, rows) in &purged {
        assert_eq!(Some(rows), rebuilt.get(name), "{name} after a rebuild");
    }
    assert_eq!(staff.figures().await, figures, "after a rebuild");
    assert_eq!(read_all(&staff.admin, "/users?include_deleted=true").await, listed, "users after a rebuild");

    // When the last retention is over the subjects are purged.
    world.ahead(62 + 3700);
    all_become(&staff.officer, &people, "PURGED").await;
    let purged = get(&staff.admin, &own).await;
    assert_eq!((&purged["status"], &purged["deletion_status"]), (&json!("PURGED"), &json!("PURGED")));
}

/// Where the people of this test leave something that is forgotten. Invitations, sign-ups and imports are
/// other ways to become a user.
const TRACES: [&str; 10] = [
    "challenges_activities",
    "challenges_activity_days",
    "challenges_leaderboards",
    "compliance_subject_exports",
    "experts_assignments",
    "identity_sessions",
    "identity_user_names",
    "identity_users",
    "operations_presence",
    "recognition_team_members",
];

async fn get(caller: &Caller, path: &str) -> Value {
    read_until(caller, path, Value::is_object).await
}

fn id(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("no {member} in {answer}")).to_owned()
}

impl Staff {
    /// Makes somebody who leaves traces of every purpose.
    async fn somebody(&self, canary: &str, program: &str) -> (String, Caller) {
        let user = json!({
            "external_ref": canary, "role": "member", "display_name": format!("name {canary}"), "email": format!("{canary}@example.test"),
        });
        let user = id(&self.admin.post("/users", user).await, "id");
        let named = UserId(user.parse().expect("an id"));
        let own = self.keys.mint(named, self.organization, [Role::Member], YEARS).expect("a token");
        let own = Caller::new(&self.base_url, &own);
        let credit = json!({ "program_id": program, "user_id": user, "amount": 10, "reason": format!("for {canary}") });
        self.admin.post("/points/credits", credit).await;
        let record = |day: &str| {
            json!({
                "user_id": user, "source": "test", "source_record_id": format!("{canary}-{day}"), "metric": "steps", "value": 1234,
                "local_day": day, "time_zone": "Europe/Paris",
            })
        };
        let days = if canary.ends_with("-first") { vec![record(MANY), record(FEW)] } else { vec![record(MANY)] };
        own.post("/activities", json!({ "items": days })).await;
        (user, own)
    }

    /// 7A: somebody asks for their own deletion, and it is approved.
    async fn somebody_leaves(&self, canary: &str, program: &str) -> Subject {
        let (user, own) = self.somebody(canary, program).await;
        let request = self.asked(&own, &user, canary).await;
        Subject { id: user, request, own }
    }

    /// 7B: an administrator has somebody deleted who has signed in, taken out an export, an expert, and teams.
    async fn deletes_somebody(&self, canary: &str, program: &str) -> Subject {
        let (user, own) = self.somebody(canary, program).await;
        let (platform, door) = (self.platform.in_organization(self.organization), Caller::new(&self.base_url, "nobody"));
        platform.post(&format!("/users/{user}/temporary-password"), json!({ "password": GIVEN })).await;
        let email = format!("{canary}@example.test");
        let signs_in = json!({ "organization": "acme", "email": email, "password": GIVEN });
        let challenge = id(&door.enter("/auth/signin", signs_in).await, "challenge");
        door.enter("/auth/password", json!({ "challenge": challenge, "password": OWN })).await;
        own.post("/me/exports", json!({ "format": "json" })).await;
        read_until(&own, "/me/exports", |listed| listed["items"][0]["status"] == "READY").await;
        let expert = json!({ "external_ref": format!("e-{}", &user[..8]), "role": "expert" });
        let expert = id(&self.admin.post("/users", expert).await, "id");
        self.admin.post(&format!("/users/{user}/experts"), json!({ "expert_id": expert })).await;
        self.admin.post("/teams", json!({ "name": "Theirs alone", "owner_id": user })).await;
        let others = id(&self.admin.post("/teams", json!({ "name": "Others too", "owner_id": expert })).await, "id");
        self.admin.post(&format!("/teams/{others}/members"), json!({ "user_id": user, "role": "coach" })).await;

        self.is_written_about(&user, &own, canary).await;
        let request = self.asked(&self.admin, &user, canary).await;
        let read = Value::Null;
        assert_eq!(own.status(Method::GET, "/points/programs", &read).await, 403, "access is revoked");
        self.told(&self.mailbox_url, &email, "is to be deleted").await;
        Subject { id: user, request, own }
    }

    /// What staff type about somebody, and what stays of a case in which they are named.
    async fn is_written_about(&self, user: &str, own: &Caller, canary: &str) {
        let text = |about: &str| format!("{about} {canary}");
        self.admin.post(&format!("/users/{user}/suspend"), json!({ "reason": text("suspended") })).await;
        self.admin.post(&format!("/users/{user}/resume"), json!({})).await;
        let acting = json!({ "act_as": user, "duration_seconds": 60, "reason": text("acting") });
        let acting = id(&self.admin.post("/elevations", acting).await, "id");
        let platform = self.platform.in_organization(self.organization);
        platform.post(&format!("/elevations/{acting}/refuse"), json!({ "reason": text("refused") })).await;
        let asked = json!({ "kind": "restriction", "details": text("details") });
        let asked = id(&own.post("/me/subject-requests", asked).await, "id");
        let answer = async |verb: &str, body: Value| self.officer.post(&format!("/subject-requests/{asked}/{verb}"), body).await;
        answer("take", json!({})).await;
        answer("extend", json!({ "months": 1, "reason": text("extended") })).await;
        answer("fulfil", json!({ "note": text("note") })).await;
        self.officer.post("/breaches", json!({ "nature": "confidentiality", "summary": text("summary") })).await;
        self.assert_written(canary, true).await;
    }

    /// Whoever may reads why somebody would act as them, and what was written with a request, until they are
    /// erased; what was written about a case is of no one person, and stays sealed.
    async fn assert_written(&self, canary: &str, there: bool) {
        let first = async |caller: &Caller, path: &str| get(caller, path).await["items"][0].clone();
        let told = |about: &str| if there { json!(format!("{about} {canary}")) } else { Value::Null };
        let acting = read_until(&self.admin, "/elevations", |listed| listed["items"][0]["status"] == "REFUSED").await;
        assert_eq!(acting["items"][0]["reason"], told("acting"));
        let answered = |listed: &Value| listed["items"][0]["status"] == "FULFILLED";
        let asked = read_until(&self.officer, "/subject-requests?kind=restriction", answered).await["items"][0].clone();
        let written = ["details", "extension_reason", "note"].map(|field| asked[field].clone());
        assert_eq!(written, [told("details"), told("extended"), told("note")], "{asked}");
        read_until(&self.officer, "/breaches", |listed| listed["items"][0].is_object()).await;
        assert_eq!(first(&self.officer, "/breaches").await["summary"], json!(format!("summary {canary}")));
    }

    /// Asked for by somebody who shows a second factor, and approved by the officer.
    async fn asked(&self, by: &Caller, user: &str, canary: &str) -> String {
        let secret = id(&by.post("/me/mfa/totp", json!({})).await, "secret");
        by.post("/me/mfa/totp/confirm", json!({ "code": code(&secret, -1) })).await;
        let asked = json!({ "user_id": user, "reason": format!("why {canary}") });
        let request = id(&by.post("/deletion-requests", asked).await, "id");
        by.post(&format!("/deletion-requests/{request}/verify"), json!({ "code": code(&secret, 0) })).await;
        self.officer.post(&format!("/deletion-requests/{request}/approve"), json!({})).await;
        request
    }

    /// Waits for the letter that tells somebody of it.
    async fn told(&self, mailbox_url: &str, email: &str, what: &str) {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        loop {
            let got = http.get(format!("{mailbox_url}/messages")).query(&[("to", email)]).send().await.expect("the mailbox");
            let got: Vec<Value> = got.json().await.expect("mails");
            if got.iter().any(|mail| mail["subject"].as_str().is_some_and(|subject| subject.contains(what))) {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "nobody told {email}: {got:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What all did together on the two days.
    async fn figures(&self) -> [Value; 2] {
        let here = |figures: &Value| figures["subjects_min"] == 5;
        let on = async |day| read_until(&self.admin, &format!("/wellness/participation?metric=steps&from={day}&until={day}"), here).await;
        [on(MANY).await, on(FEW).await]
    }

    /// Whoever is soft-deleted is in no list that does not ask for them, and says when, by whom, why and until when.
    async fn assert_hidden(&self, people: &[Subject]) {
        let hidden = |user: &Value| people.iter().any(|subject| user["id"] == subject.id);
        let usual = read_all(&self.admin, "/users?include_deleted=false").await;
        assert!(!usual.is_empty() && !usual.iter().any(hidden), "{usual:?}");
        assert!(usual.iter().all(|user| user["deleted_at"].is_null() && user["deletion_reason"].is_null()));
        for asked in ["/users?status=SOFT_DELETED", "/users?include_deleted=true"] {
            assert_eq!(read_all(&self.admin, asked).await.iter().filter(|user| hidden(user)).count(), people.len(), "{asked}");
        }
        for (subject, kind) in people.iter().zip(["BY_ADMIN", "OWN_ACCOUNT"]) {
            let path = format!("/users/{}", subject.id);
            assert_eq!(self.admin.status(Method::GET, &path, &Value::Null).await, 404);
            let told = get(&self.admin, &format!("{path}?include_deleted=true")).await;
            let request = get(&self.officer, &format!("/deletion-requests/{}", subject.request)).await;
            assert_eq!(told["organization_id"], json!(self.organization));
            assert_eq!(told["deleted_by"], request["requested_by"]);
            assert_eq!(told["deletion_reason"], json!({ "request_id": subject.request, "kind": kind, "ground": null }));
            assert_eq!(told["retention_expiry"], request["due_at"], "until the recovery window is over");
            assert!(told["deleted_at"].as_str() < told["retention_expiry"].as_str(), "{told}");
        }
        self.tells_a_stranger_no_reason(&people[0]).await;
    }

    /// Somebody with the right to list users, and no clearance, is not told why one was deleted.
    async fn tells_a_stranger_no_reason(&self, deleted: &Subject) {
        let role = id(&self.admin.post("/roles", json!({ "name": "Reception", "grants": ["identity.user.list"] })).await, "id");
        let user = id(&self.admin.post("/users", json!({ "external_ref": "reception", "role": "member" })).await, "id");
        self.admin.post(&format!("/users/{user}/roles"), json!({ "role": role })).await;
        let role: RoleId = role.parse().expect("the id of a role");
        let token = self.keys.mint(UserId(user.parse().expect("an id")), self.organization, [role], YEARS);
        let reception = Caller::new(&self.base_url, &token.expect("a token"));
        let listed = read_all(&reception, "/users?status=SOFT_DELETED").await;
        let told = listed.iter().find(|user| user["id"] == deleted.id).expect("the user");
        assert!(told["deleted_at"].is_string() && told["deleted_by"].is_null() && told["deletion_reason"].is_null(), "{told}");
    }

    /// Whoever comes back within the recovery window is as they were.
    async fn restores(&self, subject: &Subject, mailbox_url: &str) {
        let path = format!("/users/{}", subject.id);
        read_until(&self.officer, &format!("/deletion-requests/{}", subject.request), |request| request["status"] == "SOFT_DELETED").await;
        read_until(&self.admin, &format!("{path}?include_deleted=true"), |user| user["deleted_at"].is_string()).await;
        // Of what they asked for themselves, whoever undoes it says why, and they are told.
        let restore = format!("/deletion-requests/{}/restore", subject.request);
        assert_eq!(self.officer.status(Method::POST, &restore, &json!({})).await, 422, "without a word");
        self.officer.post(&restore, json!({ "reason": "They called, and asked us to." })).await;
        let user = read_until(&self.admin, &path, |user| user["status"] == "ACTIVE").await;
        self.told(mailbox_url, "thinks-better-of-it@example.test", "deletion of your account").await;
        let said = ["deleted_at", "deleted_by", "deletion_reason", "retention_expiry"].map(|field| user[field].is_null());
        assert_eq!(said, [true; 4], "{user}");
        assert_eq!(user["mfa_enabled"], true);
        assert!(read_all(&self.admin, "/users?include_deleted=false").await.iter().any(|user| user["id"] == subject.id));
    }

    /// A team whose last owner was erased waits for an administrator; the log says who left which, and an
    /// administrator goes on with the team.
    async fn assert_teams_are_left(&self, subject: &Subject) {
        let left = get(&self.admin, "/teams?without_owner=true").await;
        let left: Vec<_> = left["items"].as_array().expect("teams").iter().collect();
        assert_eq!(left.iter().map(|team| (&team["name"], &team["size"])).collect::<Vec<_>>(), [(&json!("Theirs alone"), &json!(0))]);
        let owned = get(&self.admin, "/teams?without_owner=false").await;
        assert_eq!((&owned["items"][0]["name"], &owned["items"][0]["size"]), (&json!("Others too"), &json!(1)));
        let events = read_all(&self.officer, "/events?type=recognition.member_removed").await;
        let gone = events.iter().filter(|event| event["payload"]["user_id"] == subject.id).count();
        assert_eq!(gone, 2, "{events:?}");
        let successor = json!({ "external_ref": "successor", "role": "member" });
        let successor = id(&self.admin.post("/users", successor).await, "id");
        let team = left[0]["id"].as_str().expect("an id");
        self.admin.post(&format!("/teams/{team}/members"), json!({ "user_id": successor, "role": "owner" })).await;
        read_until(&self.admin, &format!("/teams/{team}"), |team| team["without_owner"] == false).await;
    }

    async fn assert_certified(&self, people: &[Subject]) {
        for subject in people {
            let certificate = get(&self.officer, &format!("/deletion-requests/{}/certificate", subject.request)).await;
            let text = certificate["certificate"].as_str().expect("a certificate");
            let said: Certificate = self.keys.unseal(PURPOSE, text).expect("it verifies");
            assert_eq!((said.organization_id, said.round, said.steps.len()), (self.organization, 1, 5));
            assert!(said.destroyed.len() == 3 && said.retained.len() == 2, "{said:?}");
            let read = Value::Null;
            assert_eq!(subject.own.status(Method::GET, "/me", &read).await, 401, "whoever was erased acts");
        }
        if let Some(subject) = people.first() {
            assert_proved_offline(&self.officer, &subject.request).await;
            assert_plan_is_as_recorded(&self.officer, &subject.id, &subject.request).await;
        }
    }
}

/// The day of many is closed by one event, that of few by none, and no event tells who went.
fn assert_closed_once_and_names_nobody(closings: &[String], people: &[Subject]) {
    let times = |day: &str| closings.iter().map(|closing| closing.matches(day).count()).sum::<usize>();
    assert_eq!((times(MANY), times(FEW)), (1, 0), "{closings:?}");
    for named in people.iter().flat_map(|subject| [&subject.id, &subject.request]) {
        assert!(!closings.iter().any(|closing| closing.contains(named)), "{named} is in {closings:?}");
    }
}

async fn all_become(officer: &Caller, people: &[Subject], status: &str) {
    for subject in people {
        read_until(officer, &format!("/deletion-requests/{}", subject.request), |request| request["status"] == status).await;
    }
}

pub fn token_keys(world: &World) -> Arc<TokenKeys> {
    Arc::new(world.token_keys())
}
