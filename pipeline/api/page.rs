//! The page: one file, embedded, whose only script and style are allowed by their hash.

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::ApiState;

const HTML: &str = include_str!("../../web/index.html");

/// The page's policy, computed once.
pub(super) struct Page {
    policy: String,
}

impl Page {
    pub(super) fn new() -> Self {
        let hash = |tag| between(HTML, tag).map_or_else(|| "'none'".to_owned(), source_hash);
        Self {
            policy: format!(
                "default-src 'none'; script-src {}; style-src {}; img-src 'self' data:; connect-src 'self'; \
                 base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                hash("script"),
                hash("style")
            ),
        }
    }
}

pub(super) async fn page(State(state): State<ApiState>) -> Response {
    ([(header::CONTENT_SECURITY_POLICY, state.0.page.policy.clone())], Html(HTML)).into_response()
}

/// What stands between `<tag>` and `</tag>`.
fn between<'a>(html: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = html.split_once(&format!("<{tag}>"))?;
    rest.split_once(&format!("</{tag}>")).map(|(inside, _)| inside)
}

fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_one_script_and_one_style_and_loads_nothing_from_elsewhere() {
        assert_eq!((HTML.matches("<script").count(), HTML.matches("<style").count()), (1, 1));
        let policy = Page::new().policy;
        assert_eq!(policy.matches("'sha256-").count(), 2, "{policy}");
        for word in [
            "http://",
            "https://",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            " style=",
            "onclick=",
        ] {
            assert!(!HTML.replace("http://www.w3.org/2000/svg", "").contains(word), "{word}");
        }
    }
}
