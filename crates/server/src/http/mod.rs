//! HTTP in, HTTP out.
//!
//! * [`server`] accepts connections, [`tls`] makes them secure.
//! * [`service`] takes a request through the ordered [`steps`]. What is known of the request is in its [`exchange`].
//! * [`routes`] is the table of everything served, [`routing`] finds a request's place in it. The handlers of the most frequent
//!   operations are called as plain functions, see [`inline`].
//! * [`oauth`] and [`api`] hold the handlers of the two APIs, each with one error table. [`refusal`] is what can meet any
//!   request before its handler.
//! * [`openapi`] derives the API document from the handlers, [`reference`](mod@reference) is a page to read it.
//!
//! Nothing is decided here that a command-line tool would need too.

mod api;
mod cause;
mod document;
mod etag;
mod exchange;
mod form;
mod health;
mod inline;
mod oauth;
mod openapi;
mod reference;
mod refusal;
mod request_id;
mod routes;
mod routing;
mod server;
mod service;
mod steps;
mod tls;

pub use server::serve;
pub use tls::{Certificate, InvalidCertificate, Tls};
