//! The mails of the running system, as people read them.

use super::running::{eventually, running};
pub use palmares::cli::dev::mailbox::Mail;

/// What leads from a security notice to where its reader says that it was not them.
pub const NOT_ME: &str = "/auth/not-me#token=";

/// What `address` got, the newest first; security notices, which come beside anything, are left out.
pub async fn mails_to(address: &str) -> Vec<Mail> {
    all_to(address).await.into_iter().filter(|mail| !mail.text.contains(NOT_ME)).collect()
}

/// The security notices that `address` got, the newest first.
pub async fn notices_to(address: &str) -> Vec<Mail> {
    all_to(address).await.into_iter().filter(|mail| mail.text.contains(NOT_ME)).collect()
}

/// The newest security notice about something, as soon as there is one.
pub async fn notice_to(address: &str, about: &str) -> Mail {
    eventually(&format!("a notice to {address}: {about}"), async || {
        notices_to(address).await.into_iter().find(|mail| mail.subject.contains(about))
    })
    .await
}

async fn all_to(address: &str) -> Vec<Mail> {
    let url = format!("{}/messages", running().descriptor.mailbox_url);
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = http.get(url).query(&[("to", address)]).send().await.expect("the mailbox answers");
    answer.json().await.expect("mails")
}

/// The newest mail of `address`, as soon as there is one.
pub async fn mail_to(address: &str) -> Mail {
    eventually(&format!("a mail to {address}"), async || mails_to(address).await.into_iter().next()).await
}

/// The token behind the link of a mail that leads to this page.
#[track_caller]
pub fn token_in(mail: &Mail, page: &str) -> String {
    let start = format!("{}/{page}#token=", running().descriptor.base_url);
    let link = mail.text.lines().find_map(|line| line.strip_prefix(&start));
    link.unwrap_or_else(|| panic!("no link to {page} in {}", mail.text)).to_owned()
}
