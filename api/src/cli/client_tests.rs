use super::*;
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Answers each connection with the next of `answers`, and keeps what was asked.
async fn serve(answers: &'static [&'static str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = vec![0; 16 * 1024];
            let read = stream.read(&mut request).await.expect("a request");
            kept.lock().expect("lock").push(String::from_utf8_lossy(&request[..read]).into_owned());
            stream.write_all(answer.as_bytes()).await.expect("an answer");
        }
    });
    (base, asked)
}

fn client(base: &str) -> ApiClient {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    ApiClient::new(base, " token ").expect("a client")
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says_so() {
    let (base, asked) = serve(&[
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nPalmares-Position: 42\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{\"id\":\"x\"}",
    ])
    .await;
    let answer = client(&base).post("users", &json!({ "role": "member" }), Some("key-1")).await.expect("the third attempt");
    assert_eq!((answer.position, member(&answer.body, "users", "id").expect("an id")), (Some(42), "x"));
    let asked = asked.lock().expect("lock");
    assert_eq!(asked.len(), 3);
    for request in asked.iter() {
        let request = request.to_ascii_lowercase();
        assert!(request.starts_with("post /api/v1/users http/1.1"), "{request}");
        assert!(request.contains("idempotency-key: key-1") && request.contains("authorization: bearer token\r\n"), "{request}");
    }
}

#[tokio::test]
async fn a_problem_is_told_in_one_line_with_its_fields() {
    let (base, _) = serve(&["HTTP/1.1 422 Unprocessable Entity\r\nConnection: close\r\n\r\n\
        {\"code\":\"VALIDATION_ERROR\",\"detail\":\"refused\",\"errors\":[{\"field\":\"slug\",\"reason\":\"too_long\"}],\"status\":422}"])
    .await;
    let error = client(&base).get("organizations", &[]).await.expect_err("refused");
    assert_eq!(error.to_string(), "422 Unprocessable Entity VALIDATION_ERROR: refused; slug too_long");
    assert!(!error.is_final());
}
