//! Where the links in letters lead: to pages of the public address, with the token behind the `#`,
//! which no browser sends to a server, nor to the page that comes next.

use palmares_domain::messaging::letter::LetterKind;

/// Makes links on the public address.
#[derive(Clone)]
pub struct Links {
    public_url: String,
}

impl Links {
    pub fn on(public_url: &str) -> Self {
        Self { public_url: public_url.trim_end_matches('/').to_owned() }
    }

    /// The link of a letter; a code has none, nor has one that only tells something.
    pub fn of(&self, kind: LetterKind, token: &str) -> Option<String> {
        let page = match kind {
            LetterKind::Invitation => "invitation",
            LetterKind::MagicLink => "auth/magic-link",
            LetterKind::PasswordReset => "auth/password-reset",
            LetterKind::EmailVerification => "auth/email-verification",
            LetterKind::Signup => "auth/signup",
            LetterKind::PasswordChanged
            | LetterKind::NewSignIn
            | LetterKind::SuspiciousSignIn
            | LetterKind::SecondFactorDisabled
            | LetterKind::RecoveryCodesRenewed
            | LetterKind::PhoneEnrolled
            | LetterKind::PhoneRemoved
            | LetterKind::ExternalIdentityLinked => "auth/not-me",
            LetterKind::EmailCode
            | LetterKind::SignupCode
            | LetterKind::PhoneCode
            | LetterKind::AccountReminder
            | LetterKind::SignupApproved
            | LetterKind::SignupRefused
            | LetterKind::DeletionAsked
            | LetterKind::DeletionUndone
            | LetterKind::DeletionCancelled
            | LetterKind::DeletionRefused
            | LetterKind::AnomalyRaised
            | LetterKind::SiemStreamFailed
            | LetterKind::AuditExportReady
            | LetterKind::AuditExportFailed
            | LetterKind::RequestReceived
            | LetterKind::RequestExtended
            | LetterKind::RequestFulfilled
            | LetterKind::RequestRefused
            | LetterKind::RequestOverdue
            | LetterKind::BreachOverdue
            | LetterKind::ReviewOverdue => return None,
        };
        Some(format!("{}/{page}#token={token}", self.public_url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_its_token_from_servers() {
        let links = Links::on("https://palmares.test/");
        assert_eq!(links.of(LetterKind::MagicLink, "t"), Some("https://palmares.test/auth/magic-link#token=t".to_owned()));
        assert_eq!(links.of(LetterKind::EmailCode, "t"), None);
    }
}
