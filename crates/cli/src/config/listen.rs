//! `listen`: the address of the listener.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use serde::Deserialize;

/// An IP address and a port.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ListenAddress(pub(super) SocketAddr);

impl FromStr for ListenAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = text.parse();
        address
            .map(Self)
            .map_err(|_| "must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080")
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Whether only this machine can reach a listener on `address`.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
