//! The console: what `web/` builds, part of the binary.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::Problem;

/// Without a build of the console it is empty, and the binary builds all the same.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

/// Nothing from elsewhere, nothing inline; pictures of a stream are blobs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A new build has new names.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ABSENT: &str = "<!doctype html><html lang=\"en\"><title>Lookout</title><p>This binary was built without the console. \
    Run <code>scripts/setup</code> and <code>cargo build --release</code>; the API is at <code>/api/v1</code>.</p>\
    <p lang=\"zh-CN\">此程序未包含控制台。请运行 <code>scripts/setup</code> 和 <code>cargo build --release</code>。</p></html>";

/// Forms in which a file may be there, the shortest first: word of `Accept-Encoding` and ending.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The one page; its address has the rest behind `#`.
pub(super) async fn page(headers: HeaderMap) -> Response {
    let mut answer = match file("index.html", &headers) {
        Some(answer) => answer,
        None => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], ABSENT).into_response(),
    };
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    answer
}

/// A script or style.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let mut answer = file(&format!("assets/{name}"), &headers)
        .ok_or_else(|| Problem::missing(format!("the console has no file `{name}`")))?;
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    Ok(answer)
}

/// The picture on the browser's tab.
pub(super) async fn mark(headers: HeaderMap) -> Result<Response, Problem> {
    file("mark.svg", &headers).ok_or_else(|| Problem::missing("this binary was built without the console"))
}

/// In the shortest form that the browser takes; `None` where there is no such file.
fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let kind = kind(path)?;
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let short = ENCODINGS
        .into_iter()
        .filter(|(word, _)| takes(accepted, word))
        .find_map(|(word, ending)| Some((word, Files::get(&format!("{path}{ending}"))?)));
    let (encoding, EmbeddedFile { data, .. }) = match short {
        Some((word, found)) => (Some(word), found),
        None => (None, Files::get(path)?),
    };
    let mut answer = (StatusCode::OK, Body::from(data)).into_response();
    let out = answer.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(word) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(word));
    }
    Some(answer)
}

/// By ending; nothing else is served.
fn kind(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "html" => Some("text/html; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

/// Whether `Accept-Encoding` names an encoding and does not refuse it.
fn takes(accepted: &str, word: &str) -> bool {
    accepted.split(',').any(|part| {
        let mut fields = part.split(';').map(str::trim);
        fields.next().is_some_and(|name| name.eq_ignore_ascii_case(word))
            && !fields.any(|field| matches!(field, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_nothing_inline_and_nothing_from_elsewhere() {
        assert!(POLICY.starts_with("default-src 'none';"));
        for word in ["unsafe", "http", "data:", "*", "sha256"] {
            assert!(!POLICY.contains(word), "{word}");
        }
    }

    #[test]
    fn the_page_needs_no_exception_from_its_policy() {
        // Without a build there is no page to look at: what says so has neither script nor style.
        let page = Files::get("index.html").map_or(ABSENT.as_bytes().to_vec(), |file| file.data.into_owned());
        let page = String::from_utf8(page).unwrap();
        assert!(!page.contains("<style") && !page.contains(" style="), "{page}");
        assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("//"), "{page}");
        assert!(page.split("<script").skip(1).all(|tag| tag.contains(" src=\"/assets/")), "{page}");
    }

    #[tokio::test]
    async fn encodings_are_taken_only_where_they_are_offered() {
        assert!(takes("gzip, deflate, br", "br") && takes("BR;q=1", "br"));
        assert!(!takes("gzip", "br") && !takes("br;q=0", "br") && !takes("", "gzip") && !takes("brotli", "br"));
        let plain = page(HeaderMap::new()).await;
        assert_eq!(plain.status(), StatusCode::OK);
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(plain.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    }

    #[tokio::test]
    async fn other_files_are_not_there() {
        for name in ["../index.html", ".keep", "x.js", "index.html", ""] {
            let answer = asset(Path(name.to_owned()), HeaderMap::new()).await;
            assert!(answer.is_err(), "{name}");
        }
    }
}
