//! Digest authentication (RFC 2617, RFC 8760): MD5 as the standard asks for, SHA-256 where a server offers it.

use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::Message;

/// What a server asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// The key is bound to this session (`-sess`).
    session: bool,
    /// As the server spelt it, to be repeated.
    algorithm_name: Option<String>,
    qop: bool,
    /// A proxy asks, not the server itself.
    proxy: bool,
    /// The last answer was right but for the age of its nonce.
    pub stale: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

/// Who answers.
#[derive(Clone)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl Challenge {
    /// The first challenge of a 401 or 407 that can be answered. The error is a sentence.
    pub fn read(response: &Message) -> Result<Self, String> {
        let (name, proxy) =
            if response.code() == Some(407) { ("Proxy-Authenticate", true) } else { ("WWW-Authenticate", false) };
        let mut refusal = "the server refuses without a challenge".to_owned();
        for field in response.fields(name) {
            match Self::parse(field, proxy) {
                Ok(challenge) => return Ok(challenge),
                Err(why) => refusal = why,
            }
        }
        Err(refusal)
    }

    fn parse(field: &str, proxy: bool) -> Result<Self, String> {
        let (scheme, rest) = field.split_once(char::is_whitespace).unwrap_or((field, ""));
        if !scheme.eq_ignore_ascii_case("digest") {
            return Err(format!("the server asks for `{scheme}`, which is no digest"));
        }
        let mut challenge = Self {
            realm: String::new(),
            nonce: String::new(),
            opaque: None,
            algorithm: Algorithm::Md5,
            session: false,
            algorithm_name: None,
            qop: false,
            proxy,
            stale: false,
        };
        for (key, value) in pairs(rest) {
            match key.to_ascii_lowercase().as_str() {
                "realm" => challenge.realm = value,
                "nonce" => challenge.nonce = value,
                "stale" => challenge.stale = value.eq_ignore_ascii_case("true"),
                "opaque" => challenge.opaque = Some(value),
                "algorithm" => {
                    let lower = value.to_ascii_lowercase();
                    let base = lower.strip_suffix("-sess");
                    challenge.session = base.is_some();
                    challenge.algorithm = match base.unwrap_or(&lower) {
                        "md5" => Algorithm::Md5,
                        "sha-256" => Algorithm::Sha256,
                        _ => return Err(format!("the server asks for a digest by `{value}`")),
                    };
                    challenge.algorithm_name = Some(value);
                }
                "qop" => {
                    challenge.qop = value.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth"));
                    if !challenge.qop {
                        return Err(format!("the server asks for a digest with qop `{value}`"));
                    }
                }
                _ => {}
            }
        }
        if challenge.nonce.is_empty() {
            return Err("the server's challenge has no nonce".into());
        }
        Ok(challenge)
    }

    /// Name and value of the field that answers the challenge: the `count`th answer (from 1) to this nonce, with a
    /// `cnonce` of the client's own making.
    pub fn answer(
        &self,
        who: &Credentials,
        method: &str,
        uri: &str,
        count: u32,
        cnonce: &str,
    ) -> (&'static str, String) {
        let Self { realm, nonce, .. } = self;
        let mut secret = self.hash(&format!("{}:{realm}:{}", who.user, who.password));
        if self.session {
            secret = self.hash(&format!("{secret}:{nonce}:{cnonce}"));
        }
        let what = self.hash(&format!("{method}:{uri}"));
        let response = if self.qop {
            self.hash(&format!("{secret}:{nonce}:{count:08x}:{cnonce}:auth:{what}"))
        } else {
            self.hash(&format!("{secret}:{nonce}:{what}"))
        };
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut value = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{response}\"",
            quoted(&who.user),
            quoted(realm),
            quoted(nonce)
        );
        if let Some(name) = &self.algorithm_name {
            value.push_str(&format!(", algorithm={name}"));
        }
        if self.qop || self.session {
            value.push_str(&format!(", cnonce=\"{cnonce}\""));
        }
        if self.qop {
            value.push_str(&format!(", qop=auth, nc={count:08x}"));
        }
        if let Some(opaque) = &self.opaque {
            value.push_str(&format!(", opaque=\"{}\"", quoted(opaque)));
        }
        (if self.proxy { "Proxy-Authorization" } else { "Authorization" }, value)
    }

    fn hash(&self, text: &str) -> String {
        match self.algorithm {
            Algorithm::Md5 => hex::encode(Md5::digest(text)),
            Algorithm::Sha256 => hex::encode(Sha256::digest(text)),
        }
    }
}

