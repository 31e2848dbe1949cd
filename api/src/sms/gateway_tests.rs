//! The adapter against a gateway on this machine.

use super::*;
use crate::cli::dev::mailbox::Mailbox;
use crate::pipeline::keys::generate_pem;
use palmares_domain::kernel::{LetterId, OrganizationId};
use std::{
    env, fs,
    path::{Path, PathBuf},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::mpsc,
};
use uuid::Uuid;

const NUMBER: &str = "+33612345678";

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn fresh() -> Self {
        let path = env::temp_dir().join(format!("palmares-sms-{}", Uuid::now_v7()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn message() -> TextMessage {
    TextMessage {
        organization: OrganizationId(Uuid::from_u128(3)),
        id: LetterId(Uuid::from_u128(7)),
        to: NUMBER.to_owned(),
        text: "042917 est votre code".to_owned(),
    }
}

fn tokens() -> Arc<TokenKeys> {
    let pem = generate_pem().unwrap();
    Arc::new(TokenKeys::from_pems("https://palmares.test", "palmares", [pem.as_str()]).unwrap())
}

fn adapter(url: String, secret_file: &Path) -> HttpGateway {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    HttpGateway::new(&SmsSettings { url, secret_file: secret_file.to_owned() }, tokens()).unwrap()
}

/// A gateway that answers everything with this status, and tells what it was asked.
async fn answering(status: &'static str) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/messages", listener.local_addr().unwrap());
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let (mut request, mut length) = (String::new(), 0);
            while !request.ends_with("\r\n\r\n") {
                let from = request.len();
                stream.read_line(&mut request).await.unwrap();
                if let Some(told) = request[from..].to_ascii_lowercase().strip_prefix("content-length:") {
                    length = told.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            let _ = tell.send(request + &String::from_utf8(body).unwrap());
            let location = "Location: http://127.0.0.1:1/\r\n";
            let answer = format!("HTTP/1.1 {status}\r\n{location}Content-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, told)
}

// covers: T-46
#[tokio::test]
async fn a_message_is_caught_by_whoever_knows_the_secret() {
    let (mailbox, folder) = (Mailbox::start().await.unwrap(), Folder::fresh());
    let file = mailbox.secret_file(folder.path()).unwrap();
    let gateway = adapter(mailbox.texts_url(), &file);
    gateway.send(&message()).await.unwrap();
    gateway.send(&message()).await.unwrap();
    let [caught] = &mailbox.caught.to(Some(NUMBER))[..] else { panic!("one message, however often it comes") };
    assert_eq!((caught.text.as_str(), caught.from.as_str()), ("042917 est votre code", "SMS"));
    // The secret is read for each message: a new one holds at once.
    fs::write(&file, "another").unwrap();
    assert!(matches!(gateway.send(&message()).await, Err(DeliveryFault::Unreachable(_))));
    for broken in ["", "\n"] {
        fs::write(&file, broken).unwrap();
        assert!(matches!(gateway.send(&message()).await, Err(DeliveryFault::Unreachable(_))));
    }
    assert_eq!(mailbox.caught.to(None).len(), 1);
}

#[tokio::test]
async fn a_message_goes_over_as_the_contract_says() {
    let (url, mut told) = answering("202 Accepted").await;
    let folder = Folder::fresh();
    let file = folder.path().join("secret");
    fs::write(&file, "s3cret\n").unwrap();
    adapter(url, &file).send(&message()).await.unwrap();
    let request = told.recv().await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /messages http/1.1") && head.contains("authorization: bearer s3cret\r\n"), "{head}");
    assert!(head.contains("idempotency-key: 00000000-0000-0000-0000-000000000007"), "{head}");
    assert!(head.contains("palmares-tenant: ey"), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body, json!({ "id": message().id, "to": NUMBER, "text": "042917 est votre code" }));
}

#[tokio::test]
async fn what_a_gateway_answers_is_about_the_message_or_about_us() {
    let folder = Folder::fresh();
    let file = folder.path().join("secret");
    fs::write(&file, "s3cret").unwrap();
    for (status, expected) in [
        ("400 Bad Request", "refused"),
        ("422 Unprocessable Content", "refused"),
        ("429 Too Many Requests", "deferred"),
        ("401 Unauthorized", "unreachable"),
        ("500 Internal Server Error", "unreachable"),
        // Followed, the secret would go to whoever is there.
        ("302 Found", "unreachable"),
    ] {
        let (url, _told) = answering(status).await;
        let fault = adapter(url, &file).send(&message()).await.unwrap_err();
        let is = match &fault {
            DeliveryFault::Permanent(UndeliverableReason::Refused, _) => "refused",
            DeliveryFault::Deferred(_) => "deferred",
            DeliveryFault::Unreachable(_) => "unreachable",
            DeliveryFault::Permanent(..) => "another",
        };
        assert_eq!(is, expected, "{status}");
        let told = fault.to_string();
        assert!(!told.contains("s3cret") && !told.contains("612345678"), "{told}");
    }
    let nobody = adapter("http://127.0.0.1:1/messages".to_owned(), &file);
    assert!(matches!(nobody.send(&message()).await, Err(DeliveryFault::Unreachable(_))));
}

#[test]
fn the_secret_does_not_go_out_in_clear() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let adapter = |url: &str| HttpGateway::new(&SmsSettings { url: url.to_owned(), secret_file: "secret".into() }, tokens());
    for url in ["http://sms.test/messages", "http://10.0.0.1/messages", "messages"] {
        assert!(adapter(url).is_err(), "{url}");
    }
    assert!(adapter("https://sms.test/messages").is_ok());
}
