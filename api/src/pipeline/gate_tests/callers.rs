//! Callers by other means than a token: programs by their keys, browsers by their cookies, people with elevations.

use super::*;

/// covers: P-33
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_good_opens_nothing_and_says_nothing() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let good = key(KEY, SECRET);
    let bad = [
        ("a key that is not there", key(ApiKeyId(Uuid::from_u128(39)), SECRET)),
        ("a key with another secret", key(KEY, [8; 32])),
        ("half a key", good[..good.len() / 2].to_owned()),
        ("nothing but a prefix", "pk_".to_owned()),
    ];
    for route in gated() {
        let path = path(route, "", "");
        for (case, text) in &bad {
            let by_token = request(&house, route, &path).bearer_auth(text);
            let body = expect(case, route, by_token, 401, "AUTHENTICATION_FAILED").await;
            assert_eq!(body["reason"], "gate.token_invalid", "{case}");
            let by_header = request(&house, route, &path).header(API_KEY_HEADER, text);
            let body = expect(case, route, by_header, 401, "AUTHENTICATION_FAILED").await;
            assert_eq!(body["reason"], "gate.token_invalid", "{case}");
        }
        let twice = request(&house, route, &path).bearer_auth("not.a.token").header(API_KEY_HEADER, &good);
        expect("a key beside a bad token", route, twice, 401, "AUTHENTICATION_FAILED").await;
    }
    assert!(house.refusals().is_empty(), "a key that anyone can make up was recorded");
}

/// What the key would grant, and people alone may do.
const BY_PEOPLE: [&str; 3] = ["identity.user.approve_reactivation", "identity.user.cancel_deletion", "identity.user.reactivate"];

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_what_it_grants_in_its_own_organization_and_owns_nothing() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let text = key(KEY, SECRET);
    for route in gated() {
        let plain = path(route, "", "");
        let start = |path: &str| request(&house, route, path).header(API_KEY_HEADER, &text);
        let foreign = start(&plain).header("Palmares-Organization", GLOBEX.to_string());
        expect("another organization", route, foreign, 403, "TENANT_MISMATCH").await;
        let stranded = request(&house, route, &plain).bearer_auth(key(STRANDED_KEY, SECRET));
        expect("suspended organization", route, stranded, 403, "ACCESS_DENIED").await;
        let granted = |needed: &str| needed.starts_with("identity.user.") && !BY_PEOPLE.contains(&needed);
        if route.permission.is_some_and(granted) {
            // Past the policy, the request ends at the parameter that it should not have.
            expect("what it grants", route, start(&format!("{plain}?shoe_size=43")), 422, "VALIDATION_ERROR").await;
        } else {
            // Not even where a user in whose place it stands could read what is their own.
            let own = path(route, "user_id", &KEY.to_string());
            expect("what it does not grant", route, start(&own), 403, "ACCESS_DENIED").await;
        }
    }
    let recorded = house.refusals();
    assert!(recorded.iter().all(|refusal| [KEY.0, STRANDED_KEY.0].contains(&refusal.access.actor.0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_used_up_its_quota_is_told_when_to_come_back() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let route = gated().find(|route| route.path == "/roles" && route.verb == Verb::Get).unwrap();
    let path = path(route, "", "");
    let ask = || request(&house, route, &path).bearer_auth(key(BUSY_KEY, SECRET));
    for _ in 0..2 {
        expect("within the quota", route, ask(), 403, "ACCESS_DENIED").await;
    }
    let response = ask().send().await.unwrap();
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&wait), "{wait}");
    assert_eq!(response.json::<Value>().await.unwrap()["reason"], "gate.quota_exceeded");
    assert!(house.refusals().iter().any(|refusal| refusal.reason == "gate.quota_exceeded"));
}

