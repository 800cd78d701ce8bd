//! The program from outside: its processes, files and output.

mod configuration;
mod first_start;
mod harness;
