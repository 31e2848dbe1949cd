//! What a client of the house does and leaves, at servers that answer as they are told.

use super::*;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

/// A server that gives every request this answer, and tells the first line of each with the number of its connection.
async fn server(answer: String) -> (SocketAddr, mpsc::UnboundedReceiver<(usize, String)>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (told, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for number in 0.. {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let (answer, told) = (answer.clone(), told.clone());
            tokio::spawn(async move {
                let mut bytes = vec![0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut bytes).await {
                    let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                    let _ = told.send((number, text.lines().next().unwrap_or_default().to_owned()));
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, heard)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (address, mut heard) = server(answer("302 Found", "Location: /elsewhere\r\n", "")).await;
    let client = Outbound::within(Duration::from_secs(5)).build().unwrap();
    assert_eq!(client.get(format!("http://{address}/here")).send().await.unwrap().status(), 302);
    assert_eq!(heard.recv().await.unwrap().1, "GET /here HTTP/1.1");
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn a_connection_is_kept_unless_it_is_not_to_be() {
    for (again, client) in
        [(0, Outbound::within(Duration::from_secs(5))), (1, Outbound::within(Duration::from_secs(5)).keeping_no_connection())]
    {
        let (address, mut heard) = server(answer("200 OK", "", "yes")).await;
        let client = client.build().unwrap();
        for connection in [0, again] {
            let response = client.get(format!("http://{address}/")).send().await.unwrap();
            assert_eq!(body(response, 3).await.unwrap(), b"yes");
            assert_eq!(heard.recv().await.unwrap().0, connection);
        }
    }
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for() {
    let (address, _heard) = server(String::new()).await;
    let client = Outbound::within(Duration::from_millis(50)).build().unwrap();
    assert!(client.get(format!("http://{address}/")).send().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn an_answer_is_read_as_far_as_anybody_needs_it() {
    let (address, _heard) = server(answer("200 OK", "", "seven b")).await;
    let client = Outbound::within(Duration::from_secs(5)).build().unwrap();
    let ask = async || client.get(format!("http://{address}/")).send().await.unwrap();
    assert_eq!(body(ask().await, 7).await.unwrap(), b"seven b");
    assert!(matches!(body(ask().await, 6).await, Err(AnswerFault::TooLong(6))));
}

#[tokio::test]
async fn a_name_that_leads_into_our_own_network_is_not_connected_to() {
    let (address, _heard) = server(answer("200 OK", "", "")).await;
    let url = format!("http://localhost:{}/", address.port());
    let ask = async |loopback| {
        let client = Outbound::within(Duration::from_secs(5)).to_public_addresses(loopback).build().unwrap();
        client.get(&url).send().await
    };
    assert!(ask(false).await.unwrap_err().is_connect());
    assert_eq!(ask(true).await.unwrap().status(), 200);
}

/// A client that may ask proxies says so, whether or not the environment names one.
#[test]
fn no_proxy_resolves_names_where_it_matters_what_they_resolve_to() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let asks_proxies = |client: Outbound| format!("{:?}", client.build().unwrap()).contains("proxies");
    assert!(asks_proxies(Outbound::within(Duration::from_secs(5))));
    assert!(!asks_proxies(Outbound::within(Duration::from_secs(5)).to_public_addresses(false)));
}
