//! The door: HTTP in, HTTP out. It decides nothing that a command-line tool would need too.
//!
//! [`routes`] is the table of everything served; [`door`] is what every request passes; [`oauth`] and [`api`] each have
//! one error table, in which every refusal is an arm.

mod api;
mod document;
mod door;
mod etag;
mod form;
mod health;
mod oauth;
mod openapi;
mod reference;
mod refusal;
mod routes;
mod server;
mod tls;

pub use api::audit_events::read_exported_event;
pub use routes::{openapi, router};
pub use server::serve;
pub use tls::{Certificate, InvalidCertificate, Tls};
