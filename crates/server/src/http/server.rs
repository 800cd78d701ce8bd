//! Accepts connections and serves them, within limits on their number, size and time.

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

/// Open connections. Further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;
/// How long the head of a request may take, and how long a connection may be idle between requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may receive nothing of what it is sent before its connection is closed.
#[cfg(target_os = "linux")]
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest head that is always accepted. hyper checks the limit before each read, so it may accept up to twice as much. It
/// answers a longer head with 431.
const HEAD_LIMIT_BYTES: usize = 64 * 1024;
/// The most header fields of a request.
const MAX_HEADERS: usize = 100;
/// How long requests in flight may take after the signal to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// The pause after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `authority` on `listener`, over TLS if `tls` is given, until `shutdown` resolves. Then it stops accepting connections,
/// finishes the requests in flight (10 s at most) and returns.
///
/// # Errors
///
/// The listener cannot be used, or no randomness is available. A connection that fails is logged and is no error.
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
                // Two kinds of task, so that the task of a plain connection is not as large as one with TLS.
                match tls.clone() {
                    None => tokio::spawn(connection.serve_plain(stream)),
                    Some(tls) => tokio::spawn(connection.serve_tls(stream, tls)),
                };
            }
            Err(error) => {
                // No file descriptors are left, or the client has gone. Other connections are still served.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stop.send_replace(());
    // The channel is closed when the last connection has ended.
    if tokio::time::timeout(SHUTDOWN_GRACE, stop.closed())
        .await
        .is_err()
    {
        tracing::warn!(
            "some requests did not finish within the shutdown grace period and were aborted"
        );
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

/// A connection that has been accepted.
struct Connection {
    service: Service,
    /// Changes when the server stops.
    stopping: watch::Receiver<()>,
    /// Its place among [`MAX_CONNECTIONS`].
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
            // There is no request to finish yet.
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

/// Sets the options of a connection and returns its peer. `None`: the connection is closed already.
fn prepare(stream: &TcpStream) -> Option<Peer> {
    // A client that stops reading would otherwise keep its connection, and its slot, for ever.
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(WRITE_TIMEOUT)) {
        tracing::debug!(%error, "cannot set the write timeout of a connection");
    }
    // A response is one small write. Waiting for more data (Nagle's algorithm) only adds delay.
    stream.set_nodelay(true).ok()?;
    let address = stream.peer_addr().ok()?.ip().to_canonical();
    Some(Peer { address })
}
