//! The objects of the API as rows of a table, or as lines.

use std::collections::BTreeMap;

use prokura_client::wire::{
    AuditEvent, DailyUsage, IntrospectionResponse, ServiceAccount, ServiceAccountSecret,
};

use super::print::{Cell, Listed};

impl Listed for ServiceAccount {
    const COLUMNS: &'static [&'static str] =
        &["ID", "NAME", "STATE", "OWNER", "LABELS", "LAST USED"];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::plain(&self.id),
            Cell::plain(&self.name),
            state(self.disabled),
            text(self.owner.as_deref(), "-"),
            labels(&self.labels),
            instant(self.last_used_at.as_deref(), "never"),
        ]
    }
}

impl Listed for ServiceAccountSecret {
    const COLUMNS: &'static [&'static str] = &[
        "ID",
        "HINT",
        "STATE",
        "CREATED",
        "EXPIRES",
        "LAST USED",
        "SAFE TO REVOKE",
    ];

    fn cells(&self) -> Vec<Cell> {
        let state = match self.state.as_str() {
            "active" => Cell::good("active"),
            "retiring" => Cell::warning("retiring"),
            other => Cell::faint(other),
        };
        let safe = if self.safe_to_revoke {
            Cell::good("yes")
        } else {
            Cell::plain("no")
        };
        vec![
            Cell::plain(&self.id),
            Cell::plain(&self.hint),
            state,
            instant(Some(&self.created_at), ""),
            instant(self.expires_at.as_deref(), "never"),
            instant(self.last_used_at.as_deref(), "-"),
            safe,
        ]
    }
}

impl Listed for DailyUsage {
    const COLUMNS: &'static [&'static str] = &["DATE", "TOKENS ISSUED", "TOKENS REFUSED"];

    fn cells(&self) -> Vec<Cell> {
        let refused = self.tokens_refused.to_string();
        vec![
            Cell::plain(&self.date),
            Cell::plain(self.tokens_issued.to_string()),
            if self.tokens_refused > 0 {
                Cell::warning(refused)
            } else {
                Cell::plain(refused)
            },
        ]
    }
}

impl Listed for AuditEvent {
    const COLUMNS: &'static [&'static str] = &[
        "NUMBER", "AT", "ACTOR", "ADDRESS", "ACTION", "TARGET", "CHANGES",
    ];

    fn cells(&self) -> Vec<Cell> {
        let changes = self.changes.iter();
        let changes = changes.map(|(field, value)| format!("{field}={value}"));
        vec![
            Cell::plain(self.sequence.to_string()),
            instant(Some(&self.at), ""),
            Cell::plain(&self.actor),
            text(self.address.as_deref(), "-"),
            Cell::plain(&self.action),
            Cell::plain(&self.target),
            Cell::plain(changes.collect::<Vec<_>>().join(", ")),
        ]
    }
}

/// The claims of a token.
pub(crate) fn introspection(said: &IntrospectionResponse) -> Vec<(&'static str, Cell)> {
    let mut lines = vec![(
        "Active",
        if said.active {
            Cell::good("yes")
        } else {
            Cell::bad("no")
        },
    )];
    let instant = |seconds: Option<i64>| {
        let instant = jiff::Timestamp::from_second(seconds?).ok()?;
        Some(instant.to_string())
    };
    let known = [
        ("Client ID", said.client_id.clone()),
        ("Scope", said.scope.clone()),
        ("Audience", said.aud.clone()),
        ("Issuer", said.iss.clone()),
        ("Issued", instant(said.iat)),
        ("Expires", instant(said.exp)),
        ("Token ID", said.jti.clone()),
    ];
    let known = known.into_iter();
    let known = known.filter_map(|(name, value)| Some((name, Cell::plain(value?))));
    lines.extend(known);
    lines
}

/// Whether an account is enabled.
pub(super) fn state(disabled: bool) -> Cell {
    if disabled {
        Cell::bad("disabled")
    } else {
        Cell::good("enabled")
    }
}

/// A text, or `absent`.
pub(super) fn text(text: Option<&str>, absent: &str) -> Cell {
    text.map_or_else(|| Cell::faint(absent), Cell::plain)
}

/// Labels as `key:value`.
pub(super) fn labels(labels: &BTreeMap<String, String>) -> Cell {
    let labels = labels.iter().map(|(key, value)| format!("{key}:{value}"));
    joined(labels, ", ", "-")
}

/// Texts in one cell, or `none`.
pub(super) fn joined(texts: impl Iterator<Item = String>, separator: &str, none: &str) -> Cell {
    let texts = texts.collect::<Vec<_>>();
    match texts.as_slice() {
        [] => Cell::faint(none),
        texts => Cell::plain(texts.join(separator)),
    }
}

/// A time in UTC, truncated to seconds, or `absent`.
pub(super) fn instant(instant: Option<&str>, absent: &str) -> Cell {
    let Some(instant) = instant else {
        return Cell::faint(absent);
    };
    // 2026-11-23T12:00:00.000Z
    match (instant.get(..10), instant.get(11..19)) {
        (Some(date), Some(time)) => Cell::plain(format!("{date} {time}Z")),
        _ => Cell::plain(instant),
    }
}
