//! Which accounts are asked for.

use super::{Label, ServiceAccount, Timestamp};

/// What narrows a list of accounts. What is `None` or empty narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Those whose name has this in it, in upper or lower case.
    pub name: Option<String>,
    /// Those that have all these labels.
    pub labels: Vec<Label>,
    /// Those whose owner is this one, to the letter.
    pub owner: Option<String>,
    /// Those that are disabled, or those that are not.
    pub disabled: Option<bool>,
    /// Those not used for so many days. What was never used counts as used when it was created.
    pub unused_for_days: Option<u32>,
    /// Those with a living secret that expires within so many days. One that a rotation is ending does not count.
    pub secret_expires_within_days: Option<u32>,
}

impl AccountFilter {
    /// Whether it lets every account through.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// By when a secret must expire for its account to be let through at `now`. `None`: secrets do not matter.
    pub fn secret_expires_by(&self, now: Timestamp) -> Option<Timestamp> {
        self.secret_expires_within_days
            .map(|days| now.plus_days(days.into()))
    }

    /// Whether it lets `account` through at `now`, as far as the account itself tells: its secrets are for the store to look
    /// at.
    pub fn lets_through(&self, account: &ServiceAccount, now: Timestamp) -> bool {
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
    fn each_part_narrows_and_nothing_narrows_nothing() {
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
            let let_through = filter.lets_through(&account(), a_day_later);
            assert_eq!(let_through, expected, "{filter:?}");
        }
        let used = ServiceAccount {
            last_used_at: Some(Timestamp::from_millis(1001)),
            ..account()
        };
        assert!(!unused_for_days(1).lets_through(&used, a_day_later));
    }
}
