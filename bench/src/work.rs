//! The work that is measured, and what is to be reached with it.

use crate::floor::Signature;

/// A piece of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// As the table calls it.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) kind: Kind,
    /// The floor it is divided by.
    pub(crate) floor: Signature,
    /// Keep-alive connections, each with one request under way.
    pub(crate) connections: u32,
    /// The share of the floor's requests per second that is to be reached: on SQLite, with a thousand accounts, on one core.
    pub(crate) to_reach: Option<f64>,
    /// How many times the floor's processor time a request may take before the run fails: on SQLite, with a thousand accounts.
    pub(crate) bound: Option<f64>,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A token for this resource. `None`: for the management API, opaque.
    Issue(Option<&'static str>),
    /// What such a token says; a thousand different ones in turn.
    Introspect(Option<&'static str>),
    /// An account, by its id.
    Get,
    /// The first page of all accounts, 50 of them.
    List,
    /// A new account.
    Create,
    /// A new secret.
    Rotate,
    /// The end of an account.
    Delete,
}

impl Kind {
    /// Whether a request leaves everything as it is, so that there may be any number of them.
    pub(crate) const fn changes_nothing(self) -> bool {
        match self {
            Self::Issue(_) | Self::Introspect(_) | Self::Get | Self::List => true,
            Self::Create | Self::Rotate | Self::Delete => false,
        }
    }
}

const ES256: Option<&str> = Some("https://es256.example.com");
const EDDSA: Option<&str> = Some("https://eddsa.example.com");
const RS256: Option<&str> = Some("https://rs256.example.com");

/// All of it, in this order.
///
/// The bounds guard against what no noise explains: they are three to four times what was measured when they were set. Server
/// and floor are measured in turn within the same seconds, so whatever else the machine does slows both.
pub(crate) const ALL: [Work; 11] = [
    Work {
        to_reach: Some(0.75),
        bound: Some(5.0),
        ..work("issue, opaque", Kind::Issue(None), Signature::Constant)
    },
    Work {
        to_reach: Some(0.88),
        ..work("issue, EdDSA", Kind::Issue(EDDSA), Signature::Eddsa)
    },
    Work {
        to_reach: Some(0.90),
        bound: Some(4.0),
        ..work("issue, ES256", Kind::Issue(ES256), Signature::Es256)
    },
    Work {
        to_reach: Some(0.97),
        ..work("issue, RS256", Kind::Issue(RS256), Signature::Rs256)
    },
    Work {
        to_reach: Some(0.70),
        bound: Some(5.0),
        ..work(
            "introspect, opaque",
            Kind::Introspect(None),
            Signature::Constant,
        )
    },
    Work {
        to_reach: Some(0.65),
        bound: Some(5.0),
        ..work(
            "introspect, JWT",
            Kind::Introspect(ES256),
            Signature::Constant,
        )
    },
    Work {
        to_reach: Some(0.60),
        bound: Some(6.0),
        ..work("get", Kind::Get, Signature::Constant)
    },
    work("list a page", Kind::List, Signature::Constant),
    Work {
        connections: 64,
        ..work("create", Kind::Create, Signature::Constant)
    },
    work("delete", Kind::Delete, Signature::Constant),
    // Last: whoever was rotated gets no more tokens from us.
    work("rotate", Kind::Rotate, Signature::Constant),
];

const fn work(name: &'static str, kind: Kind, floor: Signature) -> Work {
    Work {
        name,
        kind,
        floor,
        connections: 32,
        to_reach: None,
        bound: None,
    }
}
