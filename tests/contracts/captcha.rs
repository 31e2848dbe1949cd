//! The service that says whether a challenge was solved, by the contract that the known ones share.

use crate::support::captcha::{CaptchaServer, SECRET, SOLVED};
use palmares::captcha::{Captcha, CaptchaSettings, SiteVerify};
use std::net::{IpAddr, Ipv4Addr};

const SOMEBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

fn adapter(url: &str, secret: &str) -> anyhow::Result<SiteVerify> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    SiteVerify::new(&CaptchaSettings { url: url.to_owned(), secret: secret.to_owned() })
}

#[tokio::test]
async fn a_solved_challenge_is_told_from_others() {
    let server = CaptchaServer::start();
    let captcha = adapter(&server.url, SECRET).expect("an adapter");
    assert!(captcha.is_solved(SOLVED, SOMEBODY).await.expect("an answer"));
    for response in ["", "guessed", "solved&success=true", "solved "] {
        assert!(!captcha.is_solved(response, SOMEBODY).await.expect("an answer"), "{response}");
    }
    let pairs = [("secret", SECRET), ("response", SOLVED), ("remoteip", "203.0.113.7")];
    assert_eq!(server.asked()[0], pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let stranger = adapter(&server.url, "another-secret").expect("an adapter");
    assert!(!stranger.is_solved(SOLVED, SOMEBODY).await.expect("an answer"));
}

#[tokio::test]
async fn no_answer_is_not_a_solved_challenge() {
    let server = CaptchaServer::start();
    let captcha = adapter(&server.url, SECRET).expect("an adapter");
    for response in ["broken", "garbled", "endless"] {
        captcha.is_solved(response, SOMEBODY).await.expect_err(response);
    }
    let nobody = adapter("http://127.0.0.1:1/siteverify", SECRET).expect("an adapter");
    let fault = nobody.is_solved(SOLVED, SOMEBODY).await.expect_err("nobody answers");
    assert!(!fault.to_string().contains(SECRET), "{fault}");
}

#[test]
fn the_secret_does_not_go_out_in_clear() {
    for url in ["http://captcha.test/siteverify", "http://10.0.0.1/siteverify", "ftp://127.0.0.1/", "siteverify"] {
        assert!(adapter(url, SECRET).is_err(), "{url}");
    }
    assert!(adapter("https://captcha.test/siteverify", SECRET).is_ok());
}
