//! An organization is deleted, from the wish to the purge, on real keys and with the clock ahead (7D, 16.6).

use super::{
    erasure::token_keys,
    load::read_until,
    remains::{all_reach, as_projector, assert_log_is_whole, assert_nothing_is_found, head, left_of, read_models, rebuild_all, telling_of},
    seeded,
    world::{Caller, Victim, World, YEARS},
};
use crate::contexts::code;
use palmares::{
    pipeline::TokenKeys,
    reactors::erasure::{Certificate, PURPOSE},
};
use palmares_domain::{
    compliance::deletion_request::{DeletionKind, DeletionSubject, ErasureStep},
    identity::Role,
    kernel::{OrganizationId, Purpose, UserId},
};
use rand::Rng;
use reqwest::Method;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

// covers: E-160, E-170, E-282, E-159, E-289
#[test]
fn an_organization_goes_step_by_step_and_at_the_end_nothing_of_its_people_can_be_read() {
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(world));
}

/// The organization, its people, and who acts in it.
struct Leaving {
    id: OrganizationId,
    people: Vec<String>,
    platform: Caller,
    admin: Caller,
    /// Of the administrator's authenticator.
    secret: String,
}

async fn run(mut world: World) {
    let mark = format!("canary{:016x}", seeded("organization_erasure").random::<u64>());
    let control = format!("control-of-{mark}").replace("canary", "c");
    let keys = token_keys(&world);
    let descriptor = world.descriptor();
    let everywhere = Caller::new(&world.base_url, &descriptor.tokens.platform_admin);
    let leaving = begin(&world, &everywhere, &keys, &mark, &control).await;
    let breach = json!({ "nature": "integrity", "summary": format!("breach {mark}") });
    let breach = leaving.platform.post("/breaches", breach).await["id"].clone();
    everywhere.post(&format!("/organizations/{}/suspend", leaving.id), json!({ "reason": format!("unpaid {mark}") })).await;
    everywhere.post(&format!("/organizations/{}/resume", leaving.id), json!({})).await;
    let request = leaving.reviewed(&mark).await;

    world.ahead(31);
    leaving.becomes(&request, "SOFT_DELETED").await;
    let hidden = |user: &Value| user["external_ref"].is_null() && user["email"].is_null();
    read_until(&leaving.platform, &format!("/users/{}", leaving.people[0]), hidden).await;
    leaving.assert_hidden(&everywhere, &request).await;
    world.ahead(62);
    world.kill(Victim::Server);
    leaving.becomes(&request, "RETENTION_COUNTDOWN").await;

    let mut database = as_projector(&descriptor.database_url).await;
    let until = head(&mut database).await;
    all_reach(&mut database, until).await;
    assert_eq!(telling_of(&mut database, &leaving.people).await, BTreeSet::new(), "read models tell of its people");
    let said = leaving.certificate(&request, &keys).await;
    assert_eq!((said.subject, said.kind, said.round), (DeletionSubject::Organization(leaving.id), DeletionKind::Organization, 1));
    assert_eq!(said.destroyed, [Purpose::Profile, Purpose::Health, Purpose::Security]);
    let kept: Vec<Purpose> = said.retained.iter().map(|kept| kept.purpose).collect();
    assert_eq!(kept, [Purpose::Reward, Purpose::Hr, Purpose::Case], "what tax and employment law keep, and cases");
    let purged = read_models(&mut database, until, Some(leaving.id)).await;
    rebuild_all(&everywhere, &mut database).await;
    let rebuilt = read_models(&mut database, until, Some(leaving.id)).await;
    for (name, rows) in &purged {
        assert_eq!(Some(rows), rebuilt.get(name), "{name} after a rebuild");
    }

    // What was written about cases is read until nothing else is kept.
    let cases = leaving.cases(&breach).await;
    assert_eq!(cases, [json!(format!("breach {mark}")), json!(format!("case {mark}"))]);

    // When the last retention is over, no key is left of anybody, and nothing that they sealed.
    world.ahead(62 + 3700);
    leaving.becomes(&request, "PURGED").await;
    assert_eq!(left_of(&world, leaving.id).await, [0; 4], "keys, sealed values, addresses and claims are left");
    assert_eq!(leaving.cases(&breach).await, [Value::Null, Value::Null]);
    assert_nothing_is_found(&world, &mark, &control, &leaving.platform).await;
    assert_log_is_whole(&world);
    let last = leaving.certificate(&request, &keys).await;
    assert_eq!((last.destroyed, last.retained), (vec![Purpose::Reward, Purpose::Hr, Purpose::Case], Vec::new()));
    leaving.assert_all_is_certified(&request, &keys, &said.destroyed).await;
    assert!(last.steps.iter().any(|(step, count)| *step == ErasureStep::KeysDestroyed && *count > 0), "{:?}", last.steps);
    let own =
        read_until(&leaving.platform, &format!("/organizations/{}?include_deleted=true", leaving.id), |found| found["status"] == "PURGED")
            .await;
    // Its short name is free again.
    everywhere.post("/organizations", json!({ "name": "Next", "slug": own["slug"] })).await;
}