/// A cookie of Ann's, and what her page says with it.
fn cookie(session: SessionId) -> (String, String) {
    let name = SessionName { organization: ACME, user: ANN, session };
    let secret = CookieSecret { name, family: fresh_half().unwrap() };
    (format!("{SESSION_COOKIE}={}", secret.text()), secret.csrf())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_signed_out_is_out() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let ended = house
        .tokens
        .mint_for(Some(ENDED), ANN, ACME, [Role::OrganizationAdmin], crate::pipeline::Told::default(), Duration::from_secs(60))
        .unwrap();
    let (over, csrf) = cookie(ENDED);
    for route in gated() {
        let path = path(route, "", "");
        let by_token = request(&house, route, &path).bearer_auth(&ended);
        expect("a token of a session that ended", route, by_token, 401, "AUTHENTICATION_FAILED").await;
        for cookie in [&over, &format!("{SESSION_COOKIE}=pc_made-up"), &format!("{SESSION_COOKIE}=")] {
            let by_cookie = request(&house, route, &path).header("Cookie", cookie).header(CSRF_HEADER, &csrf);
            expect("a cookie of no session", route, by_cookie, 401, "AUTHENTICATION_FAILED").await;
        }
    }
    assert_eq!(house.refusals().len(), gated().count(), "a cookie that anyone can make up was recorded, or a token that we signed was not");
}

/// T-62: a page of somebody else's can send the cookie, and does not know what ours knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_alone_changes_nothing() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let ((cookie, _), (_, of_another)) = (cookie(LIVE), cookie(LIVE));
    for route in gated().filter(|route| route.verb != Verb::Get) {
        let path = path(route, "", "");
        let alone = request(&house, route, &path).header("Cookie", &cookie);
        let body = expect("a cookie alone", route, alone, 403, "ACCESS_DENIED").await;
        assert_eq!(body["reason"], "gate.csrf_missing");
        let guessed = request(&house, route, &path).header("Cookie", &cookie).header(CSRF_HEADER, &of_another);
        expect("a cookie with another's word", route, guessed, 403, "ACCESS_DENIED").await;
    }
}

/// covers: E-33
#[tokio::test(flavor = "multi_thread")]
async fn an_elevation_that_gives_nothing_is_refused_and_remembered() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    for route in gated() {
        let named = request(&house, route, &path(route, "", "")).bearer_auth(admin(&house));
        let made_up = named.header(ELEVATION_HEADER, Uuid::from_u128(77).to_string());
        let body = expect("an elevation that is not there", route, made_up, 403, "ACCESS_DENIED").await;
        assert_eq!(body["reason"], "gate.elevation_not_active");
        let malformed = request(&house, route, &path(route, "", "")).bearer_auth(admin(&house)).header(ELEVATION_HEADER, "mine");
        expect("an elevation that is none", route, malformed, 422, "VALIDATION_ERROR").await;
    }
    let remembered = house.refusals().iter().filter(|refusal| refusal.reason == "gate.elevation_not_active").count();
    assert_eq!(remembered, gated().count());
}

/// covers: E-33
#[tokio::test(flavor = "multi_thread")]
async fn whoever_acts_as_another_does_not_reach_how_that_one_signs_in() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let kept = ["compliance.subject_export.", "identity.self.", "identity.credential.", "identity.session.", "identity.elevation."];
    let mut attacked = 0;
    for route in gated().filter(|route| route.permission.is_some_and(|permission| kept.iter().any(|kept| permission.starts_with(kept)))) {
        let named = request(&house, route, &path(route, "", "")).bearer_auth(admin(&house)).header(ELEVATION_HEADER, AS_BOB.to_string());
        expect("as another user", route, named, 403, "ACCESS_DENIED").await;
        let refused = house.refusals().pop().unwrap();
        assert_eq!((refused.access.on_behalf_of, refused.access.elevation), (Some(BOB), Some(AS_BOB)));
        assert!(refused.policies.iter().any(|policy| policy.starts_with("platform.")), "{:?}", refused.policies);
        attacked += 1;
    }
    assert!(attacked > 10, "{attacked} rows");
}

const MISSING: &str = "gate.permission_missing";

/// Why each of these tokens is refused at a row, with a parameter that no row takes.
async fn reasons(house: &House, route: &Route, tokens: &[String]) -> Vec<String> {
    let path = format!("{}?shoe_size=43", path(route, "", ""));
    let mut reasons = Vec::new();
    for token in tokens {
        let body: Value = request(house, route, &path).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        reasons.push(body["reason"].as_str().unwrap().to_owned());
    }
    reasons
}

