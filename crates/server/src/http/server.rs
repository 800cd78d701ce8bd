//! Accepting connections and serving them, each bounded in what it may cost.

use std::{future::Future, io, net::TcpListener, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{net::TcpStream, sync::Semaphore};
use tower::ServiceExt as _;

use super::{door::PeerAddress, router};
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

/// Serves `authority` on `listener` until `shutdown` resolves; then stops accepting, finishes what is in flight (10 s at
/// most) and returns.
pub async fn serve(
    listener: TcpListener,
    authority: Arc<Authority>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let app = router(authority).map_err(io::Error::other)?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let open = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        match accepted {
            Ok((stream, slot)) => {
                let connection = open.watcher();
                let app = app.clone();
                tokio::spawn(async move {
                    serve_connection(stream, app, connection).await;
                    drop(slot);
                });
            }
            Err(error) => {
                // Out of file descriptors, or a client that left at once: others are served on.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(SHUTDOWN_GRACE, open.shutdown())
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
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

async fn serve_connection(
    stream: TcpStream,
    app: Router,
    open: hyper_util::server::graceful::Watcher,
) {
    // A client that reads nothing of its answers would otherwise keep its connection, and its slot, for ever.
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(WRITE_TIMEOUT)) {
        tracing::debug!(%error, "a connection has no time limit for its answers");
    }
    // An answer is one small write; waiting for more only adds delay.
    let (Ok(()), Ok(peer)) = (stream.set_nodelay(true), stream.peer_addr()) else {
        return;
    };
    let service = service_fn(move |mut request: Request<Incoming>| {
        request
            .extensions_mut()
            .insert(PeerAddress(peer.ip().to_canonical()));
        app.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(HEAD_LIMIT_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = open.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
