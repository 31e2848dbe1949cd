//! The adapter of the DNS against a real server.

use crate::support::dns::DnsServer;
use palmares::dns::{DnsResolver, HickoryDns};

// covers: E-138
#[tokio::test]
async fn the_dns_answers_what_is_published_now() {
    let server = DnsServer::start();
    let dns = HickoryDns::open(Some(server.address)).expect("a resolver");
    assert_eq!(dns.txt("acme.example").await.expect("nothing is an answer"), Vec::<String>::new());

    // An answer is not remembered: whoever asks again has just changed it.
    server.publish("acme.example", &[&["v=spf1 -all"], &["palmares-", "verification=1"]]);
    let mut found = dns.txt("acme.example").await.expect("an answer");
    found.sort();
    assert_eq!(found, ["palmares-verification=1", "v=spf1 -all"]);
    server.publish("acme.example", &[]);
    assert_eq!(dns.txt("acme.example").await.expect("nothing is an answer"), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_fails_is_not_an_empty_answer() {
    let server = DnsServer::start();
    server.break_name("broken.example");
    let dns = HickoryDns::open(Some(server.address)).expect("a resolver");
    let fault = dns.txt("broken.example").await.expect_err("the server failed");
    assert_eq!(fault.name, "broken.example");
}
