//! The log on standard error, in human-readable or JSON lines.

use std::{
    fmt,
    fs::File,
    io::{self, IsTerminal as _, Write as _},
    os::fd::AsFd as _,
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::sleep;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    warn,
};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Layer, layer::Context, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::config::{Config, LogFormat, LogLevel};

/// The initial capacity of a line, in bytes. Most lines fit.
const LINE_BYTES: usize = 512;

/// The lines that wait for the reader of standard error. Further ones are dropped: no request waits for the log.
const WAITING_LINES: usize = 10_000;

/// The pause between two looks at how many lines were dropped.
const REPORT_PAUSE: Duration = Duration::from_secs(10);

/// The running log. Dropping it writes the waiting lines, for about a second at most.
pub(crate) struct Log {
    dropped: ErrorCounter,
    _writer: WorkerGuard,
}

impl Log {
    /// Logs, whenever lines were dropped, how many were since the start. Never ends.
    pub(crate) fn report_dropped_lines(&self) -> impl Future<Output = ()> + use<> {
        let dropped = self.dropped.clone();
        async move {
            let mut reported = 0;
            loop {
                sleep(REPORT_PAUSE).await;
                let lines = dropped.dropped_lines();
                if lines > reported {
                    warn!(
                        lines,
                        "dropped log lines: standard error is not read fast enough"
                    );
                    reported = lines;
                }
            }
        }
    }
}

/// Starts logging as configured. A thread of its own writes the lines.
pub(crate) fn init(config: &Config) -> io::Result<Log> {
    let is_terminal = io::stderr().is_terminal();
    let human = match config.log_format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => is_terminal,
    };
    // A file of its own: whoever writes to `io::stderr()` must not wait for the lock of a writer that waits for the reader.
    let output = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let (lines, writer) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING_LINES)
        .thread_name("log")
        .finish(output);
    let dropped = lines.error_counter();
    let log = tracing_subscriber::registry().with(EnvFilter::new(directives(config.log_level)));
    if human {
        let layer = tracing_subscriber::fmt::layer().with_ansi(is_terminal);
        log.with(layer.with_writer(lines)).init();
    } else {
        log.with(JsonLines(lines)).init();
    }
    Ok(Log {
        dropped,
        _writer: writer,
    })
}

/// The configured level applies to Prokura. Of its dependencies, only warnings and errors are logged.
const fn directives(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "warn,prokura=info",
        LogLevel::Debug => "warn,prokura=debug",
        LogLevel::Trace => "warn,prokura=trace",
    }
}

/// Writes each event as one line of JSON: timestamp, level, fields, target.
struct JsonLines(NonBlocking);

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // It does not fail: a line that finds no place is counted.
        let _ = self.0.clone().write_all(&line(event, Timestamp::now()));
    }
}

fn line(event: &Event<'_>, now: Timestamp) -> Vec<u8> {
    let mut members = Members(Vec::with_capacity(LINE_BYTES));
    members.write("timestamp", &format_args!("{now:.6}"));
    members.write("level", event.metadata().level().as_str());
    event.record(&mut members);
    members.write("target", event.metadata().target());
    members.0.extend_from_slice(b"}\n");
    members.0
}

/// A JSON object under construction, without its closing brace.
struct Members(Vec<u8>);

impl Members {
    fn write(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        // Writing to memory does not fail, and the values contain no maps, whose keys could be invalid.
        let _ = serde_json::to_writer(&mut self.0, name);
        self.0.push(b':');
        let _ = serde_json::to_writer(&mut self.0, value);
    }
}

impl Visit for Members {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field.name(), &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.write(field.name(), &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field.name(), &format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    struct Kept(mpsc::Sender<Vec<u8>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.send(line(event, Timestamp::UNIX_EPOCH)).unwrap();
        }
    }

    #[test]
    fn a_line_is_a_json_object() {
        let (kept, lines) = mpsc::channel();
        let log = tracing_subscriber::registry().with(Kept(kept));
        tracing::subscriber::with_default(log, || {
            tracing::warn!(
                target: "here",
                text = "\"a\"\n\u{e9}",
                shown = %std::net::Ipv4Addr::LOCALHOST,
                count = 1_u16,
                difference = -1,
                duration_ms = 0.5,
                is_so = true,
                left_out = None::<&str>,
                "what {}", "happened"
            );
        });
        assert_eq!(
            String::from_utf8(lines.recv().unwrap()).unwrap(),
            concat!(
                r#"{"timestamp":"1970-01-01T00:00:00.000000Z","level":"WARN","message":"what happened","text":"\"a\"\n"#,
                "\u{e9}",
                r#"","shown":"127.0.0.1","count":1,"difference":-1,"duration_ms":0.5,"is_so":true,"target":"here"}"#,
                "\n"
            )
        );
    }
}