/// `key=value` pairs between commas; values may be quoted. What is out of form is passed over.
fn pairs(text: &str) -> Vec<(String, String)> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_matches(|c: char| c == ',' || c.is_whitespace()).to_owned();
        let after = after.trim_start();
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (value, left) = after.split_once(',').unwrap_or((after, ""));
                (value.trim().to_owned(), left)
            }
        };
        found.push((key, value));
        rest = left;
    }
    found
}

/// Text up to the closing quote, and what follows.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, c)| c)),
            _ => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unauthorized(challenge: &str) -> Message {
        let text = format!("SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\n\r\n");
        Message::read(text.as_bytes()).unwrap()
    }

    fn mufasa() -> Credentials {
        Credentials { user: "Mufasa".into(), password: "Circle Of Life".into() }
    }

    fn part<'a>(value: &'a str, key: &str) -> &'a str {
        let at = value.find(key).unwrap_or_else(|| panic!("no {key} in {value}")) + key.len();
        value[at..].split('"').next().unwrap()
    }

    #[test]
    fn the_published_examples() {
        // RFC 2617, 3.5.
        let challenge = Challenge::read(&unauthorized(
            "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
             nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
        ))
        .unwrap();
        let (name, value) = challenge.answer(&mufasa(), "GET", "/dir/index.html", 1, "0a4f113b");
        assert_eq!(name, "Authorization");
        assert_eq!(part(&value, "response=\""), "6629fae49393a05397450978507c4ef1");
        assert!(
            value.contains("qop=auth, nc=00000001") && value.contains("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"")
        );
        // RFC 7616, 3.9.1, SHA-256.
        let challenge = Challenge::read(&unauthorized(
            "Digest realm=\"http-auth@example.org\", qop=\"auth\", algorithm=SHA-256, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"",
        ))
        .unwrap();
        let who = Credentials { user: "Mufasa".into(), password: "Circle of Life".into() };
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let (_, value) = challenge.answer(&who, "GET", "/dir/index.html", 1, cnonce);
        assert_eq!(part(&value, "response=\""), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    }

    #[test]
    fn without_qop_the_old_form_is_used() {
        let challenge = Challenge::read(&unauthorized("digest nonce=\"n\\\"1\", realm=plain , stale=true")).unwrap();
        let (_, value) = challenge.answer(&mufasa(), "REGISTER", "sip:a@b", 1, "c");
        assert!(value.contains("nonce=\"n\\\"1\"") && value.contains("realm=\"plain\"") && !value.contains("qop"));
    }

    #[test]
    fn what_cannot_be_answered_says_so() {
        for (challenge, says) in [
            ("Basic realm=\"x\"", "`Basic`"),
            ("Digest realm=\"x\"", "no nonce"),
            ("Digest nonce=\"x\", algorithm=SM3", "`SM3`"),
            ("Digest nonce=\"x\", qop=\"auth-int\"", "qop `auth-int`"),
        ] {
            let error = Challenge::read(&unauthorized(challenge)).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        let bare = Message::read(b"SIP/2.0 401 Unauthorized\r\n\r\n").unwrap();
        assert!(Challenge::read(&bare).is_err());
        let proxy = Message::read(b"SIP/2.0 407 X\r\nProxy-Authenticate: Digest nonce=\"n\"\r\n\r\n").unwrap();
        let (name, _) = Challenge::read(&proxy).unwrap().answer(&mufasa(), "M", "u", 1, "c");
        assert_eq!(name, "Proxy-Authorization");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn garbage_never_panics(text in "(Digest )?[a-z=\",\\\\ €]{0,60}") {
            if let Ok(challenge) = Challenge::parse(&text, false) {
                challenge.answer(&mufasa(), "REGISTER", "sip:a@b", 1, "c");
            }
        }
    }
}
