//! Recognition: teams, who manages them, who sees them, and what follows from being in one.

use crate::support::running::{Client, Organization, Reply, fresh_organization, mint};
use palmares_domain::identity::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A team with somebody in each role, as themselves.
struct Ground {
    organization: Organization,
    team: String,
    owner: (String, Client),
    coach: (String, Client),
    member: (String, Client),
    position: i64,
}

impl Organization {
    async fn somebody(&self, external_ref: &str) -> (String, Client) {
        let user = self.add_member(external_ref).await;
        let client = self.admin.with_token(&mint(&user, self.id, Role::Member));
        (user, client)
    }

    async fn create_team(&self, name: &str, owner: &str) -> Reply {
        self.admin.post("/teams", &json!({ "name": name, "owner_id": owner })).await
    }

    async fn limit_teams_to(&self, size: Value) {
        let settings = format!("/organizations/{}/settings", self.id);
        self.admin.send("PATCH", &settings, &json!({ "max_team_size": size })).await.expect(200);
    }
}

async fn add(client: &Client, team: &str, user: &str, role: &str) -> Reply {
    client.post(&format!("/teams/{team}/members"), &json!({ "user_id": user, "role": role })).await
}

impl Ground {
    async fn new() -> Self {
        let organization = fresh_organization().await;
        let (owner, coach, member) =
            (organization.somebody("owner").await, organization.somebody("coach").await, organization.somebody("player").await);
        let team = organization.create_team("Sales", &owner.0).await.expect(201).id("id");
        add(&organization.admin, &team, &coach.0, "coach").await.expect(200);
        let position = add(&organization.admin, &team, &member.0, "member").await.expect(200).position();
        Self { organization, team, owner, coach, member, position }
    }

    fn path(&self, rest: &str) -> String {
        format!("/teams/{}{rest}", self.team)
    }

    /// Who is what in the team, as an administrator sees it now.
    async fn people(&self) -> Vec<(String, String)> {
        let shown = self.organization.admin.get_at(&self.path(""), self.organization.head().await).await.expect(200).body;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let members = shown["members"].as_array().expect("members").iter();
        members.map(|member| (text(&member["user_id"]), text(&member["role"]))).collect()
    }
}

// covers: P-83
#[tokio::test]
async fn an_administrator_creates_names_and_archives_teams() {
    let organization = fresh_organization().await;
    let (owner, _) = organization.somebody("owner").await;
    let created = organization.create_team("Sales", &owner).await.expect(201);
    let team = created.id("id");
    assert!(created.header("location").ends_with(&format!("/teams/{team}")));
    let path = format!("/teams/{team}");
    let shown = organization.admin.get_at(&path, created.position()).await.expect(200).body;
    let fields = ["name", "status", "size", "without_owner", "archived_at"].map(|field| shown[field].clone());
    assert_eq!(fields, [json!("Sales"), json!("ACTIVE"), json!(1), json!(false), Value::Null]);
    assert_eq!((&shown["members"][0]["user_id"], &shown["members"][0]["role"]), (&json!(owner), &json!("owner")));

    organization.admin.send("PATCH", &path, &json!({ "name": "Support" })).await.expect(200);
    let other = organization.create_team("Engineering", &owner).await.expect(201).id("id");
    let archived = organization.admin.post(&format!("{path}/archive"), &json!({})).await.expect(200);
    let listed = organization.admin.get_at("/teams", archived.position()).await.expect(200);
    let told = |reply: &Reply| reply.items().iter().map(|team| (team["name"].clone(), team["status"].clone())).collect::<Vec<_>>();
    assert_eq!(told(&listed), [(json!("Support"), json!("ARCHIVED")), (json!("Engineering"), json!("ACTIVE"))]);
    let open = organization.admin.get("/teams?archived=false").await.expect(200);
    assert_eq!(open.items().iter().map(|team| team["id"].clone()).collect::<Vec<_>>(), [json!(other)]);
    let first = organization.admin.get("/teams?limit=1").await.expect(200);
    let cursor = first.body["next_cursor"].as_str().expect("a cursor");
    assert_eq!(organization.admin.get(&format!("/teams?limit=1&cursor={cursor}")).await.expect(200).items()[0]["id"], other);

    // What is archived stays as it is, for whoever was in it to read.
    let before = organization.domain_events().await;
    let (late, _) = organization.somebody("late").await;
    organization.admin.send("PATCH", &path, &json!({ "name": "Sales" })).await.refused(409, "CONFLICT");
    let refused = add(&organization.admin, &team, &late, "member").await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "recognition.team_archived");
    organization.admin.send("DELETE", &format!("{path}/members/{owner}"), &json!({})).await.refused(409, "CONFLICT");
    organization.admin.post(&format!("{path}/archive"), &json!({})).await.refused(409, "CONFLICT");
    assert_eq!(organization.domain_events().await.len(), before.len() + 1, "of the team nothing");
}

