//! A server behind the proxy at which TLS ends.

use super::site::Site;
use crate::support::servers::embedded;

const REQUESTS: usize = 4;

// covers: P-26, E-175
#[test]
fn behind_a_proxy_a_request_is_whose_the_proxy_says_and_https_is_promised() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut site = Site::new("behind_a_proxy").await;
        site.set("NATS_URL", &embedded().nats_url());
        site.set("PALMARES_NATS_REPLICAS", "1");
        site.set("PALMARES_PUBLIC_URL", "https://palmares.test");
        site.set("PALMARES_RATE_LIMIT_IP", &REQUESTS.to_string());
        site.set("PALMARES_TRUSTED_PROXIES", "1");
        let api = site.answers("api-1", site.start("api-1"), "/health").await;
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let ask = async |forwarded: &str| {
            let request = http.get(format!("http://{}/api/v1/me", api.address)).header("X-Forwarded-For", forwarded);
            request.send().await.expect("an answer")
        };
        let mut answers = Vec::new();
        for _ in 0..=REQUESTS {
            // What somebody says of themselves stands before what the proxy adds, and counts for nothing.
            answers.push(ask(&format!("192.0.2.{}, 203.0.113.7", answers.len())).await);
        }
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status().as_u16()).collect();
        assert_eq!(statuses, [401, 401, 401, 401, 429], "an address has so many requests");
        let other = ask("203.0.113.8").await;
        assert_eq!(other.status().as_u16(), 401, "and another has its own");
        assert_eq!(other.headers()["strict-transport-security"], "max-age=31536000; includeSubDomains");
    });
}
