//! The program from outside: its processes, files and output.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod configuration;
mod first_start;
mod harness;
