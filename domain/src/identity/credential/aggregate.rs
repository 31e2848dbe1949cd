//! The rules of a credential.

use super::{
    Authenticator, CredentialAction, CredentialCommand, CredentialError, CredentialEvent, EmailVerified, ExternalIdentitiesAllowed,
    ExternalIdentityLinked, ExternalIdentityUnlinked, IssuePass, IssuePhoneCode, Pass, PassFailed, PassIssued, PassKind, PassUsed,
    PasswordSet, PhoneCodeIssued, PhoneEnrolled, PhoneRemoved, RECOVERY_CODES, RecoveryCodeUsed, RecoveryCodesIssued, TotpDisabled,
    TotpEnrolled, TotpEnrolmentBegun, TotpVerified, passes::PassesOfKind, telephone::Telephone,
};
use crate::{
    identity::email_key,
    kernel::{
        Aggregate, Digest, Facts, PassId, Personal, Purpose, UserId,
        text::{is_email, is_label},
    },
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const HASH_MAX_CHARS: usize = 512;
/// OpenID Connect Core, 2: a subject has at most 255 ASCII characters.
const SUBJECT_MAX_CHARS: usize = 255;
const EXTERNAL_IDENTITIES_MAX: usize = 20;

/// What a user proves themselves with.
///
/// It holds secrets in clear, so its snapshot is sealed. An event that cannot be opened any more
/// was erased: the credential forgets everything with it and proves nothing from then on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Credential {
    Open(Box<Secrets>),
    Closed,
}

/// The secrets of an open credential.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    password: Option<Password>,
    passes: BTreeMap<PassKind, PassesOfKind>,
    authenticator: Authenticator,
    telephone: Telephone,
    /// By the digest of the provider's name: what it calls the person.
    external_identities: BTreeMap<Digest, String>,
    /// The providers of which the user took an account away: none is linked again unasked.
    unlinked: BTreeSet<Digest>,
    /// The mailbox that was shown to be the user's, by its [`email_key`].
    verified_email: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    /// In the PHC string format.
    pub hash: String,
    /// Whether it has to be rotated before anything else.
    pub temporary: bool,
}

impl Default for Credential {
    fn default() -> Self {
        Self::Open(Box::default())
    }
}

impl Credential {
    fn secrets(&self) -> Option<&Secrets> {
        match self {
            Self::Open(secrets) => Some(secrets),
            Self::Closed => None,
        }
    }

    /// Whether its data was erased.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    pub fn password(&self) -> Option<&Password> {
        self.secrets()?.password.as_ref()
    }

    /// Whether the password is one that somebody else gave the user (E-136).
    pub fn must_rotate(&self) -> bool {
        self.password().is_some_and(|password| password.temporary)
    }

    /// The link or code of a kind that still works at `now`.
    pub fn pass(&self, kind: PassKind, now: DateTime<Utc>) -> Option<&Pass> {
        self.secrets()?.passes.get(&kind)?.newest().filter(|pass| pass.expires_at > now)
    }

    /// The secret of the authenticator, base32, of one being enrolled too.
    pub fn totp_secret(&self) -> Option<&str> {
        match &self.secrets()?.authenticator {
            Authenticator::None => None,
            Authenticator::Begun { secret } | Authenticator::Enrolled { secret, .. } => Some(secret),
        }
    }

    /// Whether the user has an authenticator as a second factor.
    pub fn has_totp(&self) -> bool {
        self.secrets().is_some_and(|secrets| matches!(secrets.authenticator, Authenticator::Enrolled { .. }))
    }

    /// The telephone that the user has as a second factor, in E.164.
    pub fn phone(&self) -> Option<&str> {
        self.secrets()?.telephone.number()
    }

    pub fn recovery_codes_left(&self) -> usize {
        self.secrets().and_then(|secrets| secrets.authenticator.enrolled().ok()).map_or(0, |(_, codes)| codes.len())
    }

    /// Whether this mailbox was shown to be the user's.
    pub fn has_verified(&self, email: &str) -> bool {
        self.verified_email().is_some_and(|verified| verified == email_key(email))
    }

    /// The mailbox that was shown to be the user's, by its [`email_key`].
    pub fn verified_email(&self) -> Option<&str> {
        self.secrets()?.verified_email.as_deref()
    }

    /// Every account elsewhere that is linked: its provider's digest, and what that calls the person.
    pub fn external_identities(&self) -> impl Iterator<Item = (Digest, &str)> {
        self.secrets().into_iter().flat_map(|secrets| &secrets.external_identities).map(|(issuer, subject)| (*issuer, subject.as_str()))
    }

    /// What an identity provider calls the person, if an account there is linked.
    pub fn external_subject(&self, issuer: Digest) -> Option<&str> {
        self.secrets()?.external_identities.get(&issuer).map(String::as_str)
    }
}

