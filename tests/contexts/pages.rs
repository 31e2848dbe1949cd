//! The pages to which the links in letters lead.

use crate::support::running::{Client, Reply, running};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;

/// What stands between the last of these two.
fn between<'a>(page: &'a str, open: &str, close: &str) -> &'a str {
    let (_, rest) = page.rsplit_once(open).unwrap_or_else(|| panic!("no {open}"));
    rest.split_once(close).unwrap_or_else(|| panic!("no {close}")).0
}

// covers: E-104, E-217, E-131
#[tokio::test]
async fn a_link_in_a_letter_leads_to_a_page_that_runs_nothing_but_its_own_script() {
    tokio::task::spawn_blocking(running).await.expect("the system starts");
    for (path, english, french) in [
        ("/auth/magic-link", "Sign in", "Se connecter"),
        ("/auth/password-reset", "Set a new password", "Choisir un nouveau mot de passe"),
        ("/auth/email-verification", "Confirm your address", "Confirmer votre adresse"),
        ("/auth/signup", "Finish your sign-up", "Terminez votre inscription"),
        ("/invitation", "Your invitation", "Votre invitation"),
    ] {
        for (asked, language, title) in [("fr-FR,fr;q=0.9", "fr", french), ("de", "en", english)] {
            let request = Client::anonymous().request_at(Method::GET, path).header("Accept-Language", asked);
            let response = request.send().await.expect("the server answers");
            assert_eq!(response.status(), 200, "{path}");
            let header = |name: &str| response.headers()[name].to_str().expect("a header").to_owned();
            assert_eq!((header("content-type").as_str(), header("content-language").as_str()), ("text/html; charset=utf-8", language));
            assert_eq!((header("cache-control").as_str(), header("referrer-policy").as_str()), ("no-store", "no-referrer"));
            let policy = header("content-security-policy");
            let page = response.text().await.expect("a page");
            assert!(page.contains(&format!("<h1 id=\"title\">{title}</h1>")), "{page}");
            for (kind, source) in [("script", between(&page, "<script>", "</script>")), ("style", between(&page, "<style>", "</style>"))] {
                let hash = STANDARD.encode(digest::digest(&digest::SHA256, source.as_bytes()));
                assert!(policy.contains(&format!("{kind}-src 'sha256-{hash}'")), "{kind} of {path} is not in {policy}");
            }
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        }
    }
    Reply::of(Client::anonymous().request_at(Method::GET, "/auth/elsewhere")).await.refused(404, "RESOURCE_NOT_FOUND");
}
