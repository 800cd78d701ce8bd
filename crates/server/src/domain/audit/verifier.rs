//! The verifier of a hash chain: it finds events that were altered, removed or inserted.

use super::chain::{ChainHead, ChainedEvent};
use crate::domain::OrganizationId;

/// The first place where a chain differs from what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// The event with this number was altered.
    #[error("event {0} was altered")]
    Altered(i64),
    /// The events with these numbers are missing.
    #[error("{}", removed(*.first, *.last))]
    Removed {
        /// The first missing number.
        first: i64,
        /// The last missing number.
        last: i64,
    },
    /// The event with this number does not belong in the chain.
    #[error("event {0} was inserted")]
    Inserted(i64),
    /// The event with this number does not follow the event before it, and the next event confirms neither of the two.
    #[error(
        "event {0} does not follow the event before it: events were removed or inserted there and the rest renumbered, or \
         both events were altered"
    )]
    Unlinked(i64),
    /// No event has the pinned hash.
    #[error(
        "no event has the pinned hash: the last events were removed, or the whole chain was rewritten"
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

/// Verifies the chain of one organization, event by event.
#[derive(Debug)]
pub struct Verifier {
    organization_id: OrganizationId,
    head: ChainHead,
    /// A hash that one of the events must have. `None`: no hash was pinned, or its event was found.
    pinned: Option<[u8; 32]>,
    suspect: Option<Suspect>,
}

/// An event whose `previous_hash` is not the hash of the event before. One of the two was altered. The next event, or the
/// head, tells which.
#[derive(Debug)]
struct Suspect {
    sequence: i64,
    /// The hash of the event as it is. The next event contains it if this event is unaltered.
    hash: [u8; 32],
    /// The hash of the event with the correct `previous_hash`. The next event contains it if only that field was altered.
    mended_hash: [u8; 32],
}

impl Suspect {
    fn verdict(&self, hash_found_next: &[u8]) -> BrokenChain {
        if hash_found_next == self.mended_hash {
            BrokenChain::Altered(self.sequence)
        } else if hash_found_next == self.hash {
            // There is no event before the first one.
            BrokenChain::Altered((self.sequence - 1).max(1))
        } else {
            BrokenChain::Unlinked(self.sequence)
        }
    }
}

impl Verifier {
    /// Starts at the beginning of the chain of `organization_id`. With `pinned`, one of its events must have that hash.
    pub const fn new(organization_id: OrganizationId, pinned: Option<[u8; 32]>) -> Self {
        Self {
            organization_id,
            head: ChainHead::START,
            pinned,
            suspect: None,
        }
    }

    /// Verifies the next event. Events come in the order of their numbers. `claimed_hash` is the hash that an export states
    /// for the event. `None`: the event comes from the database, which stores no hash.
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

    /// Finishes the verification and returns the end of the chain. `head` is the end that the database states, if known.
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
    use super::*;
    use crate::domain::{Action, Actor, AuditEvent, Timestamp};

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

    /// A chain of six events, and its head.
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
    fn an_unaltered_chain_is_verified_up_to_its_head() {
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
    fn removed_events_are_named() {
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
        assert!(
            verify(&events[..2], None).is_ok(),
            "without a head the end cannot be verified"
        );
    }

    #[test]
    fn inserted_events_are_named() {
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
    fn renumbering_the_rest_hides_nothing() {
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
    fn the_hashes_that_an_export_states_are_verified() {
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
