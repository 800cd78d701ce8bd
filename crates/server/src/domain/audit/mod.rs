//! The audit trail: events, and the hash chain that makes tampering with them evident.

mod chain;
mod event;
mod login_refusal;
mod refused_logins;
mod verifier;

pub use chain::{ChainHead, ChainedEvent};
pub use event::{Action, Actor, AuditEvent, AuditFilter};
pub use login_refusal::LoginRefusal;
pub use refused_logins::RefusedLogins;
pub use verifier::{BrokenChain, Verifier};