/// Makes an organization whose people leave traces of every purpose.
async fn begin(world: &World, everywhere: &Caller, keys: &Arc<TokenKeys>, mark: &str, control: &str) -> Leaving {
    let created = everywhere.post("/organizations", json!({ "name": "Leaving", "slug": "leaving" })).await;
    let id = OrganizationId(created["id"].as_str().expect("an id").parse().expect("an id"));
    let platform = everywhere.in_organization(id);
    let program = platform.post("/points/programs", json!({ "name": control })).await["id"].clone();
    let (mut people, mut admin) = (Vec::new(), None);
    for (n, role) in [Role::OrganizationAdmin, Role::Member, Role::Member].into_iter().enumerate() {
        let canary = format!("{mark}{n}");
        let user =
            json!({ "external_ref": canary, "role": role.name(), "display_name": canary, "email": format!("{canary}@example.test") });
        let user = platform.post("/users", user).await["id"].as_str().expect("an id").to_owned();
        let token = keys.mint(UserId(user.parse().expect("an id")), id, [role], YEARS).expect("a token");
        let own = Caller::new(&world.base_url, &token);
        let credit = json!({ "program_id": program, "user_id": user, "amount": 10, "reason": canary });
        platform.post("/points/credits", credit).await;
        let record = json!({
            "user_id": user, "source": "test", "source_record_id": canary, "metric": "steps", "value": 1234, "local_day": "2026-01-05",
            "time_zone": "Europe/Paris",
        });
        own.post("/activities", json!({ "items": [record] })).await;
        people.push(user);
        admin.get_or_insert(own);
    }
    let admin = admin.expect("an administrator");
    let secret = admin.post("/me/mfa/totp", json!({})).await["secret"].as_str().expect("a secret").to_owned();
    admin.post("/me/mfa/totp/confirm", json!({ "code": code(&secret, -1) })).await;
    Leaving { id, people, platform, admin, secret }
}

impl Leaving {
    /// Asked for and proved by its administrator, and approved by the platform once nothing is in the way.
    async fn reviewed(&self, mark: &str) -> String {
        let asked = self.admin.request(Method::DELETE, &format!("/organizations/{}", self.id)).json(&json!({ "reason": mark }));
        let asked: Value = asked.send().await.expect("the server answers").json().await.expect("JSON");
        assert_eq!(asked["status"], "SUBMITTED", "{asked}");
        let request = asked["id"].as_str().expect("an id").to_owned();
        let approve = format!("/deletion-requests/{request}/approve");
        let nothing = json!({});
        assert_eq!(self.platform.status(Method::POST, &approve, &nothing).await, 422, "nobody has proved that they asked");
        self.admin.post(&format!("/deletion-requests/{request}/verify"), json!({ "code": code(&self.secret, 0) })).await;
        assert_eq!(self.admin.status(Method::POST, &approve, &nothing).await, 403, "the platform decides");

        // Nobody has taken it out yet, and then the law has something to say.
        assert_eq!(self.platform.status(Method::POST, &approve, &nothing).await, 409, "an export is offered first");
        let events = self.admin.request(Method::GET, "/events").header("Accept", "application/x-ndjson");
        let package = events.send().await.expect("the server answers").bytes().await.expect("an export");
        assert!(String::from_utf8_lossy(&package).contains(&self.people[2]), "its administrator takes out what is recorded");
        let hold = self.platform.post("/legal-holds", json!({ "subjects": [], "matter": format!("case {mark}") })).await["id"].clone();
        let held = |request: &Value| request["status"] == "HELD";
        read_until(&self.platform, &format!("/deletion-requests/{request}"), held).await;
        assert_eq!(self.platform.status(Method::POST, &approve, &nothing).await, 409, "a legal hold is in the way");
        let release = format!("/legal-holds/{}/release", hold.as_str().expect("an id"));
        assert_eq!(self.admin.status(Method::POST, &release, &nothing).await, 403, "whoever administers it lifts no hold");
        self.platform.post(&release, json!({})).await;
        let goes_on = |request: &Value| request["status"] == "IN_REVIEW";
        read_until(&self.platform, &format!("/deletion-requests/{request}"), goes_on).await;

        self.approved(&approve).await;
        let shown = read_until(&self.platform, &format!("/deletion-requests/{request}"), |request| request["status"] == "GRACE").await;
        let found = |check: &str| {
            shown["checks"].as_array().expect("checks").iter().find(|of| of["check"] == check).expect("the check")["outcome"].clone()
        };
        assert_eq!(
            (found("settlement"), found("retention"), found("export_package")),
            (json!("nothing_to_check"), json!("clear"), json!("clear"))
        );
        assert_eq!(self.admin.status(Method::GET, "/users", &Value::Null).await, 403, "its people act no more");
        let pending = |found: &Value| found["status"] == "ORG_PENDING_DELETION";
        read_until(&self.platform, &format!("/organizations/{}", self.id), pending).await;
        request
    }

