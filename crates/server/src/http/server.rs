//! Accepting connections and serving them, each bounded in what it may cost.

use std::{
    convert::Infallible, future::Future, io, net::TcpListener, pin::pin, sync::Arc, time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use super::{exchange::Peer, service::Service, tls::Tls};
use crate::authority::Authority;

/// Connections at once; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;
/// How long the head of a request may take, and how long a connection may idle before the next one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take in nothing of what it is sent before its connection is cut.
#[cfg(target_os = "linux")]
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest head that is surely read. hyper asks before each read, so up to twice as much may pass; what is longer is
/// answered with 431.
const HEAD_LIMIT_BYTES: usize = 64 * 1024;
/// How many header fields a request may have.
const MAX_HEADERS: usize = 100;
/// How long what is in flight may take after the signal to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// How long to wait when the system gives no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `authority` on `listener`, over TLS if there is one, until `shutdown` resolves; then stops accepting, finishes
/// what is in flight (10 s at most) and returns.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    authority: Arc<Authority>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let service = Service::new(authority, tls.is_some()).map_err(io::Error::other)?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let stop = watch::Sender::new(());
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        match accepted {
            Ok((stream, slot)) => {
                let connection = Connection {
                    service: service.clone(),
                    stopping: stop.subscribe(),
                    _slot: slot,
                };
                // Two kinds of task, so that a plain connection carries nothing of TLS.
                match tls.clone() {
                    None => tokio::spawn(connection.serve_plain(stream)),
                    Some(tls) => tokio::spawn(connection.serve_tls(stream, tls)),
                };
            }
            Err(error) => {
                // Out of file descriptors, or a client that left at once: others are served on.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stop.send_replace(());
    // It is closed when no connection is left to hear it.
    if tokio::time::timeout(SHUTDOWN_GRACE, stop.closed())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
    Ok(())
}

async fn accept(
    listener: &tokio::net::TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

/// What one connection is served with.
struct Connection {
    service: Service,
    /// Changes when the server is to stop.
    stopping: watch::Receiver<()>,
    /// Its place among those allowed at once.
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve_plain(self, stream: TcpStream) {
        if let Some(peer) = prepare(&stream) {
            self.serve_http(stream, peer).await;
        }
    }

    async fn serve_tls(mut self, stream: TcpStream, tls: Tls) {
        let Some(peer) = prepare(&stream) else {
            return;
        };
        let handshake = tokio::select! {
            handshake = tls.accept(stream) => handshake,
            // Nothing has been asked yet.
            _ = self.stopping.changed() => return,
        };
        match handshake {
            Ok(stream) => self.serve_http(stream, peer).await,
            Err(error) => {
                tracing::debug!(address = %peer.address, %error, "a TLS handshake failed")
            }
        }
    }

    async fn serve_http(mut self, stream: impl AsyncRead + AsyncWrite + Send + Unpin, peer: Peer) {
        let service = &self.service;
        let service =
            service_fn(async |request| Ok::<_, Infallible>(service.answer(request, peer).await));
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .max_headers(MAX_HEADERS)
                .max_buf_size(HEAD_LIMIT_BYTES)
                .serve_connection(TokioIo::new(stream), service)
        );
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            _ = self.stopping.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// Sets what holds for every connection, and tells whose it is. `None`: it is gone already.
fn prepare(stream: &TcpStream) -> Option<Peer> {
    // A client that reads nothing of its answers would otherwise keep its connection, and its slot, for ever.
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(WRITE_TIMEOUT)) {
        tracing::debug!(%error, "a connection has no time limit for its answers");
    }
    // An answer is one small write; waiting for more only adds delay.
    stream.set_nodelay(true).ok()?;
    let address = stream.peer_addr().ok()?.ip().to_canonical();
    Some(Peer { address })
}
