//! A witness that keeps the rules: it cosigns what extends what it saw, and nothing else.

use super::{Site, key, organization};
use palmares::wiring::witnesses::{Witness, Witnesses};
use palmares_proofs::{
    Checkpoint, NodeHash, TrustedKeys,
    cosignature::{cosign, cosigned_at},
    keys,
    note::{Algorithm, Note, Sign, Verifier},
    tree::extends,
    witness::parse_add_checkpoint,
};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What it saw last.
#[derive(Clone, Copy)]
struct Seen {
    size: u64,
    root: NodeHash,
}

struct LocalWitness {
    verifier: Verifier,
    url: String,
    seen: Arc<Mutex<Seen>>,
}

impl LocalWitness {
    /// A witness of one origin, on a port of its own.
    async fn start(origin: String, trusted: TrustedKeys) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/prefix", listener.local_addr().unwrap());
        let verifier = Verifier { name: "witness.example".to_owned(), algorithm: Algorithm::Cosignature, public: key(77).public() };
        let seen = Arc::new(Mutex::new(Seen { size: 0, root: NodeHash::of_nothing() }));
        let (name, memory) = (verifier.name.clone(), seen.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let body = request(&mut stream).await;
                let (status, answer) = judge(&body, &origin, &trusted, &name, &memory);
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
                stream.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
            }
        });
        Self { verifier, url, seen }
    }

    fn witness(&self) -> Witness {
        format!("{}@{}", self.verifier, self.url).parse().unwrap()
    }
}

/// The body of a request.
async fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            assert!(head.starts_with("POST /prefix/add-checkpoint HTTP/1.1"), "{head}");
            let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
            if body.len() == length.expect("a length") {
                return body.to_owned();
            }
        }
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "a whole request");
    }
}

/// As c2sp.org/tlog-witness says.
fn judge(body: &str, origin: &str, trusted: &TrustedKeys, name: &str, seen: &Mutex<Seen>) -> (&'static str, String) {
    let Some((old, proof, checkpoint)) = parse_add_checkpoint(body) else { return ("400 Bad Request", String::new()) };
    let Some((new, note)) = Checkpoint::of_note(checkpoint) else { return ("400 Bad Request", String::new()) };
    if new.origin != origin {
        return ("404 Not Found", String::new());
    }
    if !trusted.signed(&note, origin) {
        return ("403 Forbidden", String::new());
    }
    let mut seen = seen.lock().unwrap();
    if old != seen.size {
        return ("409 Conflict", format!("{}\n", seen.size));
    }
    if !extends((seen.size, seen.root), new.head(), &proof) {
        return ("422 Unprocessable Entity", String::new());
    }
    *seen = Seen { size: new.size, root: new.root };
    ("200 OK", cosign(&note.text, name, 1_795_000_000, &key(77)))
}

// covers: E-184
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_cosigns_what_extends_what_it_saw_and_nothing_else() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let site = Site::open().await;
    let organization = organization();
    let origin = keys::root_origin(&site.name().await);
    let local = LocalWitness::start(origin, site.trusted().await).await;
    let witnesses = Witnesses::new(site.log.clone(), Vec::new()).unwrap();
    assert_eq!(witnesses.show(&local.witness()).await.unwrap(), 0, "nothing is sealed yet");
    for size in 1..=5 {
        site.append(organization, 3).await;
        site.seal().await.unwrap();
        if size == 2 {
            continue;
        }
        assert_eq!(witnesses.show(&local.witness()).await.unwrap(), size);
        assert_eq!(witnesses.show(&local.witness()).await.unwrap(), size, "nothing new is not shown again");
    }
    let (note, line): (String, String) =
        sqlx::query_as("SELECT note, line FROM proof_root_checkpoints JOIN proof_cosignatures USING (size) ORDER BY size DESC LIMIT 1")
            .fetch_one(&site.superuser)
            .await
            .unwrap();
    assert_eq!(cosigned_at(&Note::parse(&format!("{note}{line}")).unwrap(), &local.verifier), Some(1_795_000_000));

    // A node that knows nothing of what was witnessed learns it from the witness.
    site.tamper("DELETE FROM proof_cosignatures").await;
    site.append(organization, 1).await;
    site.seal().await.unwrap();
    assert_eq!(witnesses.show(&local.witness()).await.unwrap(), 6);

    // A witness that saw another history does not cosign this one, and one that saw more says so.
    local.seen.lock().unwrap().root = NodeHash::of_leaf(b"another history");
    site.append(organization, 1).await;
    site.seal().await.unwrap();
    let refused = witnesses.show(&local.witness()).await.unwrap_err().to_string();
    assert!(refused.contains("422"), "{refused}");
    local.seen.lock().unwrap().size = 100;
    let refused = witnesses.show(&local.witness()).await.unwrap_err().to_string();
    assert!(refused.contains("knows 100 leaves"), "{refused}");
}
