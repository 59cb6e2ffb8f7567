//! Secrets come from the environment or a file, never from a configuration file.

use crate::config::plan::Secret;

/// The secret itself, without white space around it. Errors name its place, never its value.
pub fn resolve(secret: &Secret) -> Result<String, String> {
    let text = match secret {
        Secret::Env(name) => std::env::var(name).map_err(|_| format!("environment variable {name} is not set"))?,
        Secret::File(path) => std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?,
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(match secret {
            Secret::Env(name) => format!("environment variable {name} is empty"),
            Secret::File(path) => format!("{} is empty", path.display()),
        });
    }
    Ok(text.to_owned())
}
