//! An authority of the test's own, and a receiver behind TLS that answers every request with 204.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// PEM files of an authority and of a server at 127.0.0.1 and localhost that it vouches for.
pub struct Authority {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// Made by `openssl` in `folder`.
    pub fn new(folder: &Path) -> Self {
        let path = |name: &str| folder.join(name);
        let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let openssl = |words: &[&str]| {
            let done = Command::new("openssl").current_dir(folder).args(words).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        let ca = ["req", "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"];
        openssl(&[&ca[..], &new_key[..]].concat());
        let wish = ["req", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"];
        openssl(&[&wish[..], &new_key[..]].concat());
        std::fs::write(path("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
        let sign = ["x509", "-req", "-days", "2", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key"];
        let out = ["-CAcreateserial", "-extfile", "names", "-out", "server.pem"];
        openssl(&[&sign[..], &out[..]].concat());
        Self { ca: path("ca.pem"), certificate: path("server.pem"), key: path("server.key") }
    }
}

/// Requests that a receiver behind TLS has answered; its thread ends with the process.
pub fn receiver(authority: &Authority) -> (SocketAddr, Arc<AtomicUsize>) {
    let chain = CertificateDer::pem_file_iter(&authority.certificate).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(&authority.key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answered: Arc<AtomicUsize> = Arc::default();
    let count = answered.clone();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            // A client that does not like the certificate hangs up.
            if request(&mut stream).is_some() {
                count.fetch_add(1, Ordering::SeqCst);
                stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").ok();
                stream.flush().ok();
            }
        }
    });
    (address, answered)
}

/// Reads one request with its body.
fn request(stream: &mut impl Read) -> Option<()> {
    let mut got = Vec::new();
    let mut part = [0; 4096];
    loop {
        let n = stream.read(&mut part).ok().filter(|n| *n > 0)?;
        got.extend_from_slice(&part[..n]);
        let text = String::from_utf8_lossy(&got).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        if body.len() >= length.parse().ok()? {
            return Some(());
        }
    }
}
