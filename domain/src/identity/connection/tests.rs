//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::kernel::{Aggregate, Code, Facts, OrganizationId, Refusal, UserId};
use chrono::DateTime;
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));

fn given(events: &[ConnectionEvent]) -> Connection {
    events.iter().fold(Connection::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[ConnectionEvent], command: ConnectionCommand) -> Result<Vec<ConnectionEvent>, ConnectionError> {
    given(events).decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: UserId(Uuid::nil()) })
}

fn command() -> ConfigureConnection {
    ConfigureConnection {
        organization_id: ACME,
        kind: ConnectionKind::Oidc,
        issuer: "https://login.acme.example".into(),
        client_id: "palmares".into(),
        secret_ref: Some("acme-login".into()),
        scopes: vec!["email".into()],
        insecure_loopback: false,
    }
}

fn configure() -> ConnectionCommand {
    ConnectionCommand::Configure(command())
}

fn configured() -> ConnectionEvent {
    ConnectionConfigured {
        organization_id: ACME,
        kind: ConnectionKind::Oidc,
        issuer: "https://login.acme.example".parse().unwrap(),
        client_id: "palmares".into(),
        secret_ref: Some("acme-login".into()),
        scopes: vec!["email".into()],
    }
    .into()
}

fn enabled() -> ConnectionEvent {
    ConnectionEnabled { organization_id: ACME }.into()
}

fn disabled() -> ConnectionEvent {
    ConnectionDisabled { organization_id: ACME }.into()
}

/// covers: A9, W-59
#[test]
fn a_connection_is_configured_enabled_and_disabled() {
    assert_eq!(when(&[], configure()), Ok(vec![configured()]));
    assert_eq!(when(&[configured()], ConnectionCommand::Enable), Ok(vec![enabled()]));
    assert_eq!(when(&[configured(), enabled()], ConnectionCommand::Disable), Ok(vec![disabled()]));
    assert_eq!(when(&[configured(), enabled(), disabled()], ConnectionCommand::Enable), Ok(vec![enabled()]));
}

#[test]
fn what_is_so_already_is_not_recorded_again() {
    for history in [vec![configured()], vec![configured(), enabled()]] {
        assert_eq!(when(&history, configure()), Ok(vec![]));
    }
    assert_eq!(when(&[configured(), enabled()], ConnectionCommand::Enable), Ok(vec![]));
    for history in [vec![configured()], vec![configured(), enabled(), disabled()]] {
        assert_eq!(when(&history, ConnectionCommand::Disable), Ok(vec![]));
    }
}

#[test]
fn people_sign_in_by_an_enabled_connection_alone() {
    for (history, open) in [
        (vec![], false),
        (vec![configured()], false),
        (vec![configured(), enabled()], true),
        (vec![configured(), enabled(), disabled()], false),
        (vec![configured(), enabled(), configured()], false),
    ] {
        assert_eq!(given(&history).enabled().is_some(), open, "{history:?}");
    }
}

#[test]
fn without_a_connection_there_is_nothing_to_enable() {
    for command in [ConnectionCommand::Enable, ConnectionCommand::Disable] {
        assert_eq!(when(&[], command), Err(ConnectionError::NotFound));
    }
}

/// covers: E-94
#[test]
fn saml_is_known_and_says_that_it_is_not_enabled() {
    let saml = ConfigureConnection { kind: ConnectionKind::Saml, issuer: String::new(), client_id: String::new(), ..command() };
    let refused = when(&[], ConnectionCommand::Configure(saml)).unwrap_err();
    assert_eq!((refused.code(), refused.reason(), refused.field()), (Code::ValidationError, "identity.saml_not_enabled", Some("kind")));
}

#[test]
fn a_faulty_connection_is_refused_by_the_field() {
    let long = |chars: usize| "a".repeat(chars);
    let faulty = [
        (ConfigureConnection { issuer: "login.acme.example".into(), ..command() }, ConnectionError::IssuerInvalid),
        (ConfigureConnection { issuer: "http://login.acme.example".into(), ..command() }, ConnectionError::IssuerInsecure),
        (ConfigureConnection { issuer: "http://127.0.0.1:4000".into(), ..command() }, ConnectionError::IssuerInsecure),
        (ConfigureConnection { client_id: String::new(), ..command() }, ConnectionError::ClientIdInvalid),
        (ConfigureConnection { client_id: "pal mares".into(), ..command() }, ConnectionError::ClientIdInvalid),
        (ConfigureConnection { client_id: long(256), ..command() }, ConnectionError::ClientIdInvalid),
        (ConfigureConnection { secret_ref: Some("../jwt.pem".into()), ..command() }, ConnectionError::SecretRefInvalid),
        (ConfigureConnection { secret_ref: Some(String::new()), ..command() }, ConnectionError::SecretRefInvalid),
        (ConfigureConnection { secret_ref: Some(long(101)), ..command() }, ConnectionError::SecretRefInvalid),
        (ConfigureConnection { scopes: vec!["e mail".into()], ..command() }, ConnectionError::ScopesInvalid),
        (ConfigureConnection { scopes: vec![String::new()], ..command() }, ConnectionError::ScopesInvalid),
        (ConfigureConnection { scopes: vec!["email".into(); 21], ..command() }, ConnectionError::ScopesInvalid),
    ];
    for (faulty, refusal) in faulty {
        assert_eq!(when(&[], ConnectionCommand::Configure(faulty.clone())), Err(refusal), "{faulty:?}");
        assert!(refusal.field().is_some() && refusal.code() == Code::ValidationError);
    }
    let local = ConfigureConnection { issuer: "http://127.0.0.1:4000".into(), insecure_loopback: true, ..command() };
    assert!(when(&[], ConnectionCommand::Configure(local)).is_ok());
}
