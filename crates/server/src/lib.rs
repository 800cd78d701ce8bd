//! The Prokura server as a library.
//!
//! * [`domain`]: the rules; pure.
//! * [`store`]: what is remembered; one set of SQL, two databases.
//! * [`keys`]: what is sealed, signed and recognised.
//! * [`authority`]: what can be asked; one method per use case.
//! * [`http`]: the door.
//!
//! An arrow points up this list, never down it: see `docs/ARCHITECTURE.md`. Beside it are two tools: `encoding` (base64, JSON strings
//! and character sets) and `packed` (a cache of many small records).

pub mod authority;
pub mod domain;
mod encoding;
pub mod http;
pub mod keys;
mod packed;
pub mod store;
