//! Before every handler: who asks, whether a page of another site made the browser ask, and whether they may see at all.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt;
use ring::hmac;

use super::caller::{Caller, Identity, Right, Session};
use super::peer::{Peer, cookie};
use super::store::session::{self, Key};
use super::{ApiState, Problem};

/// Name of the session's cookie.
pub(super) const COOKIE: &str = "lookout_session";
/// What requests that change something carry when they come with a cookie.
const CSRF: HeaderName = HeaderName::from_static("x-lookout-csrf");
/// What browsers say about where a request comes from.
const SITE: &str = "sec-fetch-site";
/// Where one logs in: the only change that needs no session.
pub(super) const LOGIN: &str = "/api/v1/session";
/// How often a stream looks whether its session or token is still good.
const RECHECK: Duration = Duration::from_secs(30);
/// What the CSRF token is derived for.
const PURPOSE: &[u8] = b"lookout csrf";

/// Finds out who asks. Whether that is enough is for [`demand`] and the handlers to say.
pub(super) async fn identify(
    State(state): State<ApiState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let access = &state.0.access;
    let peer = Peer::new(address.ip(), request.headers(), &access.behind_proxy, access.tls.is_some());
    let identity = match recognise(&state, request.headers(), peer).await {
        Ok(identity) => identity,
        Err(problem) => return problem.into_response(),
    };
    if !is_reading(request.method())
        && let Err(problem) = check_origin(&identity, &request)
    {
        return problem.into_response();
    }
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(identity);
    next.run(request).await
}

/// Lets only those in who may see; what else a handler needs it asks itself. A stream ends when they may no more.
pub(super) async fn demand(
    State(state): State<ApiState>,
    Extension(peer): Extension<Peer>,
    identity: Identity,
    request: Request,
    next: Next,
) -> Response {
    // A token that only answers sees nothing, and what it may do does not come here.
    if let Err(problem) = identity.settled().and_then(|caller| caller.needs(Right::See)) {
        return problem.into_response();
    }
    let shown =
        [header::AUTHORIZATION, header::COOKIE].map(|name| (name.clone(), request.headers().get(name).cloned()));
    let answer = next.run(request).await;
    if !is_stream(&answer) {
        return answer;
    }
    let shown = shown.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    answer.map(|body| Body::from_stream(body.into_data_stream().take_until(over(state, shown, peer))))
}

/// Whether an answer goes on for as long as somebody listens.
fn is_stream(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("multipart/x-mixed-replace") || kind.starts_with("text/event-stream")
}

/// Returns once whoever sent these headers may see no more.
async fn over(state: ApiState, shown: HeaderMap, peer: Peer) {
    let mut ended = state.0.ended.subscribe();
    loop {
        // Another process may end a session or withdraw a token: it is looked at now and then.
        tokio::select! {
            () = tokio::time::sleep(RECHECK) => {}
            changed = ended.changed() => if changed.is_err() { return },
        }
        // A database that cannot be read says nothing about anybody.
        let Ok(identity) = recognise(&state, &shown, peer).await else { continue };
        if !identity.settled().is_ok_and(|caller| caller.has(Right::See)) {
            return;
        }
    }
}

/// The CSRF token of a session: it shows that whoever sends it could read an answer to that session.
pub(super) fn csrf(secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, PURPOSE))
}

fn is_reading(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

/// A token comes before a cookie: who sends one means it.
async fn recognise(state: &ApiState, headers: &HeaderMap, peer: Peer) -> Result<Identity, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let given = value.to_str().ok().and_then(|value| value.split_once(' '));
        let Some((_, secret)) = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
            return Ok(Identity::Refused("this server takes `Authorization: Bearer ...` only"));
        };
        let secret = secret.trim().to_owned();
        let token = state.read(move |reader| reader.token(&secret, jiff::Timestamp::now())).await?;
        return Ok(match token {
            Some(token) => Identity::Known(Caller::token(token, peer)),
            None => Identity::Refused("the token is unknown, expired or withdrawn"),
        });
    }
    let Some(secret) = cookie(headers, COOKIE) else { return Ok(Identity::Nobody) };
    let (key, csrf) = (Key::of(secret), csrf(secret));
    let now = jiff::Timestamp::now();
    let found = state.with_store(move |store| store.read(|c| session::find(c, &key, now))).await?;
    let Some(found) = found else { return Ok(Identity::Refused("the session is over; log in again")) };
    if found.stale {
        state.with_store(move |store| store.write(|tx| session::touch(tx, &key, now))).await?;
    }
    let plain = state.0.access.plain.contains(&found.user.role);
    Ok(Identity::Known(Caller::user(found.user, Session { key, csrf }, plain, peer)))
}

/// A cookie comes along with whatever page made the browser ask; only our own page knows the token.
fn check_origin(identity: &Identity, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let forbidden = |why: &str| Err(Problem::new(StatusCode::FORBIDDEN, why));
    if headers.get(SITE).is_some_and(|site| site != "same-origin" && site != "none") {
        return forbidden("a page of another site may change nothing here");
    }
    let is_login = request.uri().path() == LOGIN && *request.method() == Method::POST;
    let Identity::Known(caller) = identity else { return Ok(()) };
    let Some((_, session)) = caller.as_user().filter(|_| !is_login) else { return Ok(()) };
    let Some(given) = headers.get(CSRF) else {
        return forbidden("a change by session needs the header X-Lookout-CSRF; GET /api/v1/session gives its value");
    };
    if is_same(given.as_bytes(), session.csrf.as_bytes()) {
        Ok(())
    } else {
        forbidden("X-Lookout-CSRF is not that of this session")
    }
}

/// Compares in a time that tells nothing of where they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, PURPOSE);
    hmac::verify(&key, one, hmac::sign(&key, other).as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_has_a_token_of_its_own_that_is_not_its_secret() {
        let [one, two] = [csrf("one"), csrf("two")];
        assert!(one != two && one == csrf("one") && one.len() == 43);
        assert!(is_same(one.as_bytes(), csrf("one").as_bytes()));
        assert!(!is_same(one.as_bytes(), two.as_bytes()) && !is_same(b"", two.as_bytes()));
    }

    #[test]
    fn reading_changes_nothing() {
        assert!(is_reading(&Method::GET) && is_reading(&Method::HEAD));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::from_bytes(b"X").unwrap()] {
            assert!(!is_reading(&method), "{method}");
        }
    }
}
