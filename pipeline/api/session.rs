//! Logging in and out, and the password of whoever is logged in.

use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::access::{COOKIE, csrf};
use super::body::Body;
use super::caller::{Caller, Identity, Known, Right, Session};
use super::peer::Peer;
use super::store::Store;
use super::store::audit::{self, LOGIN_FAILED};
use super::store::session::{self, Key, LONGEST};
use super::store::user::{self, User};
use super::{ApiState, Problem, first, password};
use crate::config::plan::Role;

/// What one logs in with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    name: String,
    password: String,
}

/// A password and the one that is to take its place.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    old: String,
    new: String,
}

/// Who is logged in.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SessionState)]
pub(super) struct Who {
    name: String,
    /// Null for a token that only answers.
    role: Option<Role>,
    rights: Vec<Right>,
    /// Until it is done, nothing but the session's own addresses may be used.
    must_change: bool,
    /// The value of `X-Lookout-CSRF` for whatever changes something; null for a token, which needs none.
    csrf: Option<String>,
}

impl Who {
    fn new(caller: &Caller) -> Self {
        let user = caller.as_user();
        Self {
            name: caller.name().to_owned(),
            role: user.map(|(user, _)| user.role).or_else(|| caller.as_token().and_then(|token| token.role)),
            rights: caller.rights().to_vec(),
            must_change: user.is_some_and(|(user, _)| user.must_change),
            csrf: user.map(|(_, session)| session.csrf.clone()),
        }
    }
}

/// Starts a session. A wrong name and a wrong password are the same fault, found in the same time.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    tag = "session",
    security(()),
    request_body = Login,
    responses(
        (status = 200, description = "logged in; with a cookie", body = Who),
        (status = 401, description = "name or password is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "too many tries; `Retry-After` says when", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn login(
    State(state): State<ApiState>,
    Extension(peer): Extension<Peer>,
    Body(login): Body<Login>,
) -> Result<Response, Problem> {
    let Login { name, password } = login;
    // What is no name cannot be one that is limited or looked for.
    let name = if user::check_name(&name).is_ok() { name } else { String::new() };
    allow(&state, &name, peer)?;
    let wanted = name.clone();
    let found = state.with_store(move |store| {
        store.read(|c| Ok((user::hash(c, &wanted)?, user::find(c, &wanted)?.is_some_and(|user| !user.disabled))))
    });
    let (hash, enabled) = found.await?;
    let is_known = hash.is_some();
    if !state.0.hasher.verify(password, hash).await? || !enabled {
        tracing::warn!(from = %peer.counted(), user = if is_known { name.as_str() } else { "unknown" }, "a login failed");
        let entry = peer.entry("", LOGIN_FAILED);
        // A name that nobody has may be a password in the wrong field.
        let entry = if is_known { entry.to(name) } else { entry };
        state.record(entry).await?;
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "name or password is wrong"));
    }
    state.0.tries.succeeded(&name, peer.counted());
    tracing::info!(user = name, from = %peer.counted(), "logged in");
    let entry = peer.entry(&name, "login");
    let started = state.with_store(move |store| {
        store.write(|tx| {
            let now = jiff::Timestamp::now();
            let secret = session::start(tx, &name, now)?;
            user::logged_in(tx, &name, now)?;
            audit::insert(tx, &entry, now)?;
            Ok(user::find(tx, &name)?.map(|user| (user, secret)))
        })
    });
    let (user, secret) = started.await?.ok_or_else(|| Problem::unavailable("the user was removed just now"))?;
    Ok(begin(&state, user, &secret, peer))
}

/// Who is logged in, also by token.
#[utoipa::path(
    get,
    path = "/api/v1/session",
    tag = "session",
    responses((status = 200, description = "who is logged in", body = Who)),
)]
pub(super) async fn show(identity: Identity) -> Result<Json<Who>, Problem> {
    identity.known().map(|caller| Json(Who::new(caller)))
}

