//! What may be set, by its rules alone.

use super::tests::{ACME, created, given, history, when};
use super::*;
use crate::{
    compliance::ConsentType,
    organizations::{Locale, domain::DomainName},
};
use std::collections::BTreeSet;

fn set(settings: Settings) -> OrganizationCommand {
    OrganizationCommand::ChangeSettings(Box::new(SettingsChange { set: settings, ..SettingsChange::default() }))
}

fn changed(set: Settings, reset: &[Setting]) -> OrganizationEvent {
    SettingsChanged { organization_id: ACME, set: Box::new(set), reset: reset.to_vec() }.into()
}

fn domains(names: &[&str]) -> Option<BTreeSet<DomainName>> {
    Some(names.iter().map(|name| name.parse().unwrap()).collect())
}

fn given_settings() -> Settings {
    Settings {
        display_name: Some("Acme".into()),
        default_locale: Some(Locale::Fr),
        time_zone: Some(chrono_tz::Europe::Paris),
        logo_url: Some("https://cdn.acme.example/logo.svg?v=2".into()),
        primary_color: Some("#00aA7f".into()),
        sender_name: Some("Acme Wellness".into()),
        session_max_hours: Some(12),
        password_min_length: Some(16),
        mfa_required_for_all: Some(true),
        phone_codes_allowed: Some(true),
        invitation_valid_hours: Some(48),
        allowed_email_domains: domains(&["acme.example"]),
        suspicious_sign_in: Some(SuspiciousSignIn::Challenge),
        required_consents: Some([ConsentType::TermsOfService].into()),
        max_team_size: Some(12),
        controller_name: Some("Acme SAS".into()),
        controller_contact: Some("1 rue de la Paix, 75002 Paris".into()),
        data_protection_officer: Some("dpo@acme.example".into()),
        representative: Some("none".into()),
        transfers: Some("none".into()),
        jurisdiction: Some("FR".into()),
        notice_url: Some("https://acme.example/privacy".into()),
        plan: Some(Plan::Enterprise),
        isolation_mode: Some(IsolationMode::Dedicated),
        feature_flags: Some([FeatureFlag::Reporting].into()),
        retention_days: Some(400),
    }
}

/// covers: E-08, E-09
#[test]
fn settings_are_set_and_follow_the_platform_again() {
    let all = given_settings();
    assert_eq!(all.given().len(), Setting::ALL.len());
    assert_eq!(when(&[created()], set(all.clone())), Ok(vec![changed(all.clone(), &[])]));
    let history = [created(), changed(all.clone(), &[])];
    let state = given(&history);
    assert_eq!(state.profile().map(|profile| &profile.settings), Some(&all));

    let reset = SettingsChange { set: Settings::default(), reset: [Setting::PasswordMinLength, Setting::LogoUrl].into() };
    let events = when(&history, OrganizationCommand::ChangeSettings(Box::new(reset.clone()))).unwrap();
    assert_eq!(events, [changed(Settings::default(), &[Setting::LogoUrl, Setting::PasswordMinLength])]);
    let after = [&history[..], &events].concat();
    let settings = given(&after).profile().unwrap().settings.clone();
    assert_eq!((settings.password_min_length(), settings.logo_url.clone(), settings.session_max_hours()), (12, None, 12));
    // What changes nothing is no event.
    assert_eq!(when(&after, OrganizationCommand::ChangeSettings(Box::new(reset))), Ok(vec![]));
    assert_eq!(when(&history, set(all)), Ok(vec![]));
    let one = Settings { plan: Some(Plan::Business), session_max_hours: Some(12), ..Settings::default() };
    let news = Settings { plan: Some(Plan::Business), ..Settings::default() };
    assert_eq!(when(&history, set(one)), Ok(vec![changed(news, &[])]));
}

