//! Against a server that speaks SMTP: the one of `palmares dev`.

use super::*;
use crate::{
    cli::dev::mailbox::{DEFERRED_DOMAIN, Mailbox, REJECTED_DOMAIN},
    mail::Letter,
};
use chrono::DateTime;
use palmares_domain::{kernel::LetterId, organizations::Locale};
use tokio::{io::AsyncWriteExt, net::TcpListener};
use uuid::Uuid;

const LETTER: LetterId = LetterId(Uuid::from_u128(7));

fn mailer(smtp_url: String) -> SmtpMailer {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    SmtpMailer::new(&MailSettings { smtp_url, from: "Palmares <no-reply@palmares.test>".to_owned() }).unwrap()
}

fn letter_to(to: &str) -> Message {
    Message {
        id: LETTER,
        date: DateTime::from_timestamp(1_780_000_000, 0).unwrap(),
        to: to.to_owned(),
        language: Locale::Fr,
        letter: Letter {
            subject: "Connexion à Acmé".to_owned(),
            text: "Un point seul :\n.\n..\nÀ bientôt\n".to_owned(),
            html: "<p>À bientôt</p>".to_owned(),
        },
    }
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written() {
    let mailbox = Mailbox::start().await.unwrap();
    let mailer = mailer(mailbox.smtp_url());
    for address in ["ada@acme.test", "bob@acme.test"] {
        mailer.send(&letter_to(address)).await.unwrap();
    }
    assert_eq!(mailbox.caught.to(None).len(), 2);
    let [mail] = &mailbox.caught.to(Some("ADA@acme.test"))[..] else { panic!("Ada has one mail") };
    assert_eq!((mail.subject.as_str(), mail.from.as_str()), ("Connexion à Acmé", "no-reply@palmares.test"));
    assert_eq!(mail.text.trim_end(), "Un point seul :\n.\n..\nÀ bientôt");
    assert_eq!(mail.html.as_deref().map(str::trim_end), Some("<p>À bientôt</p>"));
    assert_eq!(mail.message_id, format!("{LETTER}@palmares.test"));
}

#[tokio::test]
async fn the_same_letter_is_the_same_to_the_byte() {
    let mailer = mailer("smtp://127.0.0.1:1".to_owned());
    let formed = || mailer.formed(&letter_to("ada@acme.test"), "ada@acme.test".parse().unwrap()).unwrap().formatted();
    let text = String::from_utf8(formed()).unwrap();
    assert_eq!(text.as_bytes(), formed());
    for header in [
        "Auto-Submitted: auto-generated\r\n",
        "Content-Language: fr\r\n",
        "Date: Thu, 28 May 2026 20:26:40 +0000\r\n",
        "Message-ID: <00000000-0000-0000-0000-000000000007@palmares.test>\r\n",
    ] {
        assert!(text.contains(header), "{header} is not in {text}");
    }
}

#[tokio::test]
async fn a_recipient_who_is_refused_for_good_is_a_permanent_fault() {
    let mailbox = Mailbox::start().await.unwrap();
    let fault = mailer(mailbox.smtp_url()).send(&letter_to(&format!("ada@{REJECTED_DOMAIN}"))).await.unwrap_err();
    assert!(matches!(fault, DeliveryFault::Permanent(UndeliverableReason::Refused, _)), "{fault}");
    assert!(!fault.to_string().contains("ada"), "what is logged quotes no address: {fault}");
    assert!(mailbox.caught.to(None).is_empty());
}

#[tokio::test]
async fn a_recipient_who_is_put_off_gets_the_letter_at_the_next_attempt() {
    let mailbox = Mailbox::start().await.unwrap();
    let (mailer, letter) = (mailer(mailbox.smtp_url()), letter_to(&format!("ada@{DEFERRED_DOMAIN}")));
    let fault = mailer.send(&letter).await.unwrap_err();
    assert!(matches!(fault, DeliveryFault::Deferred(451)), "{fault}");
    mailer.send(&letter).await.unwrap();
    assert_eq!(mailbox.caught.to(None).len(), 1);
}

#[tokio::test]
async fn what_is_no_address_is_a_permanent_fault_and_reaches_no_server() {
    let mailer = mailer("smtp://127.0.0.1:1".to_owned());
    for address in ["", "ada", "ada@", "Ada <ada@acme.test>", "ada@acme.test\r\nBcc: eve@acme.test", "adä@acme.test"] {
        let fault = mailer.send(&letter_to(address)).await.unwrap_err();
        assert!(matches!(fault, DeliveryFault::Permanent(UndeliverableReason::AddressInvalid, _)), "{address}: {fault}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_says_nothing_of_the_letter() {
    let fault = mailer("smtp://127.0.0.1:1".to_owned()).send(&letter_to("ada@acme.test")).await.unwrap_err();
    assert!(matches!(fault, DeliveryFault::Unreachable(_)), "{fault}");
}

/// A reply of 5xx is about a letter only where the server would have taken another one.
#[tokio::test]
async fn a_server_that_turns_everybody_away_says_nothing_of_the_letter() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"554 no service here\r\n").await;
        }
    });
    let fault = mailer(format!("smtp://{address}")).send(&letter_to("ada@acme.test")).await.unwrap_err();
    assert!(matches!(fault, DeliveryFault::Unreachable(_)), "{fault}");
}

#[tokio::test]
async fn a_letter_is_not_sent_in_clear_where_tls_is_required() {
    let mailbox = Mailbox::start().await.unwrap();
    let mailer = mailer(format!("{}?tls=required", mailbox.smtp_url()));
    let fault = mailer.send(&letter_to("ada@acme.test")).await.unwrap_err();
    assert!(matches!(fault, DeliveryFault::Unreachable(_)), "{fault}");
    assert!(mailbox.caught.to(None).is_empty());
}
