//! The filter of a list of service accounts.

use super::{Label, ServiceAccount, Timestamp};

/// Selects accounts. An account must match every part that is not `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Part of the name, in upper or lower case.
    pub name: Option<String>,
    /// Labels that the account must all have.
    pub labels: Vec<Label>,
    /// The exact owner.
    pub owner: Option<String>,
    /// Whether the account is disabled.
    pub disabled: Option<bool>,
    /// For how many days the account has not been used. An account that was never used counts from its creation.
    pub unused_for_days: Option<u32>,
    /// Within how many days a live secret of the account expires. Secrets that a rotation is replacing do not count.
    pub secret_expires_within_days: Option<u32>,
}

impl AccountFilter {
    /// Whether every account matches.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The instant by which a secret must expire for its account to match at `now`. `None`: secrets do not matter.
    pub fn secret_expires_by(&self, now: Timestamp) -> Option<Timestamp> {
        self.secret_expires_within_days
            .map(|days| now.plus_days(days.into()))
    }

    /// Whether `account` matches at `now`, apart from its secrets, which the store checks.
    pub fn matches(&self, account: &ServiceAccount, now: Timestamp) -> bool {
        let unused_since = self
            .unused_for_days
            .map(|days| now.plus_days(-i64::from(days)));
        let used_at = account.last_used_at.unwrap_or(account.created_at);
        let owner = account.owner.as_ref().map(|owner| owner.as_str());
        let is_disabled = account.disabled_at.is_some();
        self.name
            .as_ref()
            .is_none_or(|part| contains_ignoring_case(account.name.as_str(), part))
            && self
                .labels
                .iter()
                .all(|label| account.labels.contains(label))
            && (self.owner.is_none() || self.owner.as_deref() == owner)
            && self.disabled.is_none_or(|asked| asked == is_disabled)
            && unused_since.is_none_or(|since| used_at <= since)
    }
}

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Labels, LabelsPatch, Name, OrganizationId, ServiceAccountId};

    fn account() -> ServiceAccount {
        let labels = LabelsPatch::Merge(vec![("env".to_owned(), Some("prod:eu".to_owned()))]);
        let name = |text: &str| Name::parse(text.to_owned()).unwrap();
        ServiceAccount {
            owner: Some(name("Platform")),
            labels: Labels::default().patched(&labels).unwrap(),
            ..ServiceAccount::new(
                ServiceAccountId::from_bytes([1; 16]),
                OrganizationId::from_bytes([2; 16]),
                name("Übersetzer CI"),
                Timestamp::from_millis(1000),
                None,
            )
        }
    }

    #[test]
    fn an_account_must_match_every_part() {
        let none = AccountFilter::default;
        let name = |part: &str| AccountFilter {
            name: Some(part.to_owned()),
            ..none()
        };
        let label = |text: &str| AccountFilter {
            labels: vec![Label::parse(text).unwrap()],
            ..none()
        };
        let owner = |text: &str| AccountFilter {
            owner: Some(text.to_owned()),
            ..none()
        };
        let disabled = |asked| AccountFilter {
            disabled: Some(asked),
            ..none()
        };
        let unused_for_days = |days| AccountFilter {
            unused_for_days: Some(days),
            ..none()
        };
        const DAY_MS: i64 = 24 * 3600 * 1000;
        let a_day_later = Timestamp::from_millis(1000 + DAY_MS);
        for (filter, expected) in [
            (none(), true),
            (name("übersetzer"), true),
            (name("ER ci"), true),
            (name("deploy"), false),
            (label("env:prod:eu"), true),
            (label("env:prod"), false),
            (label("tier:"), false),
            (owner("Platform"), true),
            (owner("platform"), false),
            (disabled(false), true),
            (disabled(true), false),
            (unused_for_days(0), true),
            (unused_for_days(1), true),
            (unused_for_days(2), false),
        ] {
            let matched = filter.matches(&account(), a_day_later);
            assert_eq!(matched, expected, "{filter:?}");
        }
        let used = ServiceAccount {
            last_used_at: Some(Timestamp::from_millis(1001)),
            ..account()
        };
        assert!(!unused_for_days(1).matches(&used, a_day_later));
    }
}
