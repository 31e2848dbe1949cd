//! Given events, when a command comes, then events or a refusal.

mod external_identities;
mod phones;

use super::{CredentialAction::*, CredentialError::*, *};
use crate::kernel::{Aggregate, Code, Digest, Facts, PassId, Personal, Refusal, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

const ALICE: UserId = UserId(Uuid::from_u128(2));
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";
const OTHER_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$b3RoZXJvdGhlcg";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const EMAIL: &str = "Alice@acme.example";
const ISSUER: Digest = Digest([7; 32]);

fn at(minutes: i64) -> DateTime<Utc> {
    "2026-11-21T08:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

fn pass_id(number: u128) -> PassId {
    PassId(Uuid::from_u128(number))
}

fn when(credential: &Credential, minutes: i64, action: CredentialAction) -> Result<Vec<CredentialEvent>, CredentialError> {
    credential.decide(&CredentialCommand { user_id: ALICE, action }, &Facts { now: at(minutes), actor: ALICE })
}

/// What a credential is after these actions, a minute apart.
fn given(actions: Vec<CredentialAction>) -> Credential {
    let mut credential = Credential::default();
    for (minutes, action) in actions.into_iter().enumerate() {
        then(&mut credential, minutes as i64, action);
    }
    credential
}

/// Does it, which has to be accepted.
fn then(credential: &mut Credential, minutes: i64, action: CredentialAction) {
    let events = when(credential, minutes, action.clone()).unwrap_or_else(|error| panic!("{action:?}: {error}"));
    events.iter().for_each(|event| credential.evolve(event));
}

fn set(hash: &str, temporary: bool) -> CredentialAction {
    SetPassword(super::SetPassword { hash: hash.into(), temporary })
}

/// A pass that was issued at this minute and works for 15.
fn issue(number: u128, kind: PassKind, minutes: i64) -> CredentialAction {
    IssuePass(super::IssuePass { pass_id: pass_id(number), kind, email: EMAIL.into(), expires_at: at(minutes + 15) })
}

fn use_pass(number: u128, kind: PassKind) -> CredentialAction {
    UsePass { pass_id: pass_id(number), kind }
}

fn fail(number: u128, kind: PassKind) -> CredentialAction {
    FailPass { pass_id: pass_id(number), kind }
}

fn unlink(issuer: Digest, reachable: bool) -> CredentialAction {
    UnlinkExternalIdentity { issuer, reachable }
}

fn begin() -> CredentialAction {
    BeginTotp { secret: SECRET.into() }
}

fn enrolled() -> Credential {
    given(vec![begin(), ConfirmTotp { step: 100 }])
}

fn codes(first: u8, count: u8) -> BTreeSet<Digest> {
    (first..first + count).map(|number| Digest([number; 32])).collect()
}

fn link(issuer: Digest, subject: &str) -> CredentialAction {
    LinkExternalIdentity { issuer, subject: subject.into() }
}

#[test]
fn a_password_is_set_and_set_again() {
    let mut credential = Credential::default();
    assert!(credential.password().is_none());
    let expected = PasswordSet { user_id: ALICE, hash: Personal::Clear(HASH.into()), temporary: false };
    assert_eq!(when(&credential, 0, set(HASH, false)), Ok(vec![expected.into()]));
    then(&mut credential, 0, set(HASH, false));
    assert_eq!(credential.password().map(|password| password.hash.as_str()), Some(HASH));
    then(&mut credential, 1, set(OTHER_HASH, false));
    assert_eq!(credential.password().map(|password| password.hash.as_str()), Some(OTHER_HASH));
}

/// covers: E-98, E-136
#[test]
fn a_temporary_password_has_to_be_rotated() {
    let mut credential = given(vec![set(HASH, true)]);
    assert!(credential.must_rotate());
    then(&mut credential, 1, ChangePassword { hash: OTHER_HASH.into() });
    assert!(!credential.must_rotate());
    assert_eq!(credential.password().map(|password| password.hash.as_str()), Some(OTHER_HASH));
}

#[test]
fn only_a_password_that_there_is_can_be_changed() {
    assert_eq!(when(&Credential::default(), 0, ChangePassword { hash: HASH.into() }), Err(PasswordMissing));
}

#[test]
fn a_password_that_was_not_hashed_never_gets_into_the_log() {
    for clear in ["", "hunter2", "$", "$$$$", "$hunter2", "$argon2id$", "$argon2id$v=19$m=1 $x", &format!("$a$b$c{}", "d".repeat(512))] {
        assert_eq!(when(&Credential::default(), 0, set(clear, false)), Err(PasswordHashInvalid), "{clear}");
        assert_eq!(when(&given(vec![set(HASH, false)]), 1, ChangePassword { hash: clear.into() }), Err(PasswordHashInvalid), "{clear}");
    }
}

/// covers: E-105
#[test]
fn a_pass_works_once() {
    let mut credential = given(vec![issue(1, PassKind::MagicLink, 0)]);
    assert_eq!(credential.pass(PassKind::MagicLink, at(1)).map(|pass| pass.pass_id), Some(pass_id(1)));
    then(&mut credential, 1, use_pass(1, PassKind::MagicLink));
    assert_eq!(when(&credential, 2, use_pass(1, PassKind::MagicLink)), Err(PassNotValid));
    assert!(credential.pass(PassKind::MagicLink, at(2)).is_none());
}

/// covers: E-105
#[test]
fn a_pass_expires() {
    let credential = given(vec![issue(1, PassKind::MagicLink, 0)]);
    assert!(when(&credential, 14, use_pass(1, PassKind::MagicLink)).is_ok());
    assert_eq!(when(&credential, 15, use_pass(1, PassKind::MagicLink)), Err(PassExpired));
    assert!(credential.pass(PassKind::MagicLink, at(15)).is_none());
}

#[test]
fn a_pass_works_for_its_own_kind_only() {
    let credential = given(vec![issue(1, PassKind::EmailVerification, 0)]);
    for kind in [PassKind::MagicLink, PassKind::PasswordReset, PassKind::EmailCode] {
        assert_eq!(when(&credential, 1, use_pass(1, kind)), Err(PassNotValid), "{kind:?}");
    }
    assert_eq!(when(&credential, 1, use_pass(9, PassKind::EmailVerification)), Err(PassNotValid));
}

#[test]
fn a_newer_pass_takes_the_place_of_the_older_one_of_its_kind_alone() {
    let kinds = [PassKind::MagicLink, PassKind::PasswordReset];
    let credential = given(vec![issue(1, kinds[0], 0), issue(2, kinds[1], 1), issue(3, kinds[0], 2)]);
    assert_eq!(when(&credential, 3, use_pass(1, kinds[0])), Err(PassNotValid));
    assert!(when(&credential, 3, use_pass(2, kinds[1])).is_ok());
    assert!(when(&credential, 3, use_pass(3, kinds[0])).is_ok());
}

#[test]
fn passes_of_a_kind_are_issued_a_minute_apart_and_five_in_an_hour() {
    let kind = PassKind::EmailCode;
    let mut credential = given(vec![issue(1, kind, 0)]);
    assert_eq!(when(&credential, 0, issue(2, kind, 0)), Err(TooManyPasses));
    assert_eq!(TooManyPasses.code(), Code::RateLimited);
    assert!(when(&credential, 0, issue(2, PassKind::MagicLink, 0)).is_ok(), "another kind has a pace of its own");
    for minutes in 1..5 {
        then(&mut credential, minutes, issue(minutes as u128 + 1, kind, minutes));
    }
    assert_eq!(when(&credential, 59, issue(6, kind, 59)), Err(TooManyPasses));
    then(&mut credential, 60, issue(6, kind, 60));
    assert_eq!(when(&credential, 60, issue(7, kind, 60)), Err(TooManyPasses));
    then(&mut credential, 61, issue(7, kind, 61));
}

#[test]
fn a_pass_that_was_used_counts_for_the_pace_too() {
    let credential = given(vec![issue(1, PassKind::MagicLink, 0), use_pass(1, PassKind::MagicLink)]);
    assert!(when(&credential, 1, issue(2, PassKind::MagicLink, 1)).is_ok());
    assert_eq!(when(&credential, 0, issue(2, PassKind::MagicLink, 0)), Err(TooManyPasses));
}

#[test]
fn a_pass_is_sent_to_a_mailbox_and_ends_after_it_begins() {
    let to = |email: &str, expires: i64| {
        let pass = super::IssuePass { pass_id: pass_id(1), kind: PassKind::MagicLink, email: email.into(), expires_at: at(expires) };
        when(&Credential::default(), 10, IssuePass(pass))
    };
    assert!(to(EMAIL, 11).is_ok());
    assert_eq!((to("alice", 11), to(EMAIL, 10)), (Err(EmailInvalid), Err(PassOver)));
}

/// covers: E-111
#[test]
fn a_code_that_was_typed_wrong_five_times_is_void() {
    let kind = PassKind::EmailCode;
    let mut credential = given(vec![issue(1, kind, 0)]);
    for failure in 1..=PASS_FAILURES_MAX {
        assert!(when(&credential, 1, use_pass(1, kind)).is_ok(), "after {} failures", failure - 1);
        then(&mut credential, 1, fail(1, kind));
    }
    assert_eq!(when(&credential, 1, use_pass(1, kind)), Err(PassNotValid));
    assert_eq!(when(&credential, 1, fail(1, kind)), Err(PassNotValid), "a void one counts no further");
    then(&mut credential, 2, issue(2, kind, 2));
    assert!(when(&credential, 2, use_pass(2, kind)).is_ok(), "the next code begins anew");
}

#[test]
fn an_unknown_or_expired_pass_counts_no_failure() {
    let credential = given(vec![issue(1, PassKind::EmailCode, 0)]);
    assert_eq!(when(&credential, 1, fail(2, PassKind::EmailCode)), Err(PassNotValid));
    assert_eq!(when(&credential, 1, fail(1, PassKind::MagicLink)), Err(PassNotValid));
    assert_eq!(when(&credential, 15, fail(1, PassKind::EmailCode)), Err(PassExpired));
}

#[test]
fn setting_a_password_voids_the_link_to_set_one() {
    let credential = given(vec![issue(1, PassKind::PasswordReset, 0), issue(2, PassKind::MagicLink, 1), set(HASH, false)]);
    assert_eq!(when(&credential, 3, use_pass(1, PassKind::PasswordReset)), Err(PassNotValid));
    assert!(when(&credential, 3, use_pass(2, PassKind::MagicLink)).is_ok());
}

/// covers: E-136
#[test]
fn using_what_was_sent_to_a_mailbox_verifies_it() {
    for kind in [PassKind::MagicLink, PassKind::PasswordReset, PassKind::EmailCode, PassKind::EmailVerification] {
        let mut credential = given(vec![issue(1, kind, 0)]);
        assert!(!credential.has_verified(EMAIL));
        let used: CredentialEvent = PassUsed { user_id: ALICE, pass_id: pass_id(1) }.into();
        let verified = EmailVerified { user_id: ALICE, email: Personal::Clear(EMAIL.into()) };
        assert_eq!(when(&credential, 1, use_pass(1, kind)), Ok(vec![used, verified.into()]), "{kind:?}");
        then(&mut credential, 1, use_pass(1, kind));
        assert!(credential.has_verified("alice@ACME.example"));
        assert!(!credential.has_verified("bob@acme.example"), "another address is not verified");
    }
}

#[test]
fn a_verified_mailbox_is_not_verified_again() {
    let kind = PassKind::MagicLink;
    let credential = given(vec![issue(1, kind, 0), use_pass(1, kind), issue(2, kind, 2)]);
    assert_eq!(when(&credential, 3, use_pass(2, kind)), Ok(vec![PassUsed { user_id: ALICE, pass_id: pass_id(2) }.into()]));
}

#[test]
fn a_mailbox_that_was_proven_elsewhere_is_verified_once() {
    let verify = |email: &str| CredentialAction::VerifyEmail { email: email.into() };
    let verified = EmailVerified { user_id: ALICE, email: Personal::Clear(EMAIL.into()) };
    assert_eq!(when(&Credential::default(), 0, verify(EMAIL)), Ok(vec![verified.into()]));
    assert_eq!(when(&given(vec![verify(EMAIL)]), 1, verify(&EMAIL.to_uppercase())), Ok(vec![]));
    assert_eq!(when(&Credential::default(), 0, verify("alice")), Err(EmailInvalid));
}

/// covers: E-110
#[test]
fn an_authenticator_is_enrolled_once_it_gave_a_code() {
    let mut credential = given(vec![begin()]);
    assert_eq!((credential.totp_secret(), credential.has_totp()), (Some(SECRET), false));
    assert_eq!(when(&credential, 1, ConfirmTotp { step: 7 }), Ok(vec![TotpEnrolled { user_id: ALICE, step: 7 }.into()]));
    then(&mut credential, 1, ConfirmTotp { step: 7 });
    assert_eq!((credential.totp_secret(), credential.has_totp()), (Some(SECRET), true));
}

#[test]
fn an_enrolment_that_was_not_confirmed_begins_anew() {
    let mut credential = given(vec![begin()]);
    let other = "A".repeat(32);
    then(&mut credential, 1, BeginTotp { secret: other.clone() });
    assert_eq!(credential.totp_secret(), Some(other.as_str()));
}

#[test]
fn an_enrolled_authenticator_is_neither_begun_nor_confirmed_again() {
    assert_eq!(when(&enrolled(), 2, begin()), Err(TotpEnrolledAlready));
    assert_eq!(when(&enrolled(), 2, ConfirmTotp { step: 101 }), Err(TotpEnrolledAlready));
}

#[test]
fn without_an_enrolment_there_is_nothing_to_confirm_use_or_disable() {
    for credential in [Credential::default(), given(vec![begin()])] {
        assert_eq!(when(&credential, 2, RecordTotp { step: 1 }), Err(TotpNotEnrolled));
        assert_eq!(when(&credential, 2, DisableTotp { required: false }), Err(TotpNotEnrolled));
        assert_eq!(when(&credential, 2, IssueRecoveryCodes { digests: codes(1, 10) }), Err(TotpNotEnrolled));
        assert_eq!(when(&credential, 2, UseRecoveryCode { digest: Digest([1; 32]) }), Err(TotpNotEnrolled));
    }
    assert_eq!(when(&Credential::default(), 0, ConfirmTotp { step: 1 }), Err(TotpNotBegun));
}

#[test]
fn a_secret_is_base32_of_a_sound_length() {
    for secret in ["", "GEZDGNBVGY3TQOJ", "gezdgnbvgy3tqojq", "GEZDGNBVGY3TQOJ1", "GEZDGNBVGY3TQOJ=", &"A".repeat(129)] {
        assert_eq!(when(&Credential::default(), 0, BeginTotp { secret: secret.into() }), Err(TotpSecretInvalid), "{secret}");
    }
    assert!(when(&Credential::default(), 0, BeginTotp { secret: "A".repeat(16) }).is_ok());
}

/// covers: E-110
#[test]
fn a_code_of_an_authenticator_is_good_once() {
    let mut credential = enrolled();
    for step in [99, 100] {
        assert_eq!(when(&credential, 2, RecordTotp { step }), Err(TotpStepUsed), "the code that proved the enrolment is used");
    }
    assert_eq!(when(&credential, 2, RecordTotp { step: 101 }), Ok(vec![TotpVerified { user_id: ALICE, step: 101 }.into()]));
    then(&mut credential, 2, RecordTotp { step: 103 });
    for step in [101, 102, 103] {
        assert_eq!(when(&credential, 2, RecordTotp { step }), Err(TotpStepUsed), "{step}");
    }
    assert!(when(&credential, 2, RecordTotp { step: 104 }).is_ok());
}

/// covers: E-113
#[test]
fn an_authenticator_is_disabled_unless_a_second_factor_is_required() {
    let mut credential = enrolled();
    assert_eq!(when(&credential, 2, DisableTotp { required: true }), Err(SecondFactorRequired));
    then(&mut credential, 2, IssueRecoveryCodes { digests: codes(1, 10) });
    then(&mut credential, 3, DisableTotp { required: false });
    assert_eq!((credential.has_totp(), credential.totp_secret(), credential.recovery_codes_left()), (false, None, 0));
    then(&mut credential, 4, begin());
}

#[test]
fn a_recovery_code_is_good_once() {
    let mut credential = enrolled();
    then(&mut credential, 2, IssueRecoveryCodes { digests: codes(1, 10) });
    let digest = Digest([3; 32]);
    assert_eq!(when(&credential, 3, UseRecoveryCode { digest }), Ok(vec![RecoveryCodeUsed { user_id: ALICE, digest }.into()]));
    then(&mut credential, 3, UseRecoveryCode { digest });
    assert_eq!(credential.recovery_codes_left(), 9);
    assert_eq!(when(&credential, 4, UseRecoveryCode { digest }), Err(RecoveryCodeNotValid));
    assert_eq!(when(&credential, 4, UseRecoveryCode { digest: Digest([99; 32]) }), Err(RecoveryCodeNotValid));
}

#[test]
fn ten_recovery_codes_are_issued_at_once_and_end_the_earlier_ones() {
    let mut credential = enrolled();
    for count in [0, 9, 11] {
        assert_eq!(when(&credential, 2, IssueRecoveryCodes { digests: codes(1, count) }), Err(RecoveryCodeCount), "{count}");
    }
    then(&mut credential, 2, IssueRecoveryCodes { digests: codes(1, 10) });
    then(&mut credential, 3, IssueRecoveryCodes { digests: codes(50, 10) });
    assert_eq!(credential.recovery_codes_left(), 10);
    assert_eq!(when(&credential, 4, UseRecoveryCode { digest: Digest([1; 32]) }), Err(RecoveryCodeNotValid));
}

#[test]
fn a_subject_is_something_to_read() {
    for subject in ["", " x", "x\n", &"x".repeat(256)] {
        assert_eq!(when(&Credential::default(), 0, link(ISSUER, subject)), Err(SubjectInvalid), "{subject}");
    }
}

#[test]
fn an_erased_event_closes_the_credential_for_good() {
    let sealed = || Personal::Sealed(Digest([1; 32]));
    let erased: [CredentialEvent; 5] = [
        PasswordSet { user_id: ALICE, hash: sealed(), temporary: false }.into(),
        PassIssued {
            user_id: ALICE,
            pass_id: pass_id(1),
            kind: PassKind::MagicLink,
            email: sealed(),
            issued_at: at(0),
            expires_at: at(15),
        }
        .into(),
        EmailVerified { user_id: ALICE, email: sealed() }.into(),
        TotpEnrolmentBegun { user_id: ALICE, secret: sealed() }.into(),
        ExternalIdentityLinked { user_id: ALICE, issuer: ISSUER, subject: sealed() }.into(),
    ];
    for event in erased {
        let mut credential = given(vec![set(HASH, true), begin(), ConfirmTotp { step: 1 }]);
        credential.evolve(&event);
        assert!(credential.is_closed(), "{event:?}");
        assert!(credential.password().is_none() && credential.totp_secret().is_none() && !credential.must_rotate());
        for action in [set(HASH, false), issue(2, PassKind::MagicLink, 5), begin(), RecordTotp { step: 9 }, link(ISSUER, "x")] {
            assert_eq!(when(&credential, 5, action), Err(Closed));
        }
        credential.evolve(&when(&Credential::default(), 5, set(HASH, false)).unwrap()[0]);
        assert!(credential.is_closed(), "a later readable event does not reopen it");
    }
}

#[test]
fn nothing_that_is_logged_shows_a_secret() {
    let shown: Vec<String> = [set(HASH, false), ChangePassword { hash: HASH.into() }, begin(), link(ISSUER, "248289761001")]
        .into_iter()
        .map(|action| {
            let events = when(&given(vec![set(HASH, false)]), 1, action.clone()).unwrap();
            format!("{:?} {events:?}", CredentialCommand { user_id: ALICE, action })
        })
        .collect();
    for secret in ["argon2", SECRET, "248289761001"] {
        assert!(!shown.iter().any(|shown| shown.contains(secret)), "{secret}");
    }
}
