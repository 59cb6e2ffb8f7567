//! Who asks, and what they may do.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Serialize;

use super::Problem;
use super::peer::Peer;
use super::store::audit::Entry;
use super::store::session::Key;
use super::store::user::User;
use crate::alerts::journal::Token;
use crate::config::plan::Role;

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See pictures, alerts, numbers and the configuration.
    See,
    /// Change zones, lines, masks and rules.
    EditZones,
    /// Answer alerts, deliver again, test routes, release quiet spots.
    Answer,
    /// Silence a rule for a time.
    Snooze,
    /// Change where pictures come from.
    EditSource,
    /// Manage users.
    Users,
    /// Change what holds for everybody.
    Policy,
    /// Read who did what.
    Audit,
    /// See people as they are, with a reason.
    Plain,
}

/// Whoever sends a request, known by a session or a token.
#[derive(Clone, Debug)]
pub struct Caller {
    who: Who,
    rights: Vec<Right>,
    peer: Peer,
}

#[derive(Clone, Debug)]
enum Who {
    User(User, Session),
    Token(Token),
}

/// The session that a request belongs to.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// What the store knows it by.
    pub key: Key,
    /// What requests that change something carry.
    pub csrf: String,
}

/// What a request says about its sender; before anybody asks whether that is enough.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    /// Nothing.
    Nobody,
    /// Something that is good no more, or never was: why.
    Refused(&'static str),
    /// Who it is.
    Known(Caller),
}

/// The rights of a role; [`Right::Plain`] comes from the site's policy.
pub(super) const fn rights(role: Role) -> &'static [Right] {
    use Right::{Answer, Audit, EditSource, EditZones, Policy, See, Snooze, Users};
    match role {
        Role::Viewer => &[See],
        Role::Analyst => &[See, EditZones, Snooze],
        Role::Operator => &[See, Answer, Snooze],
        Role::Admin => &[See, EditZones, Answer, Snooze, EditSource, Users, Policy, Audit],
    }
}

impl Right {
    /// As it is written.
    const fn word(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::EditZones => "edit_zones",
            Self::Answer => "answer",
            Self::Snooze => "snooze",
            Self::EditSource => "edit_source",
            Self::Users => "users",
            Self::Policy => "policy",
            Self::Audit => "audit",
            Self::Plain => "plain",
        }
    }
}

impl Caller {
    /// Somebody who is logged in. `plain`: the site lets them see people as they are.
    pub(super) fn user(user: User, session: Session, plain: bool, peer: Peer) -> Self {
        let plain = plain.then_some(Right::Plain);
        let rights = rights(user.role).iter().copied().chain(plain).collect();
        Self { who: Who::User(user, session), rights, peer }
    }

    /// A machine with a token.
    pub(super) fn token(token: Token, peer: Peer) -> Self {
        let rights = token.role.map(rights).unwrap_or_default().to_vec();
        Self { who: Who::Token(token), rights, peer }
    }

    /// Name of the user or token.
    pub fn name(&self) -> &str {
        match &self.who {
            Who::User(user, _) => &user.name,
            Who::Token(token) => &token.name,
        }
    }

    /// What they may do, in the order of [`Right`].
    pub fn rights(&self) -> &[Right] {
        &self.rights
    }

    /// Whether they may do this.
    pub fn has(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    /// `Err` (403) unless they may do this.
    pub fn needs(&self, right: Right) -> Result<(), Problem> {
        if self.has(right) {
            return Ok(());
        }
        let who = match &self.who {
            Who::User(user, _) => format!("`{}` is {}", user.name, user.role.word()),
            Who::Token(token) => format!("token `{}` is {}", token.name, token.role.map_or("for answers", Role::word)),
        };
        Err(Problem::new(StatusCode::FORBIDDEN, format!("{who}; this needs the right `{}`", right.word())))
    }

    /// An audit entry of what they do, with the address they come from.
    pub fn does(&self, what: &'static str) -> Entry {
        self.peer.entry(self.name(), what)
    }

    /// Their token, if they are a machine.
    pub(super) fn as_token(&self) -> Option<&Token> {
        match &self.who {
            Who::Token(token) => Some(token),
            Who::User(..) => None,
        }
    }

    /// Their session, if they are logged in.
    pub(super) fn as_user(&self) -> Option<(&User, &Session)> {
        match &self.who {
            Who::User(user, session) => Some((user, session)),
            Who::Token(_) => None,
        }
    }
}

impl Identity {
    /// Whoever it is, `Err` (401) if that is not known.
    pub(super) fn known(&self) -> Result<&Caller, Problem> {
        let why = match self {
            Self::Known(caller) => return Ok(caller),
            Self::Refused(why) => why,
            Self::Nobody => "log in, or send a token: `Authorization: Bearer ...`",
        };
        Err(Problem::new(StatusCode::UNAUTHORIZED, why))
    }

    /// Whoever it is, `Err` (403) as long as the first password has to be changed.
    pub(super) fn settled(&self) -> Result<&Caller, Problem> {
        let caller = self.known()?;
        if caller.as_user().is_some_and(|(user, _)| user.must_change) {
            let what = "change your password first: POST /api/v1/session/password";
            return Err(Problem::new(StatusCode::FORBIDDEN, what).of_kind("/problems/password-must-change"));
        }
        Ok(caller)
    }
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self::Nobody))
    }
}

/// 401 for nobody, 403 as long as the first password has to be changed.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Identity>().unwrap_or(&Identity::Nobody).settled().cloned()
    }
}

/// Whoever is known, also while their first password has to be changed; 401 for nobody, before the body is looked at.
pub(super) struct Known(pub Caller);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Identity>().unwrap_or(&Identity::Nobody).known().cloned().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_the_rights_of_the_contract() {
        let words = |role| rights(role).iter().map(|r| serde_json::to_value(r).unwrap()).collect::<Vec<_>>();
        assert_eq!(words(Role::Viewer), ["see"]);
        assert_eq!(words(Role::Analyst), ["see", "edit_zones", "snooze"]);
        assert_eq!(words(Role::Operator), ["see", "answer", "snooze"]);
        let admin = ["see", "edit_zones", "answer", "snooze", "edit_source", "users", "policy", "audit"];
        assert_eq!(words(Role::Admin), admin);
        for right in rights(Role::Admin) {
            assert_eq!(serde_json::to_value(right).unwrap(), right.word());
        }
    }
}
