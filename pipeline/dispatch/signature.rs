//! Standard Webhooks 1.0 signatures: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, one for each secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// Signs with one key or, while keys are changed, several.
#[derive(Clone)]
pub struct Signer {
    keys: Vec<hmac::Key>,
}

impl Signer {
    /// From secrets of the form `whsec_` and the base64 of 24 to 64 bytes. Errors never repeat a secret.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let keys = secrets.into_iter().map(key).collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }

    /// The value of `webhook-signature`; `None` without keys.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
        let head = format!("{id}.{timestamp}.");
        let one = |key: &hmac::Key| {
            let mut tag = hmac::Context::with_key(key);
            tag.update(head.as_bytes());
            tag.update(body);
            format!("v1,{}", STANDARD.encode(tag.sign()))
        };
        let signatures: Vec<String> = self.keys.iter().map(one).collect();
        (!signatures.is_empty()).then(|| signatures.join(" "))
    }
}

fn key(secret: &str) -> Result<hmac::Key, String> {
    let coded = secret.strip_prefix("whsec_").ok_or("a webhook secret begins with `whsec_`")?;
    let key = STANDARD.decode(coded).map_err(|_| "a webhook secret is `whsec_` and base64")?;
    if !(24..=64).contains(&key.len()) {
        return Err(format!("a webhook secret holds 24 to 64 bytes; this one has {}", key.len()));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_matches_the_published_example() {
        // The example of the Standard Webhooks reference libraries.
        let signer = Signer::new(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]).unwrap();
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body).unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn several_secrets_sign_in_order_and_none_signs_nothing() {
        let (a, b) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB");
        let sign = |secrets: &[&str]| Signer::new(secrets.iter().copied()).unwrap().sign("i", 1, b"x");
        let (one, two) = (sign(&[a]).unwrap(), sign(&[b]).unwrap());
        assert_ne!(one, two);
        assert_eq!(sign(&[a, b]).unwrap(), format!("{one} {two}"));
        assert_eq!(sign(&[]), None);
    }

    #[test]
    fn bad_secrets_are_refused_without_being_repeated() {
        for secret in ["plain-secret", "whsec_###", "whsec_c2hvcnQ="] {
            let message = Signer::new([secret]).err().unwrap();
            assert!(!message.contains(&secret[3..]), "{message}");
        }
    }
}
