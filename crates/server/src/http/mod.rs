//! The door: HTTP in, HTTP out. It decides nothing that a command-line tool would need too.
//!
//! [`routes`] is the table of everything served; [`service`] is the way of one request, [`door`] what every request passes,
//! [`direct`] the short way to what is asked most;
//! [`oauth`] and [`api`] each have one error table, in which every refusal is an arm.

mod api;
mod direct;
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
mod service;
mod tls;

pub use api::audit_events::read_exported_event;
pub use routes::openapi;
pub use server::serve;
pub use tls::{Certificate, InvalidCertificate, Tls};
