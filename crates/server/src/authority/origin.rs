//! Where a request comes from.

use std::net::IpAddr;

/// Where a request comes from, for the audit trail.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The id of the request. `None`: a command, not a request.
    pub request_id: Option<String>,
    /// The address of the client. `None`: a command on this machine.
    pub address: Option<IpAddr>,
}