impl Secrets {
    fn issue(&self, user_id: UserId, issue: &IssuePass, now: DateTime<Utc>) -> Result<CredentialEvent, CredentialError> {
        if !is_email(&issue.email) {
            return Err(CredentialError::EmailInvalid);
        }
        self.check_may_issue(issue.kind, issue.expires_at, now)?;
        Ok(PassIssued {
            user_id,
            pass_id: issue.pass_id,
            kind: issue.kind,
            email: Personal::Clear(issue.email.clone()),
            issued_at: now,
            expires_at: issue.expires_at,
        }
        .into())
    }

    fn check_may_issue(&self, kind: PassKind, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), CredentialError> {
        if expires_at <= now {
            return Err(CredentialError::PassOver);
        }
        self.passes.get(&kind).map_or(Ok(()), |passes| passes.check_pace(now))
    }

    fn issue_to_phone(
        &self,
        user_id: UserId,
        kind: PassKind,
        issue: IssuePhoneCode,
        now: DateTime<Utc>,
    ) -> Result<CredentialEvent, CredentialError> {
        let IssuePhoneCode { pass_id, phone, expires_at } = issue;
        self.check_may_issue(kind, expires_at, now)?;
        Ok(PhoneCodeIssued { user_id, pass_id, kind, phone: Personal::Clear(phone), issued_at: now, expires_at }.into())
    }

    fn confirm_phone(&self, user_id: UserId, pass_id: PassId, now: DateTime<Utc>) -> Result<Vec<CredentialEvent>, CredentialError> {
        let pass = self.usable(PassKind::PhoneEnrolment, pass_id, now)?;
        self.telephone.check_may_begin(&pass.to)?;
        Ok(vec![PassUsed { user_id, pass_id }.into(), PhoneEnrolled { user_id, phone: Personal::Clear(pass.to.clone()) }.into()])
    }

    fn usable(&self, kind: PassKind, pass_id: PassId, now: DateTime<Utc>) -> Result<&Pass, CredentialError> {
        self.passes.get(&kind).ok_or(CredentialError::PassNotValid)?.usable(pass_id, now)
    }

    /// Using what was sent to a mailbox shows that the mailbox is the user's.
    fn use_pass(&self, user_id: UserId, kind: PassKind, pass: &Pass) -> Vec<CredentialEvent> {
        let used = PassUsed { user_id, pass_id: pass.pass_id };
        let verified = if kind.is_of_phone() { None } else { self.verify(user_id, &pass.to) };
        [used.into()].into_iter().chain(verified).collect()
    }

    /// That the mailbox is the user's, where that is news.
    fn verify(&self, user_id: UserId, email: &str) -> Option<CredentialEvent> {
        let news = self.verified_email.as_deref() != Some(&email_key(email));
        news.then(|| EmailVerified { user_id, email: Personal::Clear(email.to_owned()) }.into())
    }

    fn issue_recovery_codes(&self, user_id: UserId, digests: &BTreeSet<Digest>) -> Result<CredentialEvent, CredentialError> {
        self.authenticator.enrolled()?;
        if digests.len() != RECOVERY_CODES {
            return Err(CredentialError::RecoveryCodeCount);
        }
        Ok(RecoveryCodesIssued { user_id, digests: digests.iter().copied().collect() }.into())
    }

    fn link(&self, user_id: UserId, issuer: Digest, subject: &str) -> Result<CredentialEvent, CredentialError> {
        if !is_label(subject, SUBJECT_MAX_CHARS) {
            return Err(CredentialError::SubjectInvalid);
        }
        if self.external_identities.contains_key(&issuer) {
            return Err(CredentialError::ExternalIdentityLinkedAlready);
        }
        if self.unlinked.contains(&issuer) {
            return Err(CredentialError::ExternalIdentityUnlinkedBefore);
        }
        if self.external_identities.len() >= EXTERNAL_IDENTITIES_MAX {
            return Err(CredentialError::TooManyExternalIdentities);
        }
        Ok(ExternalIdentityLinked { user_id, issuer, subject: Personal::Clear(subject.to_owned()) }.into())
    }

