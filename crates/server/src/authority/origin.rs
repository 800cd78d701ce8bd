//! Where a request comes from.

use std::net::IpAddr;

/// Where a request comes from, for the audit trail.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin<'r> {
    /// The id of the request. `None`: a command on this machine, not a request.
    pub request_id: Option<&'r str>,
    /// The address of the client. `None`: a command on this machine.
    pub address: Option<IpAddr>,
}
