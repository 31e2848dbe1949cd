//! The server and its page, over the wire.

use super::{caught::Verdict, *};
use reqwest::{Client, StatusCode, header};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

const MAIL: &str = "From: <a@palmares.test>\r\nTo: <ada@acme.test>\r\nSubject: Hello & <b>welcome</b>\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/html; charset=utf-8\r\n\r\n<html><head></head><body>\"quoted\" <script>alert(1)</script></body></html>\r\n";

fn client() -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

fn with_mail(caught: &Caught, to: &str) {
    caught.keep("a@palmares.test", vec![to.to_owned()], MAIL.as_bytes());
}

#[tokio::test]
async fn the_server_speaks_smtp_line_by_line() {
    let mailbox = Mailbox::start().await.unwrap();
    let mut stream = BufReader::new(TcpStream::connect(mailbox.smtp).await.unwrap());
    let mut said = String::new();
    for (line, code) in [
        ("", "220"),
        ("HELO test\r\n", "250"),
        ("MAIL FROM:<a@palmares.test>\r\n", "250"),
        ("RCPT TO:<ada@reject.test>\r\n", "550"),
        ("RCPT TO:<ada@later.test>\r\n", "451"),
        ("RCPT TO:<ada@later.test>\r\n", "250"),
        ("DATA\r\n", "354"),
        ("Subject: dots\r\n\r\n..\r\n.\r\n", "250"),
        ("QUIT\r\n", "221"),
    ] {
        stream.write_all(line.as_bytes()).await.unwrap();
        said.clear();
        stream.read_line(&mut said).await.unwrap();
        assert!(said.starts_with(code), "{line:?} was answered {said:?}");
    }
    let [mail] = &mailbox.caught.to(Some("ada@later.test"))[..] else { panic!("one mail was caught") };
    assert_eq!((mail.subject.as_str(), mail.text.trim_end()), ("dots", "."));
    assert_eq!(mail.html, None);
}

#[tokio::test]
async fn mails_are_found_by_whom_they_were_sent_to() {
    let mailbox = Mailbox::start().await.unwrap();
    with_mail(&mailbox.caught, "ada@acme.test");
    with_mail(&mailbox.caught, "bob@acme.test");
    let read = async |path: &str| {
        let answer = client().get(format!("{}{path}", mailbox.page_url())).send().await.unwrap();
        answer.json::<Vec<Mail>>().await.unwrap()
    };
    assert_eq!(read("/messages").await.len(), 2);
    let [mail] = &read("/messages?to=Ada@acme.test").await[..] else { panic!("Ada has one mail") };
    assert_eq!(mail, &*mailbox.caught.to(Some("ada@acme.test"))[0]);
    assert!(read("/messages?to=eve@acme.test").await.is_empty());
}

#[tokio::test]
async fn nothing_in_a_mail_runs_on_the_page() {
    let mailbox = Mailbox::start().await.unwrap();
    with_mail(&mailbox.caught, "ada@acme.test");
    let id = mailbox.caught.to(None)[0].id;
    for path in ["/".to_owned(), format!("/messages/{id}")] {
        let answer = client().get(format!("{}{path}", mailbox.page_url())).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("script-src"), "{policy}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("Hello &amp; &lt;b&gt;welcome&lt;"), "{page}");
        assert!(!page.contains("<script") && !page.contains("<b>welcome"), "{page}");
        assert_eq!(page.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""), path != "/");
    }
}

#[tokio::test]
async fn the_page_answers_only_who_asks_by_the_address_of_this_machine() {
    let mailbox = Mailbox::start().await.unwrap();
    let ask = async |host: &str| {
        let request = client().get(format!("{}/messages", mailbox.page_url())).header(header::HOST, host);
        request.send().await.unwrap().status()
    };
    for host in ["localhost", "localhost:1234", "127.0.0.1:80", "[::1]:80"] {
        assert_eq!(ask(host).await, StatusCode::OK, "{host}");
    }
    for host in ["rebound.example", "127.0.0.1.example:80", "10.0.0.1"] {
        assert_eq!(ask(host).await, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
}

#[tokio::test]
async fn there_is_only_to_read() {
    let mailbox = Mailbox::start().await.unwrap();
    let answer = client().delete(format!("{}/messages", mailbox.page_url())).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    for path in ["/messages/x", "/messages/01924f5e-7c3a-7b1c-8f2d-3a4b5c6d7e8f", "/other"] {
        let answer = client().get(format!("{}{path}", mailbox.page_url())).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn only_the_last_mails_are_kept() {
    let caught = Caught::default();
    for number in 0..=CAUGHT_MAX {
        with_mail(&caught, &format!("{number}@acme.test"));
    }
    let kept = caught.to(None);
    assert_eq!(kept.len(), CAUGHT_MAX);
    assert_eq!(kept[0].to, [format!("{CAUGHT_MAX}@acme.test")]);
    assert!(caught.to(Some("0@acme.test")).is_empty());
}

#[test]
fn an_address_is_put_off_once() {
    let caught = Caught::default();
    assert_eq!(caught.judge("Ada@later.test"), Verdict::Deferred);
    assert_eq!(caught.judge("ada@LATER.test"), Verdict::Accepted);
    assert_eq!(caught.judge("bob@later.test"), Verdict::Deferred);
    assert_eq!(caught.judge("bob@reject.test"), Verdict::Rejected);
    assert_eq!(caught.judge("bob@acme.test"), Verdict::Accepted);
}

#[test]
fn what_is_no_mail_is_shown_as_it_came() {
    let caught = Caught::default();
    caught.keep("", vec!["ada@acme.test".to_owned()], b"");
    assert_eq!(caught.to(None)[0].subject, "");
}

#[tokio::test]
async fn a_text_is_handed_in_by_whoever_says_the_secret() {
    let mailbox = Mailbox::start().await.unwrap();
    let text = serde_json::json!({ "id": uuid::Uuid::nil(), "to": "+33612345678", "text": "a code" });
    let hand_in =
        async |secret: &str, body: String| client().post(mailbox.texts_url()).bearer_auth(secret).body(body).send().await.unwrap().status();
    assert_eq!(hand_in("guessed", text.to_string()).await, StatusCode::UNAUTHORIZED);
    assert_eq!(hand_in(&mailbox.secret, "{}".to_owned()).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(mailbox.caught.to(None).is_empty());
    assert_eq!(hand_in(&mailbox.secret, text.to_string()).await, StatusCode::ACCEPTED);
    let read = client().get(format!("{}/messages", mailbox.page_url())).query(&[("to", "+33612345678")]).send().await.unwrap();
    assert_eq!(read.json::<Vec<Mail>>().await.unwrap()[0].text, "a code");
    let page = client().get(mailbox.page_url()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("+33612345678") || page.contains("&#x2b;33612345678"), "{page}");
}