    /// What was written about the breach, and about the hold.
    async fn cases(&self, breach: &Value) -> [Value; 2] {
        let listed = async |path: &str| read_until(&self.platform, path, |listed| listed["items"][0].is_object()).await["items"][0].clone();
        let (of_breach, hold) = (listed("/breaches").await, listed("/legal-holds").await);
        assert_eq!(of_breach["id"], *breach);
        [of_breach["summary"].clone(), hold["matter"].clone()]
    }

    /// It is in no list that does not ask for it, and says when, by whom, why and until when.
    async fn assert_hidden(&self, everywhere: &Caller, request: &str) {
        let path = format!("/organizations/{}", self.id);
        let told = read_until(everywhere, &format!("{path}?include_deleted=true"), |found| found["deleted_at"].is_string()).await;
        let asked = read_until(&self.platform, &format!("/deletion-requests/{request}"), Value::is_object).await;
        assert_eq!((&told["deleted_by"], &told["retention_expiry"]), (&asked["requested_by"], &asked["due_at"]));
        assert_eq!(told["deletion_reason"], json!({ "request_id": request, "kind": "ORGANIZATION", "ground": null }));
        assert_eq!(everywhere.status(Method::GET, &path, &Value::Null).await, 404);
        for (list, is_there) in [("/organizations?limit=100", false), ("/organizations?limit=100&include_deleted=true", true)] {
            let listed = read_until(everywhere, list, Value::is_object).await;
            let found = listed["items"].as_array().expect("a list").iter().any(|found| found["id"] == json!(self.id));
            assert_eq!(found, is_there, "{list}: {listed}");
        }
    }

    /// The export is found as soon as the decision that let it be taken is.
    async fn approved(&self, path: &str) {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while self.platform.status(Method::POST, path, &json!({})).await != 200 {
            assert!(std::time::Instant::now() < deadline, "it is not approved in time");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn becomes(&self, request: &str, status: &str) {
        read_until(&self.platform, &format!("/deletion-requests/{request}"), |request| request["status"] == status).await;
    }

    /// What the first round destroyed is proved still, beside the last one, and nothing is said to go any more.
    async fn assert_all_is_certified(&self, request: &str, keys: &TokenKeys, first: &[Purpose]) {
        let rounds = read_until(&self.platform, &format!("/deletion-requests/{request}/certificate"), Value::is_object).await;
        let earlier = rounds["earlier"].as_array().expect("a list");
        let said: Certificate = keys.unseal(PURPOSE, earlier[0]["certificate"].as_str().expect("a certificate")).expect("it verifies");
        assert_eq!((earlier.len(), said.round, said.destroyed.as_slice()), (1, 1, first), "{rounds}");
        assert!(earlier[0]["position"].as_i64() < rounds["position"].as_i64(), "{rounds}");
        let payload: Value = serde_json::from_str(earlier[0]["payload"].as_str().expect("the recorded bytes")).expect("JSON");
        assert_eq!(payload["certificate"], earlier[0]["certificate"]);
        let plan = read_until(&self.platform, "/deletion-preview", Value::is_object).await;
        assert_eq!((&plan["status"], &plan["goes"], &plan["stays"]), (&json!("PURGED"), &json!([]), &json!([])));
    }

    async fn certificate(&self, request: &str, keys: &TokenKeys) -> Certificate {
        let certificate = read_until(&self.platform, &format!("/deletion-requests/{request}/certificate"), Value::is_object).await;
        keys.unseal(PURPOSE, certificate["certificate"].as_str().expect("a certificate")).expect("it verifies")
    }
}
