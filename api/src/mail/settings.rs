//! What an operator says of mail: the server, the sender, and where links lead.

use super::smtp;
use lettre::message::Mailbox;

/// What is said where the address of links is none.
pub const PUBLIC_URL_INVALID: &str = "PALMARES_PUBLIC_URL is no address such as https://palmares.your.company";

/// The server that takes letters, and who sends them.
#[derive(Clone)]
pub struct MailSettings {
    /// `smtp://user:password@host:587?tls=required`
    pub smtp_url: String,
    /// `Palmares <no-reply@your.company>`
    pub from: String,
}

impl MailSettings {
    /// What is wrong with them, if anything is. The address of the server holds a password, so what it
    /// is does not enter the answer.
    pub fn fault(&self) -> Option<&'static str> {
        if smtp::server(&self.smtp_url).is_err() {
            return Some("PALMARES_SMTP_URL is no address such as smtp://user:password@host:587?tls=required");
        }
        self.from.parse::<Mailbox>().err().map(|_| "PALMARES_MAIL_FROM is no sender such as Palmares <no-reply@your.company>")
    }

    /// Whether letters go to the server without being certain of TLS.
    pub fn in_clear(&self) -> bool {
        !self.smtp_url.starts_with("smtps:") && !self.smtp_url.contains("tls=required")
    }
}

/// Whether links can be made on this address.
pub fn public_url_fits(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"'<>@\\".contains(&byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(smtp_url: &str, from: &str) -> MailSettings {
        MailSettings { smtp_url: smtp_url.to_owned(), from: from.to_owned() }
    }

    #[test]
    fn a_faulty_setting_is_named_and_its_password_is_not() {
        let from = "Palmares <no-reply@palmares.test>";
        assert_eq!(settings("smtps://ada:secret@mail.test", from).fault(), None);
        let fault = settings("http://ada:secret@mail.test", from).fault().unwrap();
        assert!(fault.contains("PALMARES_SMTP_URL") && !fault.contains("secret"));
        assert!(settings("smtp://mail.test", "nobody").fault().unwrap().contains("PALMARES_MAIL_FROM"));
    }

    #[test]
    fn only_an_address_that_insists_on_tls_is_not_in_clear() {
        let in_clear = |url: &str| settings(url, "").in_clear();
        assert!(in_clear("smtp://mail.test") && in_clear("smtp://mail.test?tls=opportunistic"));
        assert!(!in_clear("smtp://mail.test?tls=required") && !in_clear("smtps://mail.test"));
    }

    #[test]
    fn links_are_made_on_plain_addresses_only() {
        assert!(public_url_fits("https://palmares.test") && public_url_fits("http://127.0.0.1:8080/people"));
        for url in ["palmares.test", "ftp://palmares.test", "https://", "https://a b", "https://a?x", "https://a#x", "https://evil@a"] {
            assert!(!public_url_fits(url), "{url}");
        }
    }
}
