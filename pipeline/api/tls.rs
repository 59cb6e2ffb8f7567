//! The server's own certificate, read anew when its files change: certificates are renewed every few weeks.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::plan::Tls;

/// How often the files are looked at, at most.
const LOOK: Duration = Duration::from_secs(1);

/// Accepts TLS with the newest certificate that could be read.
pub(super) struct Certificate {
    files: Tls,
    changed: [Option<SystemTime>; 2],
    looked: Instant,
    acceptor: TlsAcceptor,
}

impl Certificate {
    /// `Err` says what is wrong with which file; never what the key is.
    pub(super) fn open(files: &Tls) -> Result<Self, String> {
        let (changed, acceptor) = (changed(files), acceptor(files)?);
        Ok(Self { files: files.clone(), changed, looked: Instant::now(), acceptor })
    }

    /// For the next connection. A renewed certificate that cannot be read leaves the last one in force.
    pub(super) fn acceptor(&mut self) -> TlsAcceptor {
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            let changed = changed(&self.files);
            if changed != self.changed {
                self.changed = changed;
                match acceptor(&self.files) {
                    Ok(acceptor) => {
                        self.acceptor = acceptor;
                        tracing::info!(cert = %self.files.cert.display(), "the renewed certificate is in force");
                    }
                    Err(error) => tracing::error!(error, "the renewed certificate is not: the last one stays in force"),
                }
            }
        }
        self.acceptor.clone()
    }
}

/// When the two files were changed.
fn changed(files: &Tls) -> [Option<SystemTime>; 2] {
    [&files.cert, &files.key].map(|path| std::fs::metadata(path).and_then(|data| data.modified()).ok())
}

fn acceptor(files: &Tls) -> Result<TlsAcceptor, String> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let chain = CertificateDer::pem_file_iter(&files.cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|e| wrong(&files.cert, &e))?;
    if chain.is_empty() {
        return Err(wrong(&files.cert, &"holds no certificate in PEM form"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| wrong(&files.key, &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.map_err(|e| format!("TLS: {e}"))?;
    let config = versions.with_no_client_auth().with_single_cert(chain, key).map_err(|e| wrong(&files.cert, &e))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
