//! What libav may open, with which options, and what a log may show of it.

use std::fmt;
use std::path::Path;

use ffmpeg_next::Dictionary;

use super::SourceError;
use crate::config::plan::Transport;

/// Containers that a file may be: none that refers to other files or addresses (no HLS, DASH, concat, image sequences,
/// SDP), and none that takes any text for video (tty).
const FILE_FORMATS: &str = "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,h264,hevc,m4v,mjpeg,ivf,obu,nut,mxf,dhav,yuv4mpegpipe,gif,jpeg_pipe,png_pipe,bmp_pipe,webp_pipe";

/// Containers that may come over HTTP. A playlist may name only what [`HTTP_PROTOCOLS`] can reach.
const HTTP_FORMATS: &str =
    "mpjpeg,mjpeg,mpegts,mpeg,flv,live_flv,mov,matroska,avi,asf,ogg,h264,hevc,m4v,ivf,hls,aac,jpeg_pipe";

const HTTP_PROTOCOLS: &str = "http,https,tcp,tls,crypto";

/// A location as libav gets it.
pub(super) struct Address {
    /// For libav alone: may hold credentials.
    pub(super) url: String,
    /// For errors and logs.
    pub(super) shown: String,
    pub(super) options: Dictionary<'static>,
}

/// User and password of a camera; never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// As given.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: password.into() }
    }

    /// From `LOOKOUT_CAMERA_<ID>_USER` and `_PASSWORD`, the id in capitals with `-` as `_`; empty where not set.
    pub fn from_env(camera: &str) -> Self {
        let [user, password] = Self::variables(camera).map(|name| std::env::var(name).unwrap_or_default());
        Self { user, password }
    }

    /// Names of the two variables.
    pub fn variables(camera: &str) -> [String; 2] {
        let id = camera.to_uppercase().replace('-', "_");
        [format!("LOOKOUT_CAMERA_{id}_USER"), format!("LOOKOUT_CAMERA_{id}_PASSWORD")]
    }

    fn is_empty(&self) -> bool {
        self.user.is_empty() && self.password.is_empty()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Credentials(none)" } else { "Credentials(***)" })
    }
}

/// The URL without user, password, query and fragment: vendors put passwords and tokens into queries.
pub fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return String::from("(address)") };
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (rest, hidden) = (&rest[..end], end < rest.len());
    // The last `@`, also behind a `/`: a password may hold one unescaped.
    let host = rest.rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}://{}{}", &rest[host..], if hidden { "?..." } else { "" })
}

/// A network address with its credentials and options. Errors when the scheme is not one of rtsp, rtsps, http, https.
pub(super) fn network(url: &str, credentials: &Credentials, transport: Transport) -> Result<Address, SourceError> {
    let shown = redact(url);
    let mut options = Dictionary::new();
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    match (scheme.as_str(), transport) {
        ("rtsp", Transport::Tcp) => options.set("protocol_whitelist", "tcp"),
        ("rtsp", Transport::Udp) => options.set("protocol_whitelist", "tcp,rtp,udp"),
        ("rtsps", _) => options.set("protocol_whitelist", "tcp,tls"),
        ("http" | "https", _) => options.set("protocol_whitelist", HTTP_PROTOCOLS),
        _ => {
            let why = format!("`{scheme}` is not one of rtsp, rtsps, http, https");
            return Err(SourceError::NotAFile { at: shown, why });
        }
    }
    if scheme.starts_with("rtsp") {
        options.set("format_whitelist", "rtsp");
        // TLS is a TCP connection whatever the plan says.
        let udp = transport == Transport::Udp && scheme == "rtsp";
        options.set("rtsp_transport", if udp { "udp" } else { "tcp" });
        options.set("allowed_media_types", "video");
    } else {
        options.set("format_whitelist", HTTP_FORMATS);
    }
    // Half a second of packets tells size and codec; the default waits up to five before the first picture.
    options.set("analyzeduration", "500000");
    options.set("fpsprobesize", "0");
    let url = if credentials.is_empty() { url.to_owned() } else { with_credentials(url, credentials) };
    Ok(Address { url, shown, options })
}