/// Each way to a team, for whoever is what in it, for strangers of the organization, and for its administrators.
///
/// covers: T-07
#[tokio::test]
async fn what_somebody_may_in_a_team_follows_from_what_they_are_in_it() {
    let ground = Ground::new().await;
    let (organization, newcomer) = (&ground.organization, ground.organization.add_member("newcomer").await);
    let people = [
        ("a stranger", &organization.member),
        ("an officer", &organization.officer),
        ("an analyst", &organization.analyst),
        ("a member", &ground.member.1),
        ("a coach", &ground.coach.1),
        ("an owner", &ground.owner.1),
        ("an administrator", &organization.admin),
        ("the platform", &organization.platform),
    ];
    let of_newcomer = format!("/members/{newcomer}");
    let add_newcomer = json!({ "user_id": newcomer, "role": "member" });
    // What the eight are answered, in their order.
    let cells: [(&str, String, Value, [u16; 8]); 7] = [
        ("GET", ground.path(""), json!({}), [404, 404, 404, 200, 200, 200, 200, 200]),
        ("POST", ground.path("/members"), add_newcomer.clone(), [404, 404, 404, 403, 403, 200, 200, 200]),
        ("PATCH", ground.path(&of_newcomer), json!({ "role": "coach" }), [404, 404, 404, 403, 403, 200, 200, 200]),
        ("DELETE", ground.path(&of_newcomer), json!({}), [404, 404, 404, 403, 403, 200, 200, 200]),
        ("PATCH", ground.path(""), json!({ "name": "Sales" }), [403, 403, 403, 403, 403, 403, 200, 200]),
        ("GET", "/teams".to_owned(), json!({}), [403, 403, 403, 403, 403, 403, 200, 200]),
        ("POST", "/teams".to_owned(), json!({ "name": "Mine", "owner_id": newcomer }), [403, 403, 403, 403, 403, 403, 201, 201]),
    ];
    organization.admin.get_at(&ground.path(""), ground.position).await.expect(200);
    for (verb, path, body, expected) in cells {
        for ((who, client), expected) in people.iter().zip(expected) {
            // Where somebody may add the newcomer they are not in the team, elsewhere they are.
            let there = ground.people().await.iter().any(|(user, _)| *user == newcomer);
            match (verb, path.ends_with("/members"), there) {
                ("POST", true, true) => drop(organization.admin.send("DELETE", &ground.path(&of_newcomer), &json!({})).await.expect(200)),
                ("PATCH" | "DELETE", false, false) => drop(add(&organization.admin, &ground.team, &newcomer, "member").await.expect(200)),
                _ => {}
            }
            let answer = match verb {
                "GET" => client.get(&path).await,
                verb => client.send(verb, &path, &body).await,
            };
            assert_eq!(answer.status, expected, "{who}: {verb} {path}: {}", answer.body);
        }
    }
    for client in [&organization.member, &ground.member.1, &ground.coach.1, &ground.owner.1] {
        client.post(&ground.path("/archive"), &json!({})).await.refused(403, "ACCESS_DENIED");
    }
}

