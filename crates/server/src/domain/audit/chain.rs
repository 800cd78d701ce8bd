//! The chain: each event holds the hash of the one before, and the organization the hash of the last.
//!
//! What is hashed is what is written down, text by text, so that whoever has the rows or an export can reckon every hash
//! again, and events of a newer build as well as of this one.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};

use super::{AuditEvent, OrganizationId, Timestamp};

/// The end of an organization's chain: how many events there are and the hash of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The sequence number of the last event; 0 before the first.
    pub sequence: i64,
    /// Its hash; zeros before the first.
    pub hash: [u8; 32],
}

impl ChainHead {
    /// The head before any event.
    pub const START: Self = Self {
        sequence: 0,
        hash: [0; 32],
    };
}

/// An event in its place in the chain, as it is written down. One that is read back holds whatever was found; whether that
/// is what was once written is for the [`Verifier`] to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainedEvent {
    /// Whose event it is.
    pub organization_id: OrganizationId,
    /// Its number; the first event of an organization has 1.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// Who, as [`Actor`](super::Actor) is spelled.
    pub actor: String,
    /// What, as [`Action`](super::Action) is spelled.
    pub action: String,
    /// Whom: the id of the thing that changed.
    pub target: String,
    /// The request that caused it. `None`: no request, a command.
    pub request_id: Option<String>,
    /// From where. `None`: from this machine, by command.
    pub address: Option<String>,
    /// The fields that changed and their new values.
    pub detail: BTreeMap<String, String>,
    /// The hash of the event before: 32 bytes.
    pub previous_hash: Vec<u8>,
}

impl AuditEvent {
    /// Puts the event behind `head`.
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
    /// SHA-256 over the previous hash and every field, each preceded by its length, so that no two different events are
    /// hashed alike.
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
        // Absent and empty are hashed alike, so the verifier refuses the empty one.
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

    fn has_empty_fields(&self) -> bool {
        [&self.request_id, &self.address]
            .into_iter()
            .any(|field| field.as_deref() == Some(""))
    }
}

/// Where a chain is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// The event of this number is another than was written.
    #[error("event {0} was altered")]
    Altered(i64),
    /// The events of these numbers are gone.
    #[error("{}", removed(*.first, *.last))]
    Removed {
        /// The first of them.
        first: i64,
        /// The last of them.
        last: i64,
    },
    /// An event of this number does not belong where it is.
    #[error("event {0} was inserted")]
    Inserted(i64),
    /// The event of this number does not follow the one before it, and neither is vouched for by the next.
    #[error(
        "event {0} does not follow the one before it: events were removed or inserted there and the others renumbered, \
         or both were altered"
    )]
    Unlinked(i64),
    /// The hash that was pinned is no event's.
    #[error(
        "no event has the pinned hash: the last events were removed, or the chain was written anew"
    )]
    NotPinned,
}

fn removed(first: i64, last: i64) -> String {
    if first == last {
        format!("event {first} was removed")
    } else {
        format!("events {first} to {last} were removed")
    }
}

/// Goes along the chain of one organization, event by event, and says where it is broken.
#[derive(Debug)]
pub struct Verifier {
    organization_id: OrganizationId,
    head: ChainHead,
    /// A hash that has to be that of some event. `None`: none has, or it was found.
    pinned: Option<[u8; 32]>,
    suspect: Option<Suspect>,
}

/// An event whose previous hash is not the hash of the event before. Either of the two was altered; the next event, or the
/// head, knows which.
#[derive(Debug)]
struct Suspect {
    sequence: i64,
    /// Its hash as it is, which the next event has if this one is whole.
    hash: [u8; 32],
    /// Its hash with the right previous hash, which the next event has if only that was altered.
    mended_hash: [u8; 32],
}

impl Suspect {
    fn verdict(&self, hash_found_next: &[u8]) -> BrokenChain {
        if hash_found_next == self.mended_hash {
            BrokenChain::Altered(self.sequence)
        } else if hash_found_next == self.hash {
            // Before the first event there is none to be altered.
            BrokenChain::Altered((self.sequence - 1).max(1))
        } else {
            BrokenChain::Unlinked(self.sequence)
        }
    }
}

