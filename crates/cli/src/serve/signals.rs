//! SIGTERM and SIGINT.

use std::{io, process};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

/// Catches SIGTERM and SIGINT from its creation on.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the first signal. A second signal exits the process immediately.
    pub(super) async fn first(mut self) {
        let (name, _) = self.next().await;
        info!(
            signal = name,
            "shutting down: waiting for requests in flight; send another signal to exit immediately"
        );
        tokio::spawn(async move {
            let (name, number) = self.next().await;
            warn!(signal = name, "exiting immediately");
            process::exit(128 + number);
        });
    }

    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", SignalKind::terminate().as_raw_value()),
            _ = self.interrupt.recv() => ("SIGINT", SignalKind::interrupt().as_raw_value()),
        }
    }
}
