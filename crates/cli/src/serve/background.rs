//! Tasks that run beside the server: flushing counters to the store, removing expired records, rotating signing keys, following
//! commands that write to the database, and reporting dropped log lines.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use prokura_server::authority::{Authority, ResourceDifference};
use tokio::{
    join,
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tracing::{info, warn};

use crate::{key_steps, logging::Log, resource_difference};

const SWEEP_INTERVAL: Duration = Duration::from_secs(600);
/// The pause between flushes. A crash loses the usage counted since the last flush (refused logins: since the last full
/// minute before it), and another node sees usage with this delay.
const FLUSH_PAUSE: Duration = Duration::from_secs(3);
/// The longest pause. The pause grows so that flushing takes a twentieth of the time at most.
const LONGEST_FLUSH_PAUSE: Duration = Duration::from_secs(30);
/// The time limit of the last flush.
const LAST_FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// The running tasks.
pub(super) struct BackgroundTasks {
    sweeping: JoinHandle<()>,
    serving_commands: JoinHandle<()>,
    reporting_dropped_lines: JoinHandle<()>,
    flushing: JoinHandle<()>,
    stop_flushing: oneshot::Sender<()>,
}

impl BackgroundTasks {
    pub(super) fn start(authority: &Arc<Authority>, log: &Log) -> Self {
        let (stop_flushing, stopped) = oneshot::channel();
        Self {
            sweeping: tokio::spawn(sweep(Arc::clone(authority))),
            serving_commands: tokio::spawn(serve_commands(Arc::clone(authority))),
            reporting_dropped_lines: tokio::spawn(log.report_dropped_lines()),
            flushing: tokio::spawn(flush(Arc::clone(authority), stopped)),
            stop_flushing,
        }
    }

    /// Flushes the counters and stops the tasks. Call it after the last request.
    pub(super) async fn stop(self) {
        self.sweeping.abort();
        self.serving_commands.abort();
        self.reporting_dropped_lines.abort();
        drop(self.stop_flushing);
        if timeout(LAST_FLUSH_TIMEOUT, self.flushing).await.is_err() {
            warn!(
                "lost the usage and refused logins of the last seconds: the store did not respond in time"
            );
        }
    }
}

/// Removes expired records, rotates the signing keys that are due, and tells of nodes with another configuration: at the start and
/// every ten minutes.
async fn sweep(authority: Arc<Authority>) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    let mut known = ResourceDifference::default();
    loop {
        interval.tick().await;
        match authority.compare_resources().await {
            Ok(found) if found != known => {
                if !found.is_empty() {
                    resource_difference::log_foreign(&found);
                }
                known = found;
            }
            Ok(_) => {}
            Err(error) => warn!(
                error = described(error),
                "cannot compare the resources in the database with the configuration"
            ),
        }
        match authority.rotate_due_signing_keys().await {
            Ok(done) => key_steps::log(&done),
            Err(error) => warn!(error = described(error), "cannot rotate the signing keys"),
        }
        if let Err(error) = authority.sweep().await {
            warn!(
                error = described(error),
                "cannot remove expired records (revoked tokens, idempotency records, old usage)"
            );
        }
    }
}

/// Follows the commands that write to the database beside this server.
async fn serve_commands(authority: Arc<Authority>) {
    loop {
        authority.serve_command().await;
    }
}

/// Flushes usage and refused logins every few seconds, and everything that is left when `stopped` resolves. A flush must not
/// be cancelled: its counts would be written again.
async fn flush(authority: Arc<Authority>, mut stopped: oneshot::Receiver<()>) {
    let mut pause = FLUSH_PAUSE;
    let mut is_failing = false;
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            () = sleep(pause) => {}
            // While the store fails, flushing more often does not help.
            () = authority.flush_is_due(), if !is_failing => {}
        }
        let begun = Instant::now();
        let (usage, logins) = join!(authority.flush_usage(), authority.flush_refused_logins());
        pause = (begun.elapsed() * 19).clamp(FLUSH_PAUSE, LONGEST_FLUSH_PAUSE);
        // Log the beginning and the end of an outage only.
        match usage.and(logins) {
            Ok(()) if is_failing => {
                info!("usage and refused logins are recorded again")
            }
            Err(error) if !is_failing => warn!(
                error = described(error),
                "cannot record usage and refused logins; they are kept in memory and retried"
            ),
            _ => continue,
        }
        is_failing = !is_failing;
    }
    let (usage, logins) = join!(
        authority.flush_all_usage(),
        authority.flush_all_refused_logins()
    );
    if let Err(error) = usage.and(logins) {
        warn!(
            error = described(error),
            "lost the usage and refused logins of the last seconds"
        );
    }
}

fn described(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}
