//! What is to change of an account.

use super::{Description, InvalidLabels, LabelsPatch, Name, ScopeSet, ServiceAccount, Timestamp};

/// What is to change of an account, member by member (RFC 7396): `None` leaves the member as it is, `Some(None)` takes its
/// value away.
#[derive(Clone, Debug, Default)]
pub struct AccountPatch {
    /// Its display name.
    pub name: Option<Name>,
    /// What it is for.
    pub description: Option<Option<Description>>,
    /// What it may ask for.
    pub scopes: Option<ScopeSet>,
    /// Whether it is switched off.
    pub disabled: Option<bool>,
    /// Who answers for it.
    pub owner: Option<Option<Name>>,
    /// What it is sorted by.
    pub labels: Option<LabelsPatch>,
    /// How long its tokens live, in seconds.
    pub token_lifetime_seconds: Option<Option<u32>>,
    /// When it expires.
    pub expires_at: Option<Option<Timestamp>>,
}

impl AccountPatch {
    /// The account as the patch changes it at `now`. If it changes nothing, it is as it was, to its version.
    pub fn apply(
        &self,
        account: &ServiceAccount,
        now: Timestamp,
    ) -> Result<ServiceAccount, InvalidLabels> {
        let mut patched = account.clone();
        set(&mut patched.name, &self.name);
        set(&mut patched.description, &self.description);
        set(&mut patched.scopes, &self.scopes);
        set(&mut patched.owner, &self.owner);
        set(
            &mut patched.token_lifetime_seconds,
            &self.token_lifetime_seconds,
        );
        set(&mut patched.expires_at, &self.expires_at);
        if let Some(labels) = &self.labels {
            patched.labels = account.labels.patched(labels)?;
        }
        match self.disabled {
            Some(true) => patched.disabled_at = account.disabled_at.or(Some(now)),
            Some(false) => patched.disabled_at = None,
            None => {}
        }
        if patched != *account {
            patched.version += 1;
            patched.updated_at = now;
        }
        Ok(patched)
    }
}

fn set<T: Clone>(member: &mut T, new: &Option<T>) {
    if let Some(new) = new {
        member.clone_from(new);
    }
}

/// A member of an account as clients see it: its name, and its value as text. `None`: it has no value.
type Member = (&'static str, Option<String>);

impl ServiceAccount {
    /// The members in which the account differs from what it was, with their new values; empty where there is none now.
    pub fn changes_since(&self, before: &Self) -> Vec<(&'static str, String)> {
        let pairs = before.members().into_iter().zip(self.members());
        let changed = pairs.filter_map(|(before, after)| (before != after).then_some(after));
        changed
            .map(|(name, value)| (name, value.unwrap_or_default()))
            .collect()
    }

    /// The members that have a value.
    pub fn stated(&self) -> Vec<(&'static str, String)> {
        let members = self.members().into_iter();
        members
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// What can be said of an account, in alphabetical order.
    fn members(&self) -> [Member; 8] {
        let name = |name: &Name| name.as_str().to_owned();
        let description = self.description.as_ref();
        let is_disabled = self.disabled_at.is_some();
        let has_labels = !self.labels.is_empty();
        [
            (
                "description",
                description.map(|text| text.as_str().to_owned()),
            ),
            ("disabled", is_disabled.then(|| true.to_string())),
            ("expiresAt", self.expires_at.map(|at| at.to_string())),
            ("labels", has_labels.then(|| self.labels.to_text())),
            ("name", Some(name(&self.name))),
            ("owner", self.owner.as_ref().map(name)),
            ("scopes", Some(self.scopes.to_string())),
            (
                "tokenLifetimeSeconds",
                self.token_lifetime_seconds
                    .map(|seconds| seconds.to_string()),
            ),
        ]
    }
}