// covers: T-07, P-83
#[tokio::test]
async fn an_owner_manages_who_is_in_the_team_and_it_keeps_an_owner() {
    let ground = Ground::new().await;
    let (owner, by) = (&ground.owner.0, &ground.owner.1);
    let newcomer = ground.organization.add_member("newcomer").await;
    let before = ground.organization.domain_events().await;
    let of = |user: &str| ground.path(&format!("/members/{user}"));

    // The only owner stays one; whoever is in the team is not added again; whoever is not, is not there.
    let refused = by.send("DELETE", &of(owner), &json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "recognition.last_owner");
    by.send("PATCH", &of(owner), &json!({ "role": "coach" })).await.refused(409, "CONFLICT");
    let again = add(by, &ground.team, &ground.coach.0, "member").await.refused(409, "CONFLICT");
    assert_eq!(again.body["errors"][0]["field"], "user_id");
    by.send("PATCH", &of(&newcomer), &json!({ "role": "coach" })).await.refused(404, "RESOURCE_NOT_FOUND");
    by.send("DELETE", &of(&newcomer), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    by.send("PATCH", &of(&ground.coach.0), &json!({ "role": "king" })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(ground.organization.domain_events().await, before);

    add(by, &ground.team, &newcomer, "member").await.expect(200);
    by.send("PATCH", &of(&newcomer), &json!({ "role": "owner" })).await.expect(200);
    by.send("DELETE", &of(owner), &json!({})).await.expect(200);
    let expected = [(&ground.coach.0, "coach"), (&ground.member.0, "member"), (&newcomer, "owner")];
    let people = ground.people().await;
    assert_eq!(people.iter().map(|(user, role)| (user, role.as_str())).collect::<Vec<_>>(), expected);
    // Whoever is out is out at once.
    by.get(&ground.path("")).await.refused(404, "RESOURCE_NOT_FOUND");
    add(by, &ground.team, owner, "owner").await.refused(404, "RESOURCE_NOT_FOUND");

    // What somebody is in one team says nothing of another.
    let elsewhere = ground.organization.create_team("Support", &ground.coach.0).await.expect(201).id("id");
    add(&ground.coach.1, &elsewhere, &newcomer, "member").await.expect(200);
    add(&ground.coach.1, &ground.team, owner, "member").await.refused(403, "ACCESS_DENIED");
    let newcomer_reads = ground.organization.admin.with_token(&mint(&newcomer, ground.organization.id, Role::Member));
    let mine = newcomer_reads.get_at("/me/teams", ground.organization.head().await).await.expect(200);
    let roles: Vec<_> = mine.items().iter().map(|team| (team["name"].as_str(), team["role"].as_str())).collect();
    assert_eq!(roles, [(Some("Support"), Some("member")), (Some("Sales"), Some("owner"))]);
    ground.coach.1.get(&format!("/users/{newcomer}/teams")).await.refused(404, "RESOURCE_NOT_FOUND");
    assert_eq!(ground.organization.admin.get(&format!("/users/{newcomer}/teams")).await.expect(200).items().len(), 2);
}

// covers: P-113
#[tokio::test]
async fn a_team_is_no_larger_than_the_organization_says() {
    let ground = Ground::new().await;
    let organization = &ground.organization;
    let settings = format!("/organizations/{}/settings", organization.id);
    assert_eq!(organization.admin.get(&settings).await.expect(200).body["max_team_size"], 50);
    for size in [json!(0), json!(501), json!("many")] {
        let refused = organization.admin.send("PATCH", &settings, &json!({ "max_team_size": size })).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], "max_team_size");
    }
    let (one, other) = (organization.add_member("one").await, organization.add_member("other").await);
    organization.limit_teams_to(json!(3)).await;
    let refused = add(&ground.owner.1, &ground.team, &one, "member").await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "recognition.team_full");

    // Of two who come at once to the last place one gets it.
    organization.limit_teams_to(json!(4)).await;
    let both = tokio::join!(add(&ground.owner.1, &ground.team, &one, "member"), add(&organization.admin, &ground.team, &other, "coach"));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(ground.people().await.len(), 4);
    organization.limit_teams_to(Value::Null).await;
    let late = if both.0.status == 200 { &other } else { &one };
    add(&ground.owner.1, &ground.team, late, "member").await.expect(200);
}

// covers: P-83
#[tokio::test]
async fn only_active_users_of_the_organization_are_in_its_teams() {
    let (ground, other) = (Ground::new().await, fresh_organization().await);
    let organization = &ground.organization;
    let (suspended, _) = organization.somebody("suspended").await;
    organization.admin.post(&format!("/users/{suspended}/suspend"), &json!({})).await.expect(200);
    let before = organization.domain_events().await;
    for nobody in [suspended, other.member_id.clone(), Uuid::now_v7().to_string()] {
        for refused in [add(&ground.owner.1, &ground.team, &nobody, "member").await, organization.create_team("Theirs", &nobody).await] {
            let error = &refused.refused(422, "VALIDATION_ERROR").body["errors"][0];
            assert_eq!(error["reason"], "recognition.no_active_user");
        }
    }
    let name = organization.create_team(" Sales", &ground.owner.0).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(name.body["errors"][0]["field"], "name");
    assert_eq!(organization.domain_events().await, before);

    // A team of another organization is not there, whoever asks.
    for client in [&other.admin, &other.member] {
        client.get(&ground.path("")).await.refused(404, "RESOURCE_NOT_FOUND");
        add(client, &ground.team, &other.member_id, "owner").await.refused(404, "RESOURCE_NOT_FOUND");
    }
    assert_eq!(other.admin.get("/teams").await.expect(200).items().len(), 0);

    // Whoever is deactivated keeps their place for when they come back, and acts in no team until then.
    organization.admin.post(&format!("/users/{}/deactivate", ground.owner.0), &json!({})).await.expect(200);
    ground.owner.1.get(&ground.path("")).await.refused(401, "AUTHENTICATION_FAILED");
    assert_eq!(ground.people().await[0], (ground.owner.0.clone(), "owner".to_owned()));
}