/// A file. Errors when it is missing, not a file, not readable, or has a name that libav cannot take.
pub(super) fn file(path: &Path) -> Result<Address, SourceError> {
    let at = path.display().to_string();
    let not_a_file = |why: &str| SourceError::NotAFile { at: at.clone(), why: why.to_owned() };
    let from_io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => SourceError::NotFound { at: at.clone() },
        std::io::ErrorKind::PermissionDenied => SourceError::Denied { at: at.clone() },
        _ => not_a_file(&error.to_string()),
    };
    let metadata = std::fs::metadata(path).map_err(from_io)?;
    if metadata.is_dir() {
        return Err(not_a_file("this is a directory"));
    }
    if !metadata.is_file() {
        return Err(not_a_file("this is not a regular file"));
    }
    drop(std::fs::File::open(path).map_err(from_io)?);
    if metadata.len() == 0 {
        return Err(SourceError::Undecodable { at, why: "the file is empty".into() });
    }
    let name = path.to_str().filter(|name| !name.contains('\0')).ok_or_else(|| not_a_file("the name is not UTF-8"))?;
    let mut options = Dictionary::new();
    options.set("protocol_whitelist", "file");
    options.set("format_whitelist", FILE_FORMATS);
    Ok(Address { url: format!("file:{name}"), shown: at, options })
}

fn with_credentials(url: &str, credentials: &Credentials) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            format!("{scheme}://{}:{}@{rest}", percent(&credentials.user), percent(&credentials.password))
        }
        None => url.to_owned(),
    }
}

/// RFC 3986: everything but unreserved characters is escaped; libav unescapes user and password.
fn percent(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        for (url, shown) in [
            ("rtsp://10.0.0.8/stream1", "rtsp://10.0.0.8/stream1"),
            ("rtsp://admin:p@ss/w@10.0.0.8:554/a/b", "rtsp://10.0.0.8:554/a/b"),
            ("rtsp://admin:p@ss@10.0.0.8:554/a/b", "rtsp://10.0.0.8:554/a/b"),
            ("https://cam/live?user=admin&pwd=x#y", "https://cam/live?..."),
            ("admin:secret", "(address)"),
        ] {
            assert_eq!(redact(url), shown);
        }
        let credentials = Credentials::new("admin", "s3cret");
        assert!(!format!("{credentials:?}").contains("s3cret"));
        let address = network("rtsp://cam/1", &credentials, Transport::Tcp).unwrap();
        assert_eq!(address.shown, "rtsp://cam/1");
        assert_eq!(address.url, "rtsp://admin:s3cret@cam/1");
    }

    #[test]
    fn credentials_are_escaped_and_named_after_the_camera() {
        let credentials = Credentials::new("ad min", "p@ss:/w%?#\u{e9}");
        assert_eq!(
            with_credentials("rtsp://cam/1", &credentials),
            "rtsp://ad%20min:p%40ss%3A%2Fw%25%3F%23%C3%A9@cam/1"
        );
        assert_eq!(
            Credentials::variables("gate-2b"),
            ["LOOKOUT_CAMERA_GATE_2B_USER", "LOOKOUT_CAMERA_GATE_2B_PASSWORD"]
        );
        assert_eq!(Credentials::from_env("surely-not-set"), Credentials::default());
    }

    #[test]
    fn each_scheme_reaches_only_what_it_needs() {
        let allowed = |url: &str, transport| {
            let address = network(url, &Credentials::default(), transport).unwrap();
            address.options.get("protocol_whitelist").unwrap().to_owned()
        };
        assert_eq!(allowed("rtsp://cam/1", Transport::Tcp), "tcp");
        assert_eq!(allowed("RTSP://cam/1", Transport::Udp), "tcp,rtp,udp");
        assert_eq!(allowed("rtsps://cam/1", Transport::Tcp), "tcp,tls");
        assert!(!allowed("https://cam/1", Transport::Tcp).contains("file"));
        for url in ["file:///etc/passwd", "concat:a|b", "udp://cam", "gopher://x"] {
            assert!(network(url, &Credentials::default(), Transport::Tcp).is_err(), "{url}");
        }
    }
}
