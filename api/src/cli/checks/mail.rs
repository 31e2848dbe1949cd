//! Mail: whether letters can be sent, and where their links lead.

use super::Finding;
use crate::{
    cli::settings::ServerSettings,
    mail::{PUBLIC_URL_INVALID, public_url_fits},
};

pub fn check(settings: &ServerSettings) -> Vec<Finding> {
    const SERVER: &str = "mail server";
    let public_url = &settings.public_url;
    let server = match &settings.mail {
        None => Finding::doubtful(SERVER, "PALMARES_SMTP_URL is not set: letters wait, and those that expire are never sent"),
        Some(mail) => match mail.fault() {
            Some(fault) => Finding::bad(SERVER, fault),
            None if mail.in_clear() => {
                Finding::doubtful(SERVER, "letters may go to it without TLS: add `?tls=required` to PALMARES_SMTP_URL")
            }
            None => Finding::good(SERVER, mail.from.clone()),
        },
    };
    vec![server, Finding::of("links in letters", public_url_fits(public_url), public_url.clone(), PUBLIC_URL_INVALID)]
}
