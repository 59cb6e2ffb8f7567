//! Connections: accepted, secured where the site has a certificate, served until told to stop.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use super::tls::Certificate;
use super::{ApiError, ApiState, router};
use crate::config::plan::{Networks, Site};

/// Connections at the same time, at most: further ones wait to be accepted.
const MOST: usize = 1024;
/// A client must be done with the TLS handshake within this.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A client must send the head of a request within this; an idle connection is closed after it.
const HEAD: Duration = Duration::from_secs(30);
/// How long nothing is accepted when the system has no room for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// A socket that listens, and the certificate for it.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    certificate: Option<Certificate>,
    /// Without TLS: who may connect besides this machine.
    proxies: Networks,
}

impl Listener {
    /// Where it listens; with port 0 the system has chosen one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.certificate.is_some() { "https" } else { "http" }
    }

    /// Without TLS only this machine and the proxies are spoken to.
    fn admits(&self, from: IpAddr) -> bool {
        self.certificate.is_some() || from.to_canonical().is_loopback() || self.proxies.contains(from)
    }
}

/// Opens the listening socket; refuses an address that is not loopback without TLS or a proxy in front.
pub async fn bind(site: &Site) -> Result<Listener, ApiError> {
    let (address, access) = (site.listen, &site.access);
    if !address.ip().is_loopback() && access.tls.is_none() && access.behind_proxy.0.is_empty() {
        return Err(ApiError::NotLoopback(address));
    }
    let certificate = access.tls.as_ref().map(Certificate::open).transpose().map_err(ApiError::Tls)?;
    let failed = |source| ApiError::Bind { address, source };
    let socket = TcpListener::bind(address).await.map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    Ok(Listener { socket, address, certificate, proxies: access.behind_proxy.clone() })
}

/// Serves until `stop` of the state becomes true or its sender is gone; returns when the last connection has ended.
pub async fn serve(mut listener: Listener, state: ApiState) {
    let stop = state.0.stop.clone();
    let edits = tokio::spawn(state.clone().follow_edits());
    let app = router(state, listener.address);
    let places = Arc::new(Semaphore::new(MOST));
    let mut connections = JoinSet::new();
    let mut stopped = pin!(stopped(stop.clone()));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.socket.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = stopped.as_mut() => break,
            next = next => next,
        };
        while connections.try_join_next().is_some() {}
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            // The client has gone, or the system has no room: neither is an end.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        if !listener.admits(from.ip()) {
            tracing::debug!(%from, "not from the proxy: refused");
            continue;
        }
        let tls = listener.certificate.as_mut().map(Certificate::acceptor);
        let (app, stop) = (app.clone(), stop.clone());
        connections.spawn(async move {
            connection(stream, from, tls, app, stop).await;
            drop(place);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    if edits.await.is_err_and(|error| error.is_panic()) {
        tracing::error!("edits of files by hand were not noted to the end");
    }
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    tls: Option<TlsAcceptor>,
    app: Router,
    stop: watch::Receiver<bool>,
) {
    // Small answers should not wait for more.
    stream.set_nodelay(true).ok();
    let Some(tls) = tls else { return speak(stream, from, app, stop).await };
    match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => speak(stream, from, app, stop).await,
        Ok(Err(error)) => tracing::debug!(%error, %from, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%from, "a TLS handshake took too long"),
    }
}

async fn speak<S>(stream: S, from: SocketAddr, app: Router, stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(from));
        app.clone().call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stopped(stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, %from, "a connection broke off");
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // A sender that is gone means stop as well.
    stop.wait_for(|stop| *stop).await.ok();
}
