//! The SDK against small servers that misbehave in ways in which a Prokura server does not. `crates/cli/tests/it` tests it
//! against the real server.

// A failing unwrap shows the line of the test.
#![allow(clippy::unwrap_used)]
#![allow(missing_docs, unreachable_pub)]

mod answers;
mod behaviour;
mod calls;
mod clock;
mod connections;
mod retries;
mod server;
mod token_requests;
mod token_sources;