// covers: T-07
#[tokio::test]
async fn what_somebody_could_do_in_a_team_on_another_day_can_be_asked() {
    let ground = Ground::new().await;
    let (organization, coach) = (&ground.organization, &ground.coach.0);
    let ask = async |permission: &str, team: &str, as_of: Option<i64>| {
        let as_of = as_of.map(|position| position.to_string());
        let asked = json!({ "user_id": coach, "permission": permission, "team_id": team, "as_of": as_of });
        organization.admin.post("/authz/check", &asked).await.expect(200).body
    };
    let as_coach = ground.position;
    let promoted = json!({ "role": "owner" });
    let as_owner = organization.admin.send("PATCH", &ground.path(&format!("/members/{coach}")), &promoted).await.expect(200).position();
    organization.admin.send("DELETE", &ground.path(&format!("/members/{coach}")), &json!({})).await.expect(200);
    let elsewhere = organization.create_team("Support", &organization.member_id).await.expect(201).id("id");
    let (adds, reads) = ("recognition.member.add", "recognition.team.read");
    for (permission, team, as_of, expected) in [
        (reads, &ground.team, Some(as_coach), "PERMIT"),
        (adds, &ground.team, Some(as_coach), "DENY"),
        (adds, &ground.team, Some(as_owner), "PERMIT"),
        (adds, &elsewhere, Some(as_owner), "DENY"),
        (adds, &ground.team, None, "DENY"),
        (reads, &ground.team, None, "DENY"),
    ] {
        let said = ask(permission, team, as_of).await;
        assert_eq!(said["decision"], expected, "{permission} as of {as_of:?}: {said}");
    }
    let said = ask(adds, &ground.team, Some(as_owner)).await;
    assert!(said["policies"][0].as_str().is_some_and(|policy| policy.starts_with("team.owner@")), "{said}");
    // In a batch each question has its own team.
    let questions = [&ground.team, &elsewhere].map(|team| json!({ "permission": adds, "team_id": team }));
    let batch = json!({ "user_id": coach, "as_of": as_owner.to_string(), "questions": questions });
    let said = organization.admin.post("/authz/batch-check", &batch).await.expect(200);
    assert_eq!(said.items().iter().map(|item| item["decision"].clone()).collect::<Vec<_>>(), [json!("PERMIT"), json!("DENY")]);
}

/// What an organization writes itself speaks of teams as the platform's own policies do.
#[tokio::test]
async fn an_organization_forbids_and_permits_by_what_people_are_in_a_team() {
    let ground = Ground::new().await;
    let organization = &ground.organization;
    let before = add(&ground.coach.1, &ground.team, &organization.member_id, "member").await;
    before.refused(403, "ACCESS_DENIED");
    let text = r#"permit (principal, action == Action::"recognition.member.add", resource in Relation::"team_coach");"#;
    organization.admin.post("/policy-store/policies", &json!({ "name": "coaches-add", "text": text })).await.expect(201);
    organization.admin.post("/policy-store/versions", &json!({})).await.expect(200);
    add(&ground.coach.1, &ground.team, &organization.member_id, "member").await.expect(200);
    let of_member = ground.path(&format!("/members/{}", organization.member_id));
    ground.coach.1.send("DELETE", &of_member, &json!({})).await.refused(403, "ACCESS_DENIED");
}