    /// Another account elsewhere is no other way: which provider people sign in at, their organization decides.
    fn unlink(&self, user_id: UserId, issuer: Digest, reachable: bool) -> Result<CredentialEvent, CredentialError> {
        if !self.external_identities.contains_key(&issuer) {
            return Err(CredentialError::ExternalIdentityNotLinked);
        }
        if self.password.is_none() && !reachable {
            return Err(CredentialError::ExternalIdentityIsOnlyWay);
        }
        Ok(ExternalIdentityUnlinked { user_id, issuer }.into())
    }

    fn decide(&self, user_id: UserId, action: &CredentialAction, now: DateTime<Utc>) -> Result<Vec<CredentialEvent>, CredentialError> {
        use CredentialAction::*;
        Ok(vec![match action {
            SetPassword(set) => password_set(user_id, &set.hash, set.temporary)?,
            ChangePassword { .. } if self.password.is_none() => return Err(CredentialError::PasswordMissing),
            ChangePassword { hash } => password_set(user_id, hash, false)?,
            IssuePass(issue) => self.issue(user_id, issue, now)?,
            UsePass { pass_id, kind } => return Ok(self.use_pass(user_id, *kind, self.usable(*kind, *pass_id, now)?)),
            VerifyEmail { email } if !is_email(email) => return Err(CredentialError::EmailInvalid),
            VerifyEmail { email } => return Ok(self.verify(user_id, email).into_iter().collect()),
            FailPass { pass_id, kind } => PassFailed { user_id, pass_id: self.usable(*kind, *pass_id, now)?.pass_id }.into(),
            BeginTotp { secret } => {
                self.authenticator.check_may_begin(secret)?;
                TotpEnrolmentBegun { user_id, secret: Personal::Clear(secret.clone()) }.into()
            }
            ConfirmTotp { step } => {
                self.authenticator.check_may_confirm()?;
                TotpEnrolled { user_id, step: *step }.into()
            }
            RecordTotp { step } if *step <= self.authenticator.enrolled()?.0 => return Err(CredentialError::TotpStepUsed),
            RecordTotp { step } => TotpVerified { user_id, step: *step }.into(),
            DisableTotp { required } => {
                self.authenticator.enrolled()?;
                if *required {
                    return Err(CredentialError::SecondFactorRequired);
                }
                TotpDisabled { user_id }.into()
            }
            BeginPhone(begin) => {
                self.telephone.check_may_begin(&begin.phone)?;
                self.issue_to_phone(user_id, PassKind::PhoneEnrolment, begin.clone(), now)?
            }
            ConfirmPhone { pass_id } => return self.confirm_phone(user_id, *pass_id, now),
            SendPhoneCode { pass_id, expires_at } => {
                let phone = self.telephone.enrolled()?.to_owned();
                let issue = IssuePhoneCode { pass_id: *pass_id, phone, expires_at: *expires_at };
                self.issue_to_phone(user_id, PassKind::PhoneCode, issue, now)?
            }
            RemovePhone => {
                self.telephone.enrolled()?;
                PhoneRemoved { user_id }.into()
            }
            IssueRecoveryCodes { digests } => self.issue_recovery_codes(user_id, digests)?,
            UseRecoveryCode { digest } if !self.authenticator.enrolled()?.1.contains(digest) => {
                return Err(CredentialError::RecoveryCodeNotValid);
            }
            UseRecoveryCode { digest } => RecoveryCodeUsed { user_id, digest: *digest }.into(),
            LinkExternalIdentity { issuer, subject } => self.link(user_id, *issuer, subject)?,
            UnlinkExternalIdentity { issuer, reachable } => self.unlink(user_id, *issuer, *reachable)?,
            AllowExternalIdentities if self.unlinked.is_empty() => return Err(CredentialError::NothingUnlinked),
            AllowExternalIdentities => ExternalIdentitiesAllowed { user_id }.into(),
        }])
    }

