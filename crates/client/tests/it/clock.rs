//! A clock that stands still until it is moved.

use std::{sync::mpsc, time::Duration};

use tokio::{
    task::{spawn_blocking, yield_now},
    time::{Instant, advance, pause},
};

/// Tokio's clock, stopped. A clock that is merely paused jumps to the next timer whenever all tasks wait, be it for a socket;
/// it does not while a blocking task runs, so one runs until this is dropped.
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

    /// Moves it, and lets everybody do what is due.
    pub async fn advance(&self, seconds: f64) {
        advance(Duration::from_secs_f64(seconds)).await;
        settle().await;
    }

    /// Moves it bit by bit until `future` is ready: what it is, and how long that took.
    pub async fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> (T, Duration) {
        let begun = Instant::now();
        let running = tokio::spawn(future);
        settle().await;
        while !running.is_finished() {
            let elapsed = begun.elapsed();
            assert!(elapsed < Duration::from_secs(600), "it takes for ever");
            self.advance(0.05).await;
        }
        (running.await.unwrap(), begun.elapsed())
    }
}

/// Waits for what is only a matter of sockets.
pub async fn until(done: impl AsyncFn() -> bool) {
    let begun = std::time::Instant::now();
    while !done().await {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it never happens"
        );
        settle().await;
    }
}

/// Lets all tasks run as far as they get. Each turn looks at the sockets, and loopback delivers at once.
pub async fn settle() {
    for _ in 0..300 {
        yield_now().await;
    }
}
