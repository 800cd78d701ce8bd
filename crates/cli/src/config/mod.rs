//! The configuration: flags, environment variables, a file and defaults, in this order of precedence.
//!
//! * [`settings`]: the keys, as flags and as a file.
//! * [`file`]: reads a file.
//! * [`layers`]: picks each value from the layer with the highest precedence.
//! * [`effective`]: the result, and the checks that involve several keys.
//! * The other files each have the keys and value types of one section.

mod database;
mod effective;
mod file;
mod keys;
mod layers;
mod listen;
mod log;
mod public_url;
mod resources;
mod rotation;
mod settings;
mod tls;

pub(crate) use database::Database;
pub(crate) use effective::Config;
pub(crate) use log::{LogFormat, LogLevel};
pub(crate) use public_url::PublicUrl;
pub(crate) use settings::Options;
pub(crate) use tls::TlsFiles;
