//! The SDK against small servers that misbehave in ways in which a Prokura cannot be made to. How it gets along with the real
//! server is tested in `crates/cli/tests/it`.

// A test that unwraps says where it stopped, which is all it needs to say.
#![allow(clippy::unwrap_used)]
#![allow(missing_docs, unreachable_pub)]

mod answers;
mod calls;
mod clock;
mod retries;
mod server;
mod token_requests;
mod token_sources;