impl Verifier {
    /// At the beginning of the chain of `organization_id`, in which an event has to have the hash `pinned`.
    pub const fn new(organization_id: OrganizationId, pinned: Option<[u8; 32]>) -> Self {
        Self {
            organization_id,
            head: ChainHead::START,
            pinned,
            suspect: None,
        }
    }

    /// Takes the next event, in the order of the numbers. `claimed_hash` is what an export says its hash to be; the store
    /// says nothing.
    pub fn take(
        &mut self,
        event: &ChainedEvent,
        claimed_hash: Option<&[u8]>,
    ) -> Result<(), BrokenChain> {
        if let Some(suspect) = &self.suspect {
            return Err(suspect.verdict(&event.previous_hash));
        }
        let hash = event.hash();
        if claimed_hash.is_some_and(|claimed| claimed != hash) || event.has_empty_fields() {
            return Err(BrokenChain::Altered(event.sequence));
        }
        let expected = self.head.sequence + 1;
        if event.sequence < expected || event.organization_id != self.organization_id {
            return Err(BrokenChain::Inserted(event.sequence));
        }
        if event.sequence > expected {
            return Err(BrokenChain::Removed {
                first: expected,
                last: event.sequence - 1,
            });
        }
        if event.previous_hash != self.head.hash {
            let mended = ChainedEvent {
                previous_hash: self.head.hash.into(),
                ..event.clone()
            };
            self.suspect = Some(Suspect {
                sequence: event.sequence,
                hash,
                mended_hash: mended.hash(),
            });
        }
        if self.pinned == Some(hash) {
            self.pinned = None;
        }
        self.head = ChainHead {
            sequence: event.sequence,
            hash,
        };
        Ok(())
    }