    /// Evolves by an event; nothing where it is one that cannot be opened any more.
    fn evolve(&mut self, event: &CredentialEvent) -> Option<()> {
        match event {
            CredentialEvent::PasswordSet(set) => {
                self.password = Some(Password { hash: set.hash.clear()?.clone(), temporary: set.temporary });
                // A link to set a password, sent for the one before, is no longer asked for.
                if let Some(resets) = self.passes.get_mut(&PassKind::PasswordReset) {
                    resets.withdraw();
                }
            }
            CredentialEvent::PassIssued(issued) => {
                let email = issued.email.clear()?.clone();
                let pass = Pass { pass_id: issued.pass_id, to: email, expires_at: issued.expires_at, failures: 0 };
                self.passes.entry(issued.kind).or_default().issued(pass, issued.issued_at);
            }
            CredentialEvent::PassUsed(used) => self.passes.values_mut().for_each(|passes| passes.used(used.pass_id)),
            CredentialEvent::PassFailed(failed) => self.passes.values_mut().for_each(|passes| passes.failed(failed.pass_id)),
            CredentialEvent::EmailVerified(verified) => self.verified_email = Some(email_key(verified.email.clear()?)),
            CredentialEvent::TotpEnrolmentBegun(begun) => {
                self.authenticator = Authenticator::Begun { secret: begun.secret.clear()?.clone() }
            }
            CredentialEvent::TotpEnrolled(enrolled) => self.authenticator.confirmed(enrolled.step),
            CredentialEvent::TotpVerified(verified) => self.authenticator.verified(verified.step),
            CredentialEvent::TotpDisabled(_) => self.authenticator = Authenticator::None,
            CredentialEvent::PhoneCodeIssued(issued) => {
                let to = issued.phone.clear()?.clone();
                let pass = Pass { pass_id: issued.pass_id, to, expires_at: issued.expires_at, failures: 0 };
                self.passes.entry(issued.kind).or_default().issued(pass, issued.issued_at);
            }
            CredentialEvent::PhoneEnrolled(enrolled) => self.telephone.proven(enrolled.phone.clear()?),
            CredentialEvent::PhoneRemoved(_) => {
                self.telephone.removed();
                self.passes.iter_mut().filter(|(kind, _)| kind.is_of_phone()).for_each(|(_, passes)| passes.withdraw());
            }
            CredentialEvent::RecoveryCodesIssued(issued) => self.authenticator.recovery_codes_issued(&issued.digests),
            CredentialEvent::RecoveryCodeUsed(used) => self.authenticator.recovery_code_used(&used.digest),
            CredentialEvent::ExternalIdentityLinked(linked) => {
                self.external_identities.insert(linked.issuer, linked.subject.clear()?.clone());
            }
            CredentialEvent::ExternalIdentityUnlinked(unlinked) => {
                self.external_identities.remove(&unlinked.issuer);
                self.unlinked.insert(unlinked.issuer);
            }
            CredentialEvent::ExternalIdentitiesAllowed(_) => self.unlinked.clear(),
        }
        Some(())
    }
}

fn password_set(user_id: UserId, hash: &str, temporary: bool) -> Result<CredentialEvent, CredentialError> {
    // `$<algorithm>$…`: a password that was not hashed must not get into the log.
    let parts = hash.strip_prefix('$').map_or(0, |phc| phc.split('$').filter(|part| !part.is_empty()).count());
    if parts < 3 || hash.len() > HASH_MAX_CHARS || !hash.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(CredentialError::PasswordHashInvalid);
    }
    Ok(PasswordSet { user_id, hash: Personal::Clear(hash.to_owned()), temporary }.into())
}

impl Aggregate for Credential {
    const TYPE: &'static str = "credential";
    const SHAPE: u16 = 3;
    const DECIDES_ON_PERSONAL_DATA: Option<Purpose> = Some(Purpose::Security);

    type Command = CredentialCommand;
    type Event = CredentialEvent;
    type Error = CredentialError;

    fn decide(&self, command: &CredentialCommand, facts: &Facts) -> Result<Vec<CredentialEvent>, CredentialError> {
        self.secrets().ok_or(CredentialError::Closed)?.decide(command.user_id, &command.action, facts.now)
    }

    fn evolve(&mut self, event: &CredentialEvent) {
        if let Self::Open(secrets) = self
            && secrets.evolve(event).is_none()
        {
            *self = Self::Closed;
        }
    }
}
