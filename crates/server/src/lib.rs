//! The Prokura server as a library.
//!
//! * [`domain`]: the rules, without side effects.
//! * [`store`]: what is persistent; one set of SQL for two databases.
//! * [`keys`]: encryption, signatures and digests.
//! * [`authority`]: the use cases, one method each.
//! * [`http`]: the server itself.
//!
//! A module imports only modules above it in this list: see `docs/ARCHITECTURE.md`. Beside the list are [`audit_export`], the
//! format of exported audit events, and two private modules that know nothing of Prokura: `encoding` (base64, JSON strings and
//! character sets) and `packed` (a cache of many small records).

pub mod audit_export;
pub mod authority;
pub mod domain;
mod encoding;
pub mod http;
pub mod keys;
mod packed;
pub mod store;