// covers: E-17
#[tokio::test]
async fn the_directory_finds_people_by_role_status_and_team() {
    let (ground, other) = (Ground::new().await, fresh_organization().await);
    let organization = &ground.organization;
    let expert = json!({ "external_ref": "expert", "role": "expert" });
    let expert = organization.admin.post("/users", &expert).await.expect(201).id("id");
    add(&organization.admin, &ground.team, &expert, "coach").await.expect(200);
    organization.admin.post(&format!("/users/{}/suspend", ground.member.0), &json!({})).await.expect(200);
    let (team, head) = (&ground.team, organization.head().await);
    let find = async |filter: &str| {
        let found = organization.admin.get_at(&format!("/users?{filter}"), head).await.expect(200);
        let mut ids: Vec<String> = found.items().iter().map(|user| user["id"].as_str().expect("an id").to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    let sorted = |ids: &[&String]| {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort_unstable();
        ids
    };
    let (owner, coach, member) = (&ground.owner.0, &ground.coach.0, &ground.member.0);
    assert_eq!(find(&format!("team={team}")).await, sorted(&[owner, coach, member, &expert]));
    assert_eq!(find(&format!("team={team}&status=ACTIVE")).await, sorted(&[owner, coach, &expert]));
    assert_eq!(find(&format!("team={team}&role=expert")).await, sorted(&[&expert]));
    assert_eq!(find(&format!("team={team}&role=member&status=SUSPENDED")).await, sorted(&[member]));
    assert_eq!(find("status=SUSPENDED").await, sorted(&[member]));
    assert_eq!(find("role=expert").await, sorted(&[&expert]));
    assert_eq!(find("external_ref=expert").await, sorted(&[&expert]));
    assert_eq!(find(&format!("team={team}&external_ref=expert&role=member")).await, sorted(&[]));
    assert_eq!(find(&format!("team={}", Uuid::now_v7())).await, sorted(&[]));
    let paged = organization.admin.all(&format!("/users?team={team}")).await;
    assert_eq!(paged.len(), 4);

    // Of the own organization alone, and for whoever may look people up.
    assert_eq!(other.admin.get_at(&format!("/users?team={team}"), head).await.expect(200).items().len(), 0);
    ground.owner.1.get(&format!("/users?team={team}")).await.refused(403, "ACCESS_DENIED");
    organization.admin.get("/users?team=sales").await.refused(422, "VALIDATION_ERROR");
    organization.admin.get("/users?status=sleeping").await.refused(422, "VALIDATION_ERROR");
}

// covers: T-35
#[tokio::test]
async fn points_are_earned_in_teams_that_one_is_in_and_kept_per_team() {
    let ground = Ground::new().await;
    let organization = &ground.organization;
    let (program, user) = (organization.program().await, &ground.member.0);
    let credit = async |team: Option<&str>, amount: i64| {
        let body = json!({ "program_id": program, "user_id": user, "team_id": team, "amount": amount });
        organization.admin.post_with("/points/credits", &body, &[("Prefer", "wait=30")]).await
    };
    credit(Some(&ground.team), 30).await.expect(200);
    credit(None, 5).await.expect(200);
    let elsewhere = organization.create_team("Support", &ground.owner.0).await.expect(201).id("id");
    for stranger in [elsewhere, Uuid::now_v7().to_string()] {
        let refused = credit(Some(&stranger), 1).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(
            (&refused.body["errors"][0]["field"], &refused.body["errors"][0]["reason"]),
            (&json!("team_id"), &json!("points.not_in_team"))
        );
    }
    // What was earned in a team can be spent by whoever left it.
    organization.admin.send("DELETE", &ground.path(&format!("/members/{user}")), &json!({})).await.expect(200);
    credit(Some(&ground.team), 1).await.refused(422, "VALIDATION_ERROR");
    let debit = json!({ "program_id": program, "user_id": user, "team_id": ground.team, "amount": 10 });
    let spent = organization.admin.post("/points/debits", &debit).await.expect(201);
    let balance = ground.member.1.get_at(&format!("/users/{user}/points"), spent.position()).await.expect(200).body;
    let kept: Vec<_> =
        balance["items"].as_array().expect("accounts").iter().map(|item| (item["team_id"].clone(), item["posted"].clone())).collect();
    assert_eq!(kept, [(Value::Null, json!(5)), (json!(ground.team), json!(20))]);
}

#[tokio::test]
async fn a_team_is_asked_for_by_its_id() {
    let organization = fresh_organization().await;
    organization.admin.get("/teams/sales").await.refused(404, "RESOURCE_NOT_FOUND");
    organization.admin.get(&format!("/teams/{}", Uuid::now_v7())).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.member.get(&format!("/teams/{}", Uuid::now_v7())).await.refused(404, "RESOURCE_NOT_FOUND");
    let request = organization.admin.request(Method::GET, "/teams?name=sales");
    Reply::of(request).await.refused(422, "VALIDATION_ERROR");
}