#[test]
fn a_setting_outside_of_its_bounds_is_refused_by_its_name() {
    let none = Settings::default;
    let refused = [
        (Settings { session_max_hours: Some(0), ..none() }, "session_max_hours"),
        (Settings { session_max_hours: Some(SESSION_MAX_HOURS + 1), ..none() }, "session_max_hours"),
        (Settings { password_min_length: Some(PASSWORD_MIN_LENGTH - 1), ..none() }, "password_min_length"),
        (Settings { password_min_length: Some(129), ..none() }, "password_min_length"),
        (Settings { invitation_valid_hours: Some(0), ..none() }, "invitation_valid_hours"),
        (Settings { retention_days: Some(29), ..none() }, "retention_days"),
        (Settings { max_team_size: Some(0), ..none() }, "max_team_size"),
        (Settings { max_team_size: Some(501), ..none() }, "max_team_size"),
        (Settings { display_name: Some(" Acme".into()), ..none() }, "display_name"),
        (Settings { sender_name: Some("Acme\r\nBcc: all".into()), ..none() }, "branding.sender_name"),
        (Settings { controller_contact: Some("a\nb".into()), ..none() }, "privacy.controller_contact"),
        (Settings { transfers: Some("x".repeat(501)), ..none() }, "privacy.transfers"),
        (Settings { notice_url: Some("http://acme.example/privacy".into()), ..none() }, "privacy.notice_url"),
        (Settings { primary_color: Some("red".into()), ..none() }, "branding.primary_color"),
        (Settings { primary_color: Some("#12345g".into()), ..none() }, "branding.primary_color"),
        (Settings { allowed_email_domains: domains(&[]), ..none() }, "allowed_email_domains"),
    ];
    let urls = ["http://acme.example/a.png", "https://", "https://localhost/a", "https://acme.example/\"onload=", "javascript:alert(1)"];
    let urls = urls.map(|url| (Settings { logo_url: Some(url.into()), ..none() }, "branding.logo_url"));
    for (settings, field) in refused.into_iter().chain(urls) {
        let error = when(&[created()], set(settings)).unwrap_err();
        assert_eq!(
            (crate::kernel::Refusal::field(&error), crate::kernel::Refusal::code(&error)),
            (Some(field), crate::kernel::Code::ValidationError)
        );
    }
}

/// covers: E-42
#[test]
fn what_is_the_platforms_is_marked() {
    let platforms: BTreeSet<_> = Setting::ALL.iter().filter(|setting| setting.is_platforms()).map(|setting| setting.path()).collect();
    assert_eq!(platforms, ["feature_flags", "isolation_mode", "plan", "retention_days"].into());
    let change = SettingsChange { set: Settings { plan: Some(Plan::Starter), ..Settings::default() }, reset: [Setting::TimeZone].into() };
    assert_eq!(change.named(), [Setting::TimeZone, Setting::Plan].into());
}

#[test]
fn addresses_are_allowed_by_their_domain() {
    let settings = Settings { allowed_email_domains: domains(&["acme.example"]), ..Settings::default() };
    assert!(settings.allows_email("ann@ACME.example"));
    for stranger in ["ann@other.example", "ann@sub.acme.example", "ann@acme.example.evil.example", "ann"] {
        assert!(!settings.allows_email(stranger), "{stranger}");
    }
    assert!(Settings::default().allows_email("ann@other.example"));
}

/// covers: E-224
#[test]
fn an_organization_gets_another_name_and_other_settings_until_it_is_gone() {
    let rename = || OrganizationCommand::Rename("Acme Holding".into());
    let renamed: OrganizationEvent = OrganizationRenamed { organization_id: ACME, name: "Acme Holding".into() }.into();
    let settings = || Settings { mfa_required_for_all: Some(true), ..Settings::default() };
    for status in OrganizationStatus::ALL {
        let (renaming, setting) = (when(&history(status), rename()), when(&history(status), set(settings())));
        match status {
            OrganizationStatus::Expired | OrganizationStatus::Purged => {
                assert_eq!((renaming, setting), (Err(OrganizationError::Ended), Err(OrganizationError::Ended)));
            }
            _ => assert_eq!((renaming, setting), (Ok(vec![renamed.clone()]), Ok(vec![changed(settings(), &[])]))),
        }
    }
    assert_eq!(when(&[created(), renamed], rename()), Ok(vec![]));
    assert_eq!(when(&[created()], OrganizationCommand::Rename("".into())), Err(OrganizationError::NameInvalid));
    assert_eq!(when(&[], rename()), Err(OrganizationError::NotFound));
    assert_eq!(when(&[], set(settings())), Err(OrganizationError::NotFound));
}

/// covers: E-126
#[test]
fn a_suspended_set_up_goes_on_and_is_not_evaded() {
    let begun =
        [created(), SetupBegun { organization_id: ACME }.into(), OrganizationSuspended { organization_id: ACME, reason: None }.into()];
    let mut events = begun.to_vec();
    for (done, step) in SetupStep::ALL.into_iter().enumerate() {
        let missing = SetupStep::ALL[done..].to_vec();
        assert_eq!(when(&events, OrganizationCommand::Resume), Err(OrganizationError::SetupIncomplete(missing)));
        events.extend(when(&events, OrganizationCommand::CompleteSetupStep(step)).unwrap());
    }
    events.extend(when(&events, OrganizationCommand::Resume).unwrap());
    let profile = given(&events).profile().cloned().unwrap();
    assert_eq!((profile.status, profile.setup_open), (OrganizationStatus::Active, false));
}