    /// Ends the chain at `head`, where that is known, and answers where it ends.
    pub fn finish(self, head: Option<ChainHead>) -> Result<ChainHead, BrokenChain> {
        let last = self.head.sequence;
        let head = head.unwrap_or(self.head);
        if head.sequence > last {
            return Err(BrokenChain::Removed {
                first: last + 1,
                last: head.sequence,
            });
        }
        if head.sequence < last {
            return Err(BrokenChain::Inserted(head.sequence + 1));
        }
        if let Some(suspect) = self.suspect {
            return Err(suspect.verdict(&head.hash));
        }
        if head.hash != self.head.hash {
            return Err(BrokenChain::Altered(last));
        }
        match self.pinned {
            Some(_) => Err(BrokenChain::NotPinned),
            None => Ok(head),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Action, Actor, ServiceAccountId};
    use super::*;

    const ORGANIZATION: OrganizationId = OrganizationId::from_bytes([1; 16]);

    fn event() -> AuditEvent {
        AuditEvent {
            organization_id: ORGANIZATION,
            at: Timestamp::from_millis(5),
            actor: Actor::Operator,
            action: Action::CreateServiceAccount,
            target: "t".to_owned(),
            request_id: None,
            address: None,
            detail: vec![("name", "CI".to_owned())],
        }
    }

    /// Six events, and the head behind them.
    fn chain() -> (Vec<ChainedEvent>, ChainHead) {
        let mut head = ChainHead::START;
        let mut events = Vec::new();
        for _ in 0..6 {
            let chained = event().chained(head);
            head = ChainHead {
                sequence: chained.sequence,
                hash: chained.hash(),
            };
            events.push(chained);
        }
        (events, head)
    }

    fn verify(events: &[ChainedEvent], head: Option<ChainHead>) -> Result<ChainHead, BrokenChain> {
        let mut verifier = Verifier::new(ORGANIZATION, None);
        for event in events {
            verifier.take(event, None)?;
        }
        verifier.finish(head)
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
    fn the_order_in_which_changes_are_named_does_not_matter() {
        let [mut there, mut back] = [event(), event()];
        there.detail = vec![("a", "1".to_owned()), ("b", "2".to_owned())];
        back.detail = there.detail.iter().rev().cloned().collect();
        let hash = |event: AuditEvent| event.chained(ChainHead::START).hash();
        assert_eq!(hash(there), hash(back));
    }

    #[test]
    fn a_whole_chain_ends_where_its_head_is() {
        let (events, head) = chain();
        assert_eq!(events[1].previous_hash, events[0].hash());
        assert_eq!(verify(&events, Some(head)), Ok(head));
        assert_eq!(verify(&events, None), Ok(head));
        assert_eq!(verify(&[], None), Ok(ChainHead::START));
    }

    #[test]
    fn an_altered_event_is_named_whichever_field_it_was() {
        let changes: [fn(&mut ChainedEvent); 8] = [
            |event| event.at = Timestamp::from_millis(6),
            |event| event.actor = "u".to_owned(),
            |event| event.action = String::new(),
            |event| event.target.push('!'),
            |event| event.request_id = Some(String::new()),
            |event| event.address = Some("::1".to_owned()),
            |event| event.detail.clear(),
            |event| event.previous_hash[31] ^= 1,
        ];
        let (events, head) = chain();
        for change in changes {
            for at in 0..events.len() {
                let mut altered = events.clone();
                change(&mut altered[at]);
                let broken = BrokenChain::Altered(altered[at].sequence);
                assert_eq!(verify(&altered, Some(head)), Err(broken));
            }
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let (events, head) = chain();
        for at in 0..events.len() {
            let mut fewer = events.clone();
            let sequence = fewer.remove(at).sequence;
            let broken = BrokenChain::Removed {
                first: sequence,
                last: sequence,
            };
            assert_eq!(verify(&fewer, Some(head)), Err(broken));
        }
        let broken = BrokenChain::Removed { first: 3, last: 6 };
        assert_eq!(verify(&events[..2], Some(head)), Err(broken));
        assert_eq!(broken.to_string(), "events 3 to 6 were removed");
        assert!(verify(&events[..2], None).is_ok(), "nothing tells");
    }

    #[test]
    fn what_was_added_is_named() {
        let (events, head) = chain();
        for at in 0..events.len() {
            let mut more = events.clone();
            more.insert(at, more[at].clone());
            let broken = BrokenChain::Inserted(more[at].sequence);
            assert_eq!(verify(&more, None), Err(broken));
        }
        let mut more = events.clone();
        more.push(event().chained(head));
        assert_eq!(verify(&more, Some(head)), Err(BrokenChain::Inserted(7)));
        let mut early = events.clone();
        early.insert(0, events[0].clone());
        early[0].sequence = 0;
        assert_eq!(verify(&early, Some(head)), Err(BrokenChain::Inserted(0)));
        let mut foreign = event();
        foreign.organization_id = OrganizationId::from_bytes([2; 16]);
        more[6] = foreign.chained(head);
        assert_eq!(verify(&more, None), Err(BrokenChain::Inserted(7)));
    }

    #[test]
    fn numbering_the_rest_anew_hides_nothing() {
        let (events, head) = chain();
        for at in 1..5 {
            let mut fewer = events.clone();
            fewer.remove(at);
            let mut more = events.clone();
            more.insert(at, more[at].clone());
            for (mut events, length) in [(fewer, 5), (more, 7)] {
                for (event, sequence) in events.iter_mut().zip(1..) {
                    event.sequence = sequence;
                }
                let head = ChainHead {
                    sequence: length,
                    ..head
                };
                assert!(verify(&events, Some(head)).is_err());
            }
        }
    }

    #[test]
    fn an_export_is_held_to_what_it_claims() {
        let (events, _) = chain();
        let mut altered = events[0].clone();
        altered.target.push('!');
        let mut verifier = Verifier::new(ORGANIZATION, None);
        let taken = verifier.take(&altered, Some(&events[0].hash()));
        assert_eq!(taken, Err(BrokenChain::Altered(1)));
    }

    #[test]
    fn a_pinned_hash_may_be_that_of_any_event() {
        let (events, head) = chain();
        let verify = |events: &[ChainedEvent], pinned| {
            let mut verifier = Verifier::new(ORGANIZATION, Some(pinned));
            for event in events {
                verifier.take(event, None)?;
            }
            verifier.finish(None)
        };
        assert!(verify(&events, head.hash).is_ok());
        assert!(verify(&events, events[2].hash()).is_ok());
        assert_eq!(verify(&events[..5], head.hash), Err(BrokenChain::NotPinned));
    }
}
