//! What processing for each purpose is: why, on which legal basis, of whom, and who receives it outside of the
//! server (GDPR, articles 15(1) and 30(1)). One table, for the data map, exports and receipts.

use super::Purpose;
use serde::Serialize;

/// On which ground personal data is processed, as the platform is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegalBasis {
    /// GDPR, article 6(1)(b).
    Contract,
    /// GDPR, articles 6(1)(a) and 9(2)(a): health data is processed of who agreed to it.
    ExplicitConsent,
    /// GDPR, article 6(1)(c).
    LegalObligation,
    /// GDPR, article 6(1)(f).
    LegitimateInterests,
}

impl LegalBasis {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            LegalBasis::Contract => "contract",
            LegalBasis::ExplicitConsent => "explicit_consent",
            LegalBasis::LegalObligation => "legal_obligation",
            LegalBasis::LegitimateInterests => "legitimate_interests",
        }
    }
}

/// Whom something reaches outside of the server, by category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// Who runs servers, database and backups.
    Hosting,
    /// Who carries letters.
    MailCarrier,
    /// Who carries text messages, where telephones are in use.
    TextMessageGateway,
    /// The organization's provider of identities, where it has connected one.
    IdentityProvider,
    /// Where the organization's audit log goes, where it has opened a stream.
    SiemStream,
    /// Who tells people from programs at sign-in, where one is configured.
    CaptchaService,
}

impl Recipient {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Recipient::Hosting => "hosting",
            Recipient::MailCarrier => "mail_carrier",
            Recipient::TextMessageGateway => "text_message_gateway",
            Recipient::IdentityProvider => "identity_provider",
            Recipient::SiemStream => "siem_stream",
            Recipient::CaptchaService => "captcha_service",
        }
    }
}

/// What processing for a purpose is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processing {
    /// In words.
    pub description: &'static str,
    pub legal_basis: LegalBasis,
    /// Of whom data is processed, by category.
    pub subjects: &'static str,
    pub recipients: &'static [Recipient],
}

impl Purpose {
    /// The table.
    pub fn processing(self) -> Processing {
        use Recipient::{CaptchaService, Hosting, IdentityProvider, MailCarrier, SiemStream, TextMessageGateway};
        let (description, legal_basis, recipients): (_, _, &[Recipient]) = match self {
            Purpose::Profile => (
                "Knowing who somebody is, reaching them, and letting them in",
                LegalBasis::Contract,
                &[Hosting, MailCarrier, TextMessageGateway, IdentityProvider],
            ),
            Purpose::Health => ("Recording activity and health, and rewarding it", LegalBasis::ExplicitConsent, &[Hosting]),
            Purpose::Reward => ("Keeping the account of points and rewards", LegalBasis::Contract, &[Hosting]),
            Purpose::Hr => ("What concerns employment", LegalBasis::LegalObligation, &[Hosting]),
            Purpose::Security => (
                "Securing accounts, and knowing from where requests came",
                LegalBasis::LegitimateInterests,
                // Letters about sign-ins name address and device; entries that go to a SIEM have the address.
                &[Hosting, MailCarrier, TextMessageGateway, SiemStream, CaptchaService],
            ),
            Purpose::Case => ("Accounting for cases, such as breaches, holds and suspensions", LegalBasis::LegalObligation, &[Hosting]),
        };
        let subjects = match self {
            Purpose::Case => "Whoever is named in the text of a case",
            _ => "People with an account, and those who were invited or asked for one",
        };
        Processing { description, legal_basis, subjects, recipients }
    }
}
