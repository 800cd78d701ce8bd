//! The door (being built).

use std::{future::Future, io, net::TcpListener, sync::Arc};

use crate::authority::Authority;

/// Serves `authority` on `listener` until `shutdown` resolves; then stops accepting, finishes what is in flight (10 s at
/// most) and returns.
pub async fn serve(
    listener: TcpListener,
    authority: Arc<Authority>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let _ = (listener, authority);
    shutdown.await;
    Ok(())
}