/// Ends the session, if there is one.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    tag = "session",
    security(()),
    responses((status = 204, description = "nobody is logged in")),
)]
pub(super) async fn logout(
    State(state): State<ApiState>,
    Extension(peer): Extension<Peer>,
    identity: Identity,
) -> Result<Response, Problem> {
    if let Identity::Known(caller) = &identity
        && let Some((_, session)) = caller.as_user()
    {
        let (key, entry) = (session.key, caller.does("logout"));
        let end = move |store: &Store| {
            store.write(|tx| {
                session::end(tx, &key)?;
                audit::insert(tx, &entry, jiff::Timestamp::now())
            })
        };
        state.with_store(end).await?;
        state.sessions_ended();
    }
    Ok((StatusCode::NO_CONTENT, set_cookie("", 0, peer)).into_response())
}

/// Sets another password for whoever is logged in: their other sessions end, and this one goes on under another secret.
#[utoipa::path(
    post,
    path = "/api/v1/session/password",
    tag = "session",
    request_body = NewPassword,
    responses(
        (status = 200, description = "the session goes on; with a new cookie", body = Who),
        (status = 429, description = "too many tries; `Retry-After` says when", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn change_password(
    State(state): State<ApiState>,
    Extension(peer): Extension<Peer>,
    Known(caller): Known,
    Body(NewPassword { old, new }): Body<NewPassword>,
) -> Result<Response, Problem> {
    let Some((user, _)) = caller.as_user() else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "a token has no password"));
    };
    let name = user.name.clone();
    allow(&state, &name, peer)?;
    let wanted = name.clone();
    let hash = state.with_store(move |store| store.read(|c| user::hash(c, &wanted))).await?;
    if !state.0.hasher.verify(old.clone(), hash).await? {
        state.record(caller.does("password.failed")).await?;
        return Err(Problem::new(StatusCode::FORBIDDEN, "the old password is wrong"));
    }
    state.0.tries.succeeded(&name, peer.counted());
    let unfit =
        if new == old { Err("the new password is the old one".to_owned()) } else { password::check(&new, &name) };
    unfit.map_err(|why| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why))?;
    let hash = state.0.hasher.hash(new).await?;
    let (entry, owner) = (caller.does("password"), name.clone());
    let changed = state.with_store(move |store| {
        store.write(|tx| {
            let now = jiff::Timestamp::now();
            user::set_password(tx, &owner, &hash, false, now)?;
            let secret = session::start(tx, &owner, now)?;
            audit::insert(tx, &entry, now)?;
            Ok(user::find(tx, &owner)?.map(|user| (user, secret)))
        })
    });
    let (user, secret) = changed.await?.ok_or_else(|| Problem::unavailable("the user was removed just now"))?;
    state.sessions_ended();
    if name == first::NAME {
        first::forget(&state.0.data);
    }
    Ok(begin(&state, user, &secret, peer))
}

/// 429 when there were too many tries.
fn allow(state: &ApiState, name: &str, peer: Peer) -> Result<(), Problem> {
    state.0.tries.take(name, peer.counted(), Instant::now()).map_err(|seconds| {
        state.0.metrics.overflow("logins").inc();
        let what = format!("too many logins; try again in {seconds} s");
        Problem::new(StatusCode::TOO_MANY_REQUESTS, what).retry_after(seconds)
    })
}

/// The answer that a browser gets with its new session.
fn begin(state: &ApiState, user: User, secret: &str, peer: Peer) -> Response {
    let plain = state.0.access.plain.contains(&user.role);
    let session = Session { key: Key::of(secret), csrf: csrf(secret) };
    let who = Who::new(&Caller::user(user, session, plain, peer));
    (set_cookie(secret, LONGEST.as_secs(), peer), Json(who)).into_response()
}

/// Scripts cannot read it, other sites' pages do not send it, and what came by HTTPS never goes out without.
fn set_cookie(secret: &str, seconds: i64, peer: Peer) -> AppendHeaders<Option<(header::HeaderName, HeaderValue)>> {
    let secure = if peer.https { "; Secure" } else { "" };
    let text = format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    // The secret is base64: the text is always a value.
    AppendHeaders(HeaderValue::from_str(&text).ok().map(|value| (header::SET_COOKIE, value)))
}
