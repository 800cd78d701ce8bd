//! What holds on both databases. The letters and numbers in the comments of the tests are those of the requirements that
//! the standards make of us.

mod service_accounts;

use super::DATABASE;
use crate::harness::{Options, Prokura};

/// A fresh server on this suite's database.
async fn start() -> Prokura {
    start_with(Options::default()).await
}

/// A fresh server with other settings.
async fn start_with(options: Options) -> Prokura {
    Prokura::start(DATABASE, options).await
}
