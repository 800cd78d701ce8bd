//! Audit events: who did what to whom, when, from where. Per organization they form a hash chain, so that an event
//! altered, removed or inserted later can be told.

use std::net::IpAddr;

use aws_lc_rs::digest::{Context, SHA256};

use super::{OrganizationId, ServiceAccountId, Timestamp};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The operator, through the server itself or its command line.
    Operator,
    /// A service account.
    ServiceAccount(ServiceAccountId),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::ServiceAccount(id) => id.fmt(f),
        }
    }
}

/// What was done: the name of the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An organization came to be.
    CreateOrganization,
    /// A service account came to be.
    CreateServiceAccount,
    /// Its secret was replaced.
    RotateSecret,
    /// A rotation under way was taken back.
    CancelRotation,
    /// It got a further secret.
    AddSecret,
    /// One of its secrets was ended.
    DeleteSecret,
    /// Every token issued to it so far was ended.
    RevokeTokens,
    /// It was deleted, its tokens with it.
    DeleteServiceAccount,
    /// One token was ended before its time.
    RevokeToken,
}

impl Action {
    /// The name as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateOrganization => "create_organization",
            Self::CreateServiceAccount => "create_service_account",
            Self::RotateSecret => "rotate_secret",
            Self::CancelRotation => "cancel_rotation",
            Self::AddSecret => "add_secret",
            Self::DeleteSecret => "delete_secret",
            Self::RevokeTokens => "revoke_tokens",
            Self::DeleteServiceAccount => "delete_service_account",
            Self::RevokeToken => "revoke_token",
        }
    }
}

/// One change, as it is remembered. It never holds a secret or a token.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// Whose event it is.
    pub organization_id: OrganizationId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// Whom: the id of the thing that changed.
    pub target: String,
    /// The request that caused it. `None`: no request, a command.
    pub request_id: Option<String>,
    /// From where. `None`: from this machine, by command.
    pub address: Option<IpAddr>,
    /// The fields that changed and their new values, in alphabetical order of the names.
    pub detail: Vec<(&'static str, String)>,
}

/// The end of an organization's chain: how many events there are and the hash of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The sequence number of the last event; 0 before the first.
    pub sequence: i64,
    /// Its hash; zeros before the first.
    pub hash: [u8; 32],
}

/// An event in its place in the chain.
#[derive(Clone, Debug)]
pub struct ChainedEvent {
    /// The event.
    pub event: AuditEvent,
    /// The head before it.
    pub previous_hash: [u8; 32],
    /// The head after it.
    pub head: ChainHead,
}

impl ChainHead {
    /// The head before any event.
    pub const START: Self = Self {
        sequence: 0,
        hash: [0; 32],
    };
}

impl AuditEvent {
    /// Puts the event behind `head`. Its hash is SHA-256 over the previous hash and every field, each preceded by its
    /// length, so that no two different events are hashed alike.
    pub fn chained(self, head: ChainHead) -> ChainedEvent {
        let sequence = head.sequence + 1;
        let mut hash = Context::new(&SHA256);
        let mut field = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        field(b"prokura audit event v1");
        field(&head.hash);
        field(self.organization_id.as_bytes());
        field(&sequence.to_be_bytes());
        field(&self.at.as_millis().to_be_bytes());
        field(self.actor.to_string().as_bytes());
        field(self.action.as_str().as_bytes());
        field(self.target.as_bytes());
        // Absent and empty are different: an empty request id or address cannot be.
        field(self.request_id.as_deref().unwrap_or_default().as_bytes());
        field(
            self.address
                .map(|address| address.to_string())
                .unwrap_or_default()
                .as_bytes(),
        );
        field(&(self.detail.len() as u64).to_be_bytes());
        for (name, value) in &self.detail {
            field(name.as_bytes());
            field(value.as_bytes());
        }
        let mut hash_bytes = [0; 32];
        hash_bytes.copy_from_slice(hash.finish().as_ref());
        ChainedEvent {
            previous_hash: head.hash,
            head: ChainHead {
                sequence,
                hash: hash_bytes,
            },
            event: self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> AuditEvent {
        AuditEvent {
            organization_id: OrganizationId::from_bytes([1; 16]),
            at: Timestamp::from_millis(5),
            actor: Actor::Operator,
            action: Action::CreateServiceAccount,
            target: "t".to_owned(),
            request_id: None,
            address: None,
            detail: vec![("name", "CI".to_owned())],
        }
    }

    #[test]
    fn every_field_is_in_the_hash() {
        let base = event().chained(ChainHead::START).head.hash;
        let changes: [fn(&mut AuditEvent); 8] = [
            |event| event.organization_id = OrganizationId::from_bytes([2; 16]),
            |event| event.at = Timestamp::from_millis(6),
            |event| event.actor = Actor::ServiceAccount(ServiceAccountId::from_bytes([0; 16])),
            |event| event.action = Action::RotateSecret,
            |event| event.target = "u".to_owned(),
            |event| event.request_id = Some("r".to_owned()),
            |event| event.address = Some([127, 0, 0, 1].into()),
            |event| event.detail[0].1.push('!'),
        ];
        for change in changes {
            let mut event = event();
            change(&mut event);
            assert_ne!(event.chained(ChainHead::START).head.hash, base);
        }
        assert_eq!(event().chained(ChainHead::START).head.hash, base);
    }

    #[test]
    fn an_event_hangs_on_the_one_before() {
        let first = event().chained(ChainHead::START).head;
        let second = event().chained(first);
        assert_eq!(second.head.sequence, 2);
        assert_eq!(second.previous_hash, first.hash);
        assert_ne!(second.head.hash, first.hash);
    }
}
