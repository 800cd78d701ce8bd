//! A clock that stands still until a test moves it.

use std::{sync::mpsc, time::Duration};

use tokio::{
    task::{spawn_blocking, yield_now},
    time::{Instant, advance, pause},
};

/// Tokio's clock, stopped. A paused clock would jump to the next timer whenever all tasks wait, even for a socket. It does
/// not jump while a blocking task runs, so one runs until this is dropped.
pub struct Clock(
    #[expect(dead_code, reason = "dropping it ends the blocking task")] mpsc::Sender<()>,
);

impl Clock {
    pub fn stop() -> Self {
        pause();
        let (end, ended) = mpsc::channel();
        spawn_blocking(move || ended.recv());
        Self(end)
    }

    /// Moves the clock and runs all tasks that are due.
    pub async fn advance(&self, seconds: f64) {
        advance(Duration::from_secs_f64(seconds)).await;
        settle().await;
    }

    /// Moves the clock step by step until `future` is ready. Returns its output and the time that has passed.
    pub async fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> (T, Duration) {
        let begun = Instant::now();
        let running = tokio::spawn(future);
        settle().await;
        while !running.is_finished() {
            let elapsed = begun.elapsed();
            assert!(
                elapsed < Duration::from_secs(600),
                "the future does not become ready"
            );
            self.advance(0.05).await;
        }
        (running.await.unwrap(), begun.elapsed())
    }
}

/// Waits for a condition that depends only on sockets.
pub async fn until(done: impl AsyncFn() -> bool) {
    let begun = std::time::Instant::now();
    while !done().await {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the condition does not become true"
        );
        settle().await;
    }
}

/// Runs all tasks as far as possible. Each turn polls the sockets, and loopback delivers at once.
pub async fn settle() {
    for _ in 0..300 {
        yield_now().await;
    }
}
