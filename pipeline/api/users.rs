//! Users: listed, added, changed, removed, given a new password; by whoever may.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::body::Body;
use super::caller::{Caller, Right};
use super::store::user::{self, Change, Changed, NewUser, User};
use super::store::{StoreError, audit};
use super::{ApiState, Problem, password};
use crate::config::plan::Role;

/// A user to be added.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = UserWanted)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    name: String,
    role: Role,
}

/// What to change; what is left out stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = UserChange)]
#[serde(deny_unknown_fields)]
pub(super) struct Patch {
    role: Option<Role>,
    disabled: Option<bool>,
}

impl Patch {
    /// For the audit log.
    fn words(&self) -> String {
        let role = self.role.map(|role| format!("role {}", role.word()));
        let standing = self.disabled.map(|disabled| if disabled { "disabled" } else { "enabled" }.to_owned());
        role.into_iter().chain(standing).collect::<Vec<_>>().join(", ")
    }
}

/// A user that was added.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = UserAdded)]
pub(super) struct Added {
    #[serde(flatten)]
    user: User,
    /// Shown only now, to be changed at the first login.
    password: String,
}

/// A password that was made.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Password {
    /// Shown only now, to be changed at the next login.
    password: String,
}

/// All users, by name.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    tag = "users",
    responses((status = 200, description = "what is asked for", body = Vec<User>)),
)]
pub(super) async fn list(State(state): State<ApiState>, caller: Caller) -> Result<Json<Vec<User>>, Problem> {
    caller.needs(Right::Users)?;
    state.with_store(|store| store.read(user::list)).await.map(Json)
}

/// Adds a user with a password that nobody has chosen.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    tag = "users",
    request_body = Wanted,
    responses(
        (status = 201, description = "the user and a password, shown only now", body = Added),
        (status = 409, description = "the name is taken", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn add(
    State(state): State<ApiState>,
    caller: Caller,
    Body(Wanted { name, role }): Body<Wanted>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    caller.needs(Right::Users)?;
    user::check_name(&name).map_err(|why| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why))?;
    let (password, hash) = generate(&state).await?;
    let entry = caller.does("user.add").to(&name).with(format!("role {}", role.word()));
    let taken = Problem::new(StatusCode::CONFLICT, format!("there is a user `{name}` already"));
    let new = NewUser { name, role, hash, must_change: true };
    let added = state.with_store(move |store| {
        store.write(|tx| {
            let now = jiff::Timestamp::now();
            if !user::add(tx, &new, now)? {
                return Ok(None);
            }
            audit::insert(tx, &entry, now)?;
            user::find(tx, &new.name)
        })
    });
    let user = added.await?.ok_or(taken)?;
    Ok((StatusCode::CREATED, Json(Added { user, password })))
}

/// Changes role or standing; somebody who is disabled is logged out.
#[utoipa::path(
    patch,
    path = "/api/v1/users/{name}",
    tag = "users",
    params(("name" = String, Path, description = "user name")),
    request_body = Patch,
    responses(
        (status = 200, description = "the user as it is now", body = User),
        (status = 409, description = "nobody would manage users", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn change(
    State(state): State<ApiState>,
    caller: Caller,
    Path(name): Path<String>,
    Body(patch): Body<Patch>,
) -> Result<Json<User>, Problem> {
    caller.needs(Right::Users)?;
    let entry = caller.does("user.change").to(&name).with(patch.words());
    let change = Change { role: patch.role, disabled: patch.disabled };
    let wanted = name.clone();
    let changed = state.with_store(move |store| {
        store.write(|tx| {
            let changed = user::change(tx, &wanted, change)?;
            if changed == Changed::Done {
                audit::insert(tx, &entry, jiff::Timestamp::now())?;
            }
            Ok((changed, user::find(tx, &wanted)?))
        })
    });
    let (changed, user) = changed.await?;
    explain(changed, &name)?;
    state.sessions_ended();
    user.map(Json).ok_or_else(|| missing(&name))
}

/// Removes a user, who is logged out.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{name}",
    tag = "users",
    params(("name" = String, Path, description = "user name")),
    responses(
        (status = 204, description = "there is no such user any more"),
        (status = 409, description = "nobody would manage users", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn remove(
    State(state): State<ApiState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.needs(Right::Users)?;
    let entry = caller.does("user.remove").to(&name);
    let wanted = name.clone();
    let removed = state.with_store(move |store| {
        store.write(|tx| {
            let removed = user::remove(tx, &wanted)?;
            if removed == Changed::Done {
                audit::insert(tx, &entry, jiff::Timestamp::now())?;
            }
            Ok(removed)
        })
    });
    explain(removed.await?, &name)?;
    state.sessions_ended();
    Ok(StatusCode::NO_CONTENT)
}

/// Gives somebody a password that nobody has chosen; they are logged out.
#[utoipa::path(
    post,
    path = "/api/v1/users/{name}/password",
    tag = "users",
    params(("name" = String, Path, description = "user name")),
    responses((status = 200, description = "a password, shown only now", body = Password)),
)]
pub(super) async fn reset_password(
    State(state): State<ApiState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Password>, Problem> {
    caller.needs(Right::Users)?;
    let (password, hash) = generate(&state).await?;
    let entry = caller.does("user.password").to(&name);
    let wanted = name.clone();
    let set = state.with_store(move |store| {
        store.write(|tx| {
            let now = jiff::Timestamp::now();
            let set = user::set_password(tx, &wanted, &hash, true, now)?;
            if set {
                audit::insert(tx, &entry, now)?;
            }
            Ok(set)
        })
    });
    if !set.await? {
        return Err(missing(&name));
    }
    state.sessions_ended();
    Ok(Json(Password { password }))
}

async fn generate(state: &ApiState) -> Result<(String, String), Problem> {
    let password = password::generate().map_err(|error: StoreError| Problem::store(&error))?;
    let hash = state.0.hasher.hash(password.clone()).await?;
    Ok((password, hash))
}

fn explain(changed: Changed, name: &str) -> Result<(), Problem> {
    match changed {
        Changed::Done => Ok(()),
        Changed::Unknown => Err(missing(name)),
        Changed::LastAdmin => {
            let what = format!("`{name}` is the last one who manages users; make somebody else admin first");
            Err(Problem::new(StatusCode::CONFLICT, what))
        }
    }
}

fn missing(name: &str) -> Problem {
    Problem::missing(format!("there is no user `{name}`"))
}
