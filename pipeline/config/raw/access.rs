//! Who may reach the console, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::field::Field;
use crate::config::plan::Role;

/// The server's own certificate: page, API and metrics by HTTPS.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TlsRaw {
    /// PEM file of the certificate and those above it, relative to this file.
    pub cert: Field<String>,
    /// PEM file of its private key, relative to this file.
    pub key: Field<String>,
}

/// Who may see people as they are.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PrivacyRaw {
    /// Roles that may see pictures that are not redacted, with a reason that is recorded; nobody if left out.
    pub plain: Field<Vec<Role>>,
}
