//! What the server knows of one request, from its arrival to its log line.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Instant,
};

use axum::http::{Method, Uri, request::Parts};

use super::request_id::RequestId;
use crate::{
    authority::Origin,
    domain::{OrganizationId, ServiceAccountId},
};

/// One request and what is known of it.
///
/// The steps in front of the handler fill it in. While the handler runs it is shared (`Arc<Exchange>`), and only the
/// [identity](Exchange::identify) of the caller is added. The steps behind the handler read it.
pub(super) struct Exchange {
    /// When the head of the request had been read.
    pub(super) started: Instant,
    /// The client at the other end of the connection.
    pub(super) peer: Peer,
    /// Also in the response and in the log.
    pub(super) request_id: RequestId,
    /// The method of the request, `HEAD` included.
    pub(super) method: Method,
    /// The target of the request. Its query is never logged.
    pub(super) target: Uri,
    /// Which API the path belongs to, whether there is such a path or not.
    pub(super) protocol: Protocol,
    /// The route of the path. `None`: there is no such path.
    pub(super) route: Option<RouteLabel>,
    identity: OnceLock<Identity>,
}

/// The client at the other end of the connection: the proxy, if there is one in front of the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// Its IP address.
    pub(super) address: IpAddr,
}

/// Which of the two APIs a path belongs to. It decides the format of errors and the limit of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Forms and the errors of RFC 6749, below `/oauth2` and `/.well-known`.
    OAuth,
    /// JSON and the errors of the management API, everywhere else.
    Management,
}

impl Protocol {
    fn of(path: &str) -> Self {
        if path.starts_with("/oauth2/") || path.starts_with("/.well-known/") {
            Self::OAuth
        } else {
            Self::Management
        }
    }
}

/// The name of a route in logs, limits and metrics. There are few, and nothing that a client sent is part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RouteLabel {
    /// The path, with `{name}` for a segment that varies.
    pub(super) template: &'static str,
    /// The operation id in the API document. `None`: a document, or the path does not accept the method.
    pub(super) operation: Option<&'static str>,
}

/// Who made a request, proven by a token or a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The organization of the account.
    pub(super) organization_id: OrganizationId,
    /// The account. Its `client_id` is made of this id.
    pub(super) service_account_id: ServiceAccountId,
}

impl Exchange {
    /// A request of which only the head has been read.
    pub(super) fn begin(peer: Peer, request_id: RequestId, method: Method, target: Uri) -> Self {
        Self {
            started: Instant::now(),
            peer,
            request_id,
            protocol: Protocol::of(target.path()),
            method,
            target,
            route: None,
            identity: OnceLock::new(),
        }
    }

    /// The exchange of the request that these parts belong to.
    ///
    /// # Panics
    ///
    /// On parts that are not of a request that [`service`](super::service) built.
    pub(super) fn of(parts: &Parts) -> &Self {
        let exchange = parts.extensions.get::<Arc<Self>>();
        exchange.expect("every request carries its exchange")
    }

    /// Records who made the request. The first call counts.
    pub(super) fn identify(&self, identity: Identity) {
        // A second call would name the same account: a request has one token or one set of credentials.
        let _ = self.identity.set(identity);
    }

    /// Who made the request. `None`: not proven, or not yet.
    pub(super) fn identity(&self) -> Option<&Identity> {
        self.identity.get()
    }

    /// Where the request comes from, for the audit trail.
    pub(super) fn origin(&self) -> Origin<'_> {
        Origin {
            request_id: Some(self.request_id.as_str()),
            address: Some(self.peer.address),
        }
    }
}
