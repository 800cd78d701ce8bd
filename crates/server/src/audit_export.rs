//! Audit events as the API answers them and as an export contains them, one JSON object per line.

use prokura_wire as wire;
use serde_json::Value;

use crate::domain::{ChainedEvent, OrganizationId, Timestamp};

/// The event as the API answers it.
pub(crate) fn to_wire(event: &ChainedEvent) -> wire::AuditEvent {
    wire::AuditEvent {
        organization_id: event.organization_id.to_string(),
        sequence: event.sequence,
        at: event.at.to_string(),
        actor: event.actor.clone(),
        action: event.action.clone(),
        target: event.target.clone(),
        request_id: event.request_id.clone(),
        address: event.address.clone(),
        changes: event.detail.clone(),
        previous_hash: base16ct::lower::encode_string(&event.previous_hash),
        hash: base16ct::lower::encode_string(&event.hash()),
    }
}

/// The event as one line of an export, without the line break.
///
/// # Panics
///
/// Never: an event is made of strings and numbers.
pub fn to_line(event: &ChainedEvent) -> String {
    serde_json::to_string(&to_wire(event)).expect("an event is made of strings and numbers")
}

/// Parses one line of an export. Returns the event and the hash that the line claims for it; whether the claim is true is for
/// the caller to verify. `None`: the line is not an event as [`to_wire`] writes it, or has further members.
pub fn parse_line(line: &str) -> Option<(ChainedEvent, Vec<u8>)> {
    let read = serde_json::from_str::<wire::AuditEvent>(line).ok()?;
    let event = ChainedEvent {
        organization_id: OrganizationId::parse(&read.organization_id)?,
        sequence: read.sequence,
        at: Timestamp::parse_rfc3339(&read.at)?,
        actor: read.actor,
        action: read.action,
        target: read.target,
        request_id: read.request_id,
        address: read.address,
        detail: read.changes,
        previous_hash: base16ct::lower::decode_vec(&read.previous_hash).ok()?,
    };
    let claimed_hash = base16ct::mixed::decode_vec(&read.hash).ok()?;
    // Written again with the claimed hash, the event must give the same JSON. So the line has nothing that was not parsed.
    let written = wire::AuditEvent {
        hash: read.hash,
        ..to_wire(&event)
    };
    let is_all = serde_json::to_value(written).ok()? == serde_json::from_str::<Value>(line).ok()?;
    is_all.then_some((event, claimed_hash))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn event() -> ChainedEvent {
        ChainedEvent {
            organization_id: OrganizationId::from_bytes([1; 16]),
            sequence: 3,
            at: Timestamp::from_millis(1_795_435_200_000),
            actor: "operator".to_owned(),
            action: "rotate_secret".to_owned(),
            target: "t".to_owned(),
            request_id: None,
            address: Some("::1".to_owned()),
            detail: BTreeMap::from([("name".to_owned(), "CI \"\u{1f600}\"\n".to_owned())]),
            previous_hash: vec![0xa5; 32],
        }
    }

    #[test]
    fn an_exported_event_is_parsed_back() {
        let line = serde_json::to_string(&to_wire(&event())).unwrap();
        assert!(!line.contains('\n'));
        let (read, claimed_hash) = parse_line(&line).unwrap();
        assert_eq!(read, event());
        assert_eq!(claimed_hash, event().hash());
    }

    #[test]
    fn a_line_with_more_or_less_than_an_event_is_refused() {
        let line = serde_json::to_string(&to_wire(&event())).unwrap();
        for (this, that) in [
            ("{\"organizationId\"", "{\"note\":1,\"organizationId\""),
            ("\"requestId\":null,", ""),
            ("12:00:00.000Z", "12:00:00Z"),
            ("01010101-", "01010101"),
            ("a5a5", "A5a5"),
            ("a5a5", "a5a"),
            ("\"sequence\":3", "\"sequence\":\"3\""),
            ("\"sequence\":3", "\"sequence\":3,\"sequence\":4"),
        ] {
            let other = line.replacen(this, that, 1);
            assert_ne!(other, line);
            assert!(parse_line(&other).is_none(), "{other}");
        }
        assert!(parse_line("").is_none());
    }
}
