//! Whoever uses the API in tests: machines with a token and people with a browser.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use lookout::alerts::journal::{NewToken, Tokens};
use lookout::api::password::hash;
use lookout::api::store::Store;
use lookout::api::store::user::{self, NewUser};
use lookout::config::plan::Role;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

/// The password of every user that a test makes.
pub const PASSWORD: &str = "a password of the tests";

/// The secret of a new token that sees what a viewer sees.
pub fn viewer(data: &Path) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("viewer-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let token = NewToken { name, role: Some(Role::Viewer), ..NewToken::default() };
    Tokens::open(data).unwrap().create(&token).unwrap().unwrap()
}

/// Adds a user who logs in with [`PASSWORD`].
pub fn user(data: &Path, name: &str, role: Role) {
    let new = NewUser { name: name.into(), role, hash: hash(PASSWORD).unwrap(), must_change: false };
    let added = Store::open(data).unwrap().write(|tx| user::add(tx, &new, jiff::Timestamp::now()));
    assert!(added.unwrap());
}

/// A client of HTTP. Whoever is first installs what its TLS is made of: without that none can be made.
pub fn client() -> Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::new()
}

/// Somebody's browser: keeps the cookie, sends the CSRF token.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    base: String,
    /// `lookout_session=...`
    pub cookie: String,
    /// What the login said.
    pub session: Value,
}

impl Browser {
    /// Logs in; fails unless that works.
    pub async fn login(address: SocketAddr, name: &str, password: &str) -> Self {
        let answer = Self::try_login(address, name, password).await;
        assert_eq!(answer.status(), 200, "{name}");
        Self::entered(address, answer).await
    }

    /// The answer to a login.
    pub async fn try_login(address: SocketAddr, name: &str, password: &str) -> Response {
        let body = json!({ "name": name, "password": password });
        client().post(format!("http://{address}/api/v1/session")).json(&body).send().await.unwrap()
    }

    /// With the session that an answer starts.
    pub async fn entered(address: SocketAddr, answer: Response) -> Self {
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let session = answer.json().await.unwrap();
        Self { client: client(), base: format!("http://{address}"), cookie, session }
    }

    /// A request by this session, with its CSRF token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.without_csrf(method, path).header("x-lookout-csrf", self.session["csrf"].as_str().unwrap())
    }

    /// A request by this session as another site's page could make the browser send it.
    pub fn without_csrf(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).header("cookie", &self.cookie)
    }

    /// Sends JSON, gives status and JSON; null where there is no body.
    pub async fn send(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let answer = self.request(method, path).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Status and JSON of what is there.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.request(Method::GET, path).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
}
