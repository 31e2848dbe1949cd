//! What letters say: a text and a page of each kind in each language.

use chrono::{DateTime, Datelike, Utc};
use minijinja::{Environment, UndefinedBehavior, context};
use palmares_domain::{
    compliance::{
        access_anomaly::AnomalyRule,
        deletion_request::RefusalGround,
        subject_request::{RequestRefusal, SubjectRequestKind},
    },
    kernel::SubjectRequestId,
    messaging::letter::LetterKind,
    organizations::Locale,
};

macro_rules! sources {
    ($($path:literal),* $(,)?) => { &[$(($path, include_str!(concat!("templates/", $path)))),*] };
}

/// Every template by its path, without its folder.
const SOURCES: &[(&str, &str)] = sources![
    "layout.html",
    "en/footer.html",
    "en/footer.txt",
    "en/invitation.html",
    "en/invitation.txt",
    "en/magic_link.html",
    "en/magic_link.txt",
    "en/password_reset.html",
    "en/password_reset.txt",
    "en/email_code.html",
    "en/email_code.txt",
    "en/email_verification.html",
    "en/email_verification.txt",
    "en/signup.html",
    "en/signup.txt",
    "en/account_reminder.html",
    "en/account_reminder.txt",
    "en/signup_code.txt",
    "en/phone_code.txt",
    "en/signup_approved.html",
    "en/signup_approved.txt",
    "en/signup_refused.html",
    "en/signup_refused.txt",
    "en/notice.html",
    "en/notice.txt",
    "en/password_changed.html",
    "en/password_changed.txt",
    "en/new_sign_in.html",
    "en/new_sign_in.txt",
    "en/suspicious_sign_in.html",
    "en/suspicious_sign_in.txt",
    "en/second_factor_disabled.html",
    "en/second_factor_disabled.txt",
    "en/recovery_codes_renewed.html",
    "en/recovery_codes_renewed.txt",
    "en/phone_enrolled.html",
    "en/phone_enrolled.txt",
    "en/phone_removed.html",
    "en/phone_removed.txt",
    "en/external_identity_linked.html",
    "en/external_identity_linked.txt",
    "en/deletion_asked.html",
    "en/deletion_asked.txt",
    "en/deletion_undone.html",
    "en/deletion_undone.txt",
    "en/deletion_cancelled.html",
    "en/deletion_cancelled.txt",
    "en/deletion_refused.html",
    "en/deletion_refused.txt",
    "en/anomaly_raised.html",
    "en/anomaly_raised.txt",
    "en/siem_stream_failed.html",
    "en/siem_stream_failed.txt",
    "en/audit_export_failed.html",
    "en/audit_export_failed.txt",
    "en/audit_export_ready.html",
    "en/audit_export_ready.txt",
    "en/request_received.html",
    "en/request_received.txt",
    "en/request_extended.html",
    "en/request_extended.txt",
    "en/request_fulfilled.html",
    "en/request_fulfilled.txt",
    "en/request_refused.html",
    "en/request_refused.txt",
    "en/request_overdue.html",
    "en/request_overdue.txt",
    "en/breach_overdue.html",
    "en/breach_overdue.txt",
    "en/review_overdue.html",
    "en/review_overdue.txt",
    "fr/footer.html",
    "fr/footer.txt",
    "fr/invitation.html",
    "fr/invitation.txt",
    "fr/magic_link.html",
    "fr/magic_link.txt",
    "fr/password_reset.html",
    "fr/password_reset.txt",
    "fr/email_code.html",
    "fr/email_code.txt",
    "fr/email_verification.html",
    "fr/email_verification.txt",
    "fr/signup.html",
    "fr/signup.txt",
    "fr/account_reminder.html",
    "fr/account_reminder.txt",
    "fr/signup_code.txt",
    "fr/phone_code.txt",
    "fr/signup_approved.html",
    "fr/signup_approved.txt",
    "fr/signup_refused.html",
    "fr/signup_refused.txt",
    "fr/notice.html",
    "fr/notice.txt",
    "fr/password_changed.html",
    "fr/password_changed.txt",
    "fr/new_sign_in.html",
    "fr/new_sign_in.txt",
    "fr/suspicious_sign_in.html",
    "fr/suspicious_sign_in.txt",
    "fr/second_factor_disabled.html",
    "fr/second_factor_disabled.txt",
    "fr/recovery_codes_renewed.html",
    "fr/recovery_codes_renewed.txt",
    "fr/phone_enrolled.html",
    "fr/phone_enrolled.txt",
    "fr/phone_removed.html",
    "fr/phone_removed.txt",
    "fr/external_identity_linked.html",
    "fr/external_identity_linked.txt",
    "fr/deletion_asked.html",
    "fr/deletion_asked.txt",
    "fr/deletion_undone.html",
    "fr/deletion_undone.txt",
    "fr/deletion_cancelled.html",
    "fr/deletion_cancelled.txt",
    "fr/deletion_refused.html",
    "fr/deletion_refused.txt",
    "fr/anomaly_raised.html",
    "fr/anomaly_raised.txt",
    "fr/siem_stream_failed.html",
    "fr/siem_stream_failed.txt",
    "fr/audit_export_failed.html",
    "fr/audit_export_failed.txt",
    "fr/audit_export_ready.html",
    "fr/audit_export_ready.txt",
    "fr/request_received.html",
    "fr/request_received.txt",
    "fr/request_extended.html",
    "fr/request_extended.txt",
    "fr/request_fulfilled.html",
    "fr/request_fulfilled.txt",
    "fr/request_refused.html",
    "fr/request_refused.txt",
    "fr/request_overdue.html",
    "fr/request_overdue.txt",
    "fr/breach_overdue.html",
    "fr/breach_overdue.txt",
    "fr/review_overdue.html",
    "fr/review_overdue.txt",
];

