//! Standard Webhooks 1.0 signatures: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, one for each secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Block size of SHA-256.
const BLOCK: usize = 64;

/// Signs with one key or, while keys are changed, several.
#[derive(Clone)]
pub struct Signer {
    keys: Vec<Vec<u8>>,
}

impl Signer {
    /// From secrets of the form `whsec_` and the base64 of 24 to 64 bytes. Errors never repeat a secret.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let keys = secrets.into_iter().map(key).collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }

    /// The value of `webhook-signature`; `None` without keys.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
        let mut head = id.as_bytes().to_vec();
        head.extend_from_slice(format!(".{timestamp}.").as_bytes());
        let one = |key: &Vec<u8>| format!("v1,{}", STANDARD.encode(hmac_sha256(key, &[&head, body])));
        let signatures: Vec<String> = self.keys.iter().map(one).collect();
        (!signatures.is_empty()).then(|| signatures.join(" "))
    }
}

fn key(secret: &str) -> Result<Vec<u8>, String> {
    let coded = secret.strip_prefix("whsec_").ok_or("a webhook secret begins with `whsec_`")?;
    let key = STANDARD.decode(coded).map_err(|_| "a webhook secret is `whsec_` and base64")?;
    if !(24..=64).contains(&key.len()) {
        return Err(format!("a webhook secret holds 24 to 64 bytes; this one has {}", key.len()));
    }
    Ok(key)
}

/// HMAC (RFC 2104) with SHA-256 over the parts one after the other.
fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new();
    inner.update(block.map(|b| b ^ 0x36));
    for part in parts {
        inner.update(part);
    }
    let mut outer = Sha256::new();
    outer.update(block.map(|b| b ^ 0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_matches_rfc_4231() {
        let case = |key: &[u8], data: &[u8]| hex::encode(hmac_sha256(key, &[data]));
        assert_eq!(case(&[0x0b; 20], b"Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        assert_eq!(
            case(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            case(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

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
