//! The log: standard error, human on a terminal, JSON elsewhere.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat, LogLevel};

/// Starts logging as `config` says. Until then nothing is logged.
pub(crate) fn init(config: &Config) {
    let human = match config.log_format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => io::stderr().is_terminal(),
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives(config.log_level)))
        .with_writer(io::stderr);
    if human {
        log.with_ansi(io::stderr().is_terminal()).init();
    } else {
        log.json().flatten_event(true).init();
    }
}

/// The level is ours; of what others log, only their warnings are news.
const fn directives(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "warn,prokura=info",
        LogLevel::Debug => "warn,prokura=debug",
        LogLevel::Trace => "warn,prokura=trace",
    }
}