// covers: E-113
#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_one_factor_opens_nothing_that_needs_a_second() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let told = crate::pipeline::Told::default;
    let token = |session, roles: &[Role]| {
        house.tokens.mint_for(session, ANN, ACME, roles.iter().copied(), told(), Duration::from_secs(60)).unwrap()
    };
    let both = [Role::OrganizationAdmin, Role::Member];
    let tokens = [token(Some(LIVE), &[Role::Member]), token(Some(LIVE), &both), token(Some(ONE_FACTOR), &both)];
    let mut refused = 0;
    for route in gated() {
        let reasons = reasons(&house, route, &tokens).await;
        if reasons[0] == MISSING && reasons[1] != MISSING {
            assert_eq!(reasons[2], "gate.second_factor_required", "{} {}", route.verb.name(), route.pattern());
            refused += 1;
        }
    }
    assert!(refused > 100, "{refused} rows");
}

// covers: E-08, E-113
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_showed_less_than_everyone_is_asked_for_opens_nothing_that_needs_a_role() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let token = |session, roles: &[Role]| {
        let told = crate::pipeline::Told::default();
        house.tokens.mint_for(Some(session), ANN, ACME, roles.iter().copied(), told, Duration::from_secs(60)).unwrap()
    };
    let tokens = [token(LIVE, &[]), token(LIVE, &[Role::Analyst]), token(TOO_LITTLE, &[Role::Analyst])];
    let (mut refused, mut own) = (0, 0);
    for route in gated() {
        let reasons = reasons(&house, route, &tokens).await;
        if reasons[0] == MISSING && reasons[1] != MISSING {
            assert_eq!(reasons[2], "gate.second_factor_required", "{} {}", route.verb.name(), route.pattern());
            refused += 1;
        } else {
            // What needs no role goes on, and what no role of theirs grants is refused as it was.
            assert_eq!(reasons[2], reasons[0], "{} {}", route.verb.name(), route.pattern());
            own += usize::from(reasons[0] != MISSING);
        }
    }
    assert!(refused > 10 && own > 10, "{refused} refused, {own} of their own");
}

/// covers: E-33
#[tokio::test(flavor = "multi_thread")]
async fn what_the_platforms_people_are_refused_in_an_organization_stands_in_its_log() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let of_oneself = |route: &&Route| route.permission.is_some_and(|permission| permission.starts_with("identity.self."));
    let route = gated().find(of_oneself).expect("a route");
    let own = path(route, "", "");
    let sent = |elevation: ElevationId, organization: OrganizationId| {
        let named = request(&house, route, &own).bearer_auth(root(&house)).header("Palmares-Organization", organization.to_string());
        named.header(ELEVATION_HEADER, elevation.to_string())
    };
    let recorded = || house.refusals().pop().map(|refused| (refused.access.organization, refused.access.on_behalf_of)).unwrap();
    expect("as another user", route, sent(AS_BOB, ACME), 403, "ACCESS_DENIED").await;
    assert_eq!(recorded(), (ACME, Some(BOB)));
    expect("an elevation that gives nothing", route, sent(ElevationId(Uuid::from_u128(77)), ACME), 403, "ACCESS_DENIED").await;
    assert_eq!(recorded(), (ACME, None));
    // Who may not act there at all is recorded at home.
    let intruder = request(&house, route, &own).bearer_auth(admin(&house)).header("Palmares-Organization", GLOBEX.to_string());
    expect("another organization", route, intruder, 403, "TENANT_MISMATCH").await;
    assert_eq!(recorded(), (ACME, None));
    let unheard = token(&house, ROOT, OrganizationId::PLATFORM, &[]);
    let unheard = request(&house, route, &own).bearer_auth(unheard).header("Palmares-Organization", ACME.to_string());
    expect("without a role that reaches there", route, unheard, 403, "TENANT_MISMATCH").await;
    assert_eq!(recorded(), (OrganizationId::PLATFORM, None));
}
