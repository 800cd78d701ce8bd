//! The hash chain of an organization: each event contains the hash of the event before, and the organization the hash of
//! the last event.
//!
//! The hash covers the texts as they are stored. So the rows or an export are enough to compute every hash again, also for
//! events that a newer version wrote.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};

use super::event::AuditEvent;
use crate::domain::{OrganizationId, Timestamp};

/// The end of an organization's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The sequence number of the last event. 0: there is no event.
    pub sequence: i64,
    /// The hash of the last event. Zeros: there is no event.
    pub hash: [u8; 32],
}

impl ChainHead {
    /// The head of a chain without events.
    pub const START: Self = Self {
        sequence: 0,
        hash: [0; 32],
    };
}

/// An event in the chain, as it is stored. After reading, it contains whatever the database contained; only
/// [`Verifier`](super::Verifier) says whether that is what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainedEvent {
    /// The organization that the event belongs to.
    pub organization_id: OrganizationId,
    /// The sequence number. The first event of an organization has 1.
    pub sequence: i64,
    /// When it happened.
    pub at: Timestamp,
    /// The text of an [`Actor`](super::Actor).
    pub actor: String,
    /// The name of an [`Action`](super::Action).
    pub action: String,
    /// The id of the object that changed.
    pub target: String,
    /// The id of the request that caused it. `None`: a command caused it.
    pub request_id: Option<String>,
    /// The address of the client. `None`: a command caused it, or the refused logins came from several addresses.
    pub address: Option<String>,
    /// The changed fields and their new values; for refused logins the counts by reason.
    pub detail: BTreeMap<String, String>,
    /// The hash of the event before, 32 bytes.
    pub previous_hash: Vec<u8>,
}

impl AuditEvent {
    /// Appends the event to the chain that ends with `head`.
    pub fn chained(&self, head: ChainHead) -> ChainedEvent {
        ChainedEvent {
            organization_id: self.organization_id,
            sequence: head.sequence + 1,
            at: self.at,
            actor: self.actor.to_string(),
            action: self.action.as_str().to_owned(),
            target: self.target.clone(),
            request_id: self.request_id.clone(),
            address: self.address.map(|address| address.to_string()),
            detail: self
                .detail
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            previous_hash: head.hash.into(),
        }
    }
}

impl ChainedEvent {
    /// SHA-256 over the previous hash and every field. Each field is preceded by its length, so two different events never
    /// have the same input.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Context::new(&SHA256);
        let mut field = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        field(b"prokura audit event v1");
        field(&self.previous_hash);
        field(self.organization_id.as_bytes());
        field(&self.sequence.to_be_bytes());
        field(&self.at.as_millis().to_be_bytes());
        field(self.actor.as_bytes());
        field(self.action.as_bytes());
        field(self.target.as_bytes());
        // `None` and an empty text have the same hash, so the verifier refuses an empty text.
        field(self.request_id.as_deref().unwrap_or_default().as_bytes());
        field(self.address.as_deref().unwrap_or_default().as_bytes());
        field(&(self.detail.len() as u64).to_be_bytes());
        for (name, value) in &self.detail {
            field(name.as_bytes());
            field(value.as_bytes());
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.finish().as_ref());
        bytes
    }

    pub(super) fn has_empty_fields(&self) -> bool {
        [&self.request_id, &self.address]
            .into_iter()
            .any(|field| field.as_deref() == Some(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Action, Actor, ServiceAccountId};

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
        let hash = |event: AuditEvent| event.chained(ChainHead::START).hash();
        let base = hash(event());
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
            assert_ne!(hash(event), base);
        }
        assert_eq!(hash(event()), base);
    }

    #[test]
    fn the_order_of_the_changes_does_not_matter() {
        let [mut there, mut back] = [event(), event()];
        there.detail = vec![("a", "1".to_owned()), ("b", "2".to_owned())];
        back.detail = there.detail.iter().rev().cloned().collect();
        let hash = |event: AuditEvent| event.chained(ChainHead::START).hash();
        assert_eq!(hash(there), hash(back));
    }
}
