//! TLS by the site's own certificate, and a proxy in front.

use lookout::api::{ApiError, bind};
use lookout::config::plan::{Access, Networks, Role, Site, Tls};
use reqwest::{Certificate, Client, RequestBuilder};
use serde_json::{Value, json};

use crate::sample::site;
use crate::support::login::{PASSWORD, user};
use crate::support::server::Server;
use crate::support::tls::Authority;

/// A client that trusts this authority alone.
fn trusting(authority: &Authority) -> Client {
    let ca = Certificate::from_pem(&std::fs::read(&authority.ca).unwrap()).unwrap();
    Client::builder().tls_certs_only([ca]).build().unwrap()
}

fn tls(authority: &Authority) -> Access {
    let files = Tls { cert: authority.certificate.clone(), key: authority.key.clone() };
    Access { tls: Some(files), ..Access::default() }
}

#[tokio::test]
async fn with_a_certificate_everything_goes_by_https_also_after_its_renewal() {
    let [folder, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [authority, newer] = [Authority::new(folder.path()), Authority::new(other.path())];
    let server = Server::start_with(tls(&authority)).await;
    user(server.folder.path(), "wang", Role::Viewer);
    let url = format!("https://{}/api/v1/session", server.address);
    let body = json!({ "name": "wang", "password": PASSWORD });
    let login = trusting(&authority).post(&url).json(&body).send().await.unwrap();
    assert_eq!(login.status(), 200);
    let cookie = login.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.ends_with("; Secure") && cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(Client::new().get(format!("http://{}/healthz", server.address)).send().await.is_err(), "plain HTTP");
    assert!(trusting(&newer).get(&url).send().await.is_err(), "another authority");

    let renew = async |certificate: &[u8], key: &[u8]| {
        std::fs::write(&authority.certificate, certificate).unwrap();
        std::fs::write(&authority.key, key).unwrap();
        // Longer than the files go unwatched.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    };
    renew(b"half a file", b"").await;
    assert_eq!(trusting(&authority).get(&url).send().await.unwrap().status(), 401, "the last good one stays");
    renew(&std::fs::read(&newer.certificate).unwrap(), &std::fs::read(&newer.key).unwrap()).await;
    assert_eq!(trusting(&newer).get(&url).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path());
    let fault = async |access: Access| {
        let error = bind(&Site { access, ..site(folder.path(), Vec::new()) }).await.err().unwrap();
        assert!(matches!(error, ApiError::Tls(_)) && !error.retry());
        error.to_string()
    };
    let good = tls(&authority);
    let with = |cert: &str, key: &str| Access {
        tls: Some(Tls { cert: folder.path().join(cert), key: folder.path().join(key) }),
        ..good.clone()
    };
    assert!(fault(with("none.pem", "server.key")).await.contains("none.pem"));
    assert!(fault(with("server.key", "server.key")).await.contains("holds no certificate"));
    assert!(fault(with("server.pem", "names")).await.contains("names"));
    assert!(fault(with("server.pem", "ca.key")).await.contains("server.pem"), "not the key of this certificate");
}

#[tokio::test]
async fn a_trusted_proxy_says_who_asks_and_how() {
    let behind_proxy = Networks(vec!["127.0.0.0/8".parse().unwrap()]);
    let server = Server::start_with(Access { behind_proxy, ..Access::default() }).await;
    user(server.folder.path(), "chief", Role::Admin);
    let (client, base) = (Client::new(), format!("http://{}", server.address));
    let through = |request: RequestBuilder, from: &str| {
        request.header("host", "lookout.example").header("x-forwarded-for", from).header("x-forwarded-proto", "https")
    };
    let login = |name: &str, password: &str, from: &str| {
        let request =
            client.post(format!("{base}/api/v1/session")).json(&json!({ "name": name, "password": password }));
        through(request, from).send()
    };
    let answer = login("chief", PASSWORD, "203.0.113.9, 198.51.100.7").await.unwrap();
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let audit = through(client.get(format!("{base}/api/v1/audit")), "198.51.100.7").header("cookie", cookie);
    let audit: Value = audit.send().await.unwrap().json().await.unwrap();
    assert_eq!(audit["entries"][0]["from"], "198.51.100.7", "the address before it may be made up");

    let status = async |request: RequestBuilder| request.send().await.unwrap().status().as_u16();
    let get = |path: &str| client.get(format!("{base}{path}"));
    assert_eq!(status(get("/healthz").header("host", "evil.example")).await, 200, "a probe has any name");
    assert_eq!(status(get("/").header("host", "evil.example")).await, 421);
    assert_eq!(status(through(get("/"), "198.51.100.7")).await, 200);
    assert_eq!(status(through(get("/metrics"), "198.51.100.7")).await, 401);
    assert_eq!(status(through(get("/metrics"), "127.0.0.2")).await, 401, "another proxy, not this machine");
    assert_eq!(status(get("/metrics")).await, 401, "it does not say for whom");

    let mut tries = 0;
    while login(&format!("guess{tries}"), "wrong", "198.51.100.7").await.unwrap().status() != 429 {
        tries += 1;
        assert!(tries < 100, "an address has so many tries");
    }
    assert!(tries >= 29);
    assert_eq!(login("guess", "wrong", "198.51.100.8").await.unwrap().status(), 401, "another address");
}