/// A letter as it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// What a letter is about.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The organization's name.
    pub organization: &'a str,
    /// The link or the code; empty where the letter only tells something.
    pub key: &'a str,
    /// What somebody has to say to the recipient.
    pub note: Option<&'a str>,
    pub valid_until: DateTime<Utc>,
    /// What a notice tells of.
    pub happened: Option<&'a Happened>,
}

/// Something that happened, as far as its letter tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    pub at: DateTime<Utc>,
    pub address: Option<String>,
    pub device: Option<String>,
    /// What of the audit log looks wrong, where it is that.
    pub found: Option<AnomalyRule>,
    /// What somebody asked for by law, where it is about that.
    pub request: Option<RequestTold>,
    /// Why the deletion was refused that somebody asked for, where it is about that.
    pub refused: Option<RefusalGround>,
}

/// What a letter tells of a subject request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTold {
    pub request_id: SubjectRequestId,
    /// What is asked for.
    pub kind: Option<SubjectRequestKind>,
    /// By when it is answered.
    pub due_at: Option<DateTime<Utc>>,
    /// Why it is refused.
    pub ground: Option<RequestRefusal>,
}

impl RequestTold {
    pub fn of(request_id: SubjectRequestId) -> Self {
        Self { request_id, kind: None, due_at: None, ground: None }
    }
}

/// Writes letters.
pub struct Templates(Environment<'static>);

impl Templates {
    /// # Errors
    /// A template that cannot be parsed, which a test would have shown.
    pub fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        // A variable that is not there is an error, not a gap in a letter.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (path, source) in SOURCES {
            environment.add_template(path, source)?;
        }
        Ok(Self(environment))
    }

    /// What a text message says.
    ///
    /// # Errors
    /// A template that asks for what it is not given, which a test would have shown.
    pub fn write_text(&self, kind: LetterKind, language: Locale, about: Subject<'_>) -> Result<String, minijinja::Error> {
        let (tag, organization, key) = (language.tag(), about.organization, about.key);
        let valid_until = moment(language, about.valid_until);
        let text = self.0.get_template(&format!("{tag}/{}.txt", kind.name()))?.render(context! { organization, key, valid_until })?;
        Ok(text.trim_end().to_owned())
    }

    /// # Errors
    /// A template that asks for what it is not given, which a test would have shown.
    pub fn write(&self, kind: LetterKind, language: Locale, about: Subject<'_>) -> Result<Letter, minijinja::Error> {
        let (tag, organization) = (language.tag(), about.organization);
        let valid_until = moment(language, about.valid_until);
        let happened_at = about.happened.map(|happened| moment(language, happened.at)).unwrap_or_default();
        let told = |of: fn(&Happened) -> &Option<String>| about.happened.and_then(|happened| of(happened).as_deref()).unwrap_or("—");
        let (address, device) = (told(|happened| &happened.address), told(|happened| &happened.device));
        let found = about.happened.and_then(|happened| happened.found).map(AnomalyRule::name);
        let request = about.happened.and_then(|happened| happened.request);
        let right = request.and_then(|request| request.kind).map(SubjectRequestKind::name);
        let refused = about.happened.and_then(|happened| happened.refused).map(RefusalGround::name);
        let ground = request.and_then(|request| request.ground).map(RequestRefusal::name).or(refused);
        let due = request.and_then(|request| request.due_at).map(|due| moment(language, due)).unwrap_or_default();
        // What came by another way may be overdue as soon as it is recorded.
        let overdue = request.and_then(|request| request.due_at).zip(about.happened).is_some_and(|(due, happened)| due <= happened.at);
        let render = |extension: &str, subject: &str| {
            let (key, note) = (about.key, about.note);
            let variables = context! {
                organization, subject, address, device, found, right, ground, due => &due, overdue, key, note, valid_until => &valid_until, happened_at => &happened_at,
                language => tag, notice => kind.is_notice(), alarm => kind.is_alarm(),
            };
            self.0.get_template(&format!("{tag}/{}.{extension}", kind.name()))?.render(variables)
        };
        let plain = render("txt", "")?;
        // The first line of the plain letter is its subject.
        let (subject, text) = plain.split_once("\n\n").unwrap_or((&plain, ""));
        let html = render("html", subject)?;
        Ok(Letter { subject: subject.to_owned(), text: format!("{}\n", text.trim_end()), html })
    }
}

/// A moment as people of a language write it, to the minute.
fn moment(language: Locale, at: DateTime<Utc>) -> String {
    const ENGLISH: [&str; 12] =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    const FRENCH: [&str; 12] =
        ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];
    let (day, month, time) = (at.day(), at.month0() as usize, at.format("%H:%M"));
    match language {
        Locale::En => format!("{day} {} {}, {time} UTC", ENGLISH[month], at.year()),
        Locale::Fr if day == 1 => format!("1er {} {} à {time} UTC", FRENCH[month], at.year()),
        Locale::Fr => format!("{day} {} {} à {time} UTC", FRENCH[month], at.year()),
    }
}

#[cfg(test)]
#[path = "templates_tests.rs"]
mod tests;
