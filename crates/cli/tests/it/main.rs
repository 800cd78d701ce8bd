//! The whole of Prokura, tested from outside.
#![allow(clippy::unwrap_used)]

mod harness;
mod postgres;
