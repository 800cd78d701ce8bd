//! Changes of a service account's settings, and the settings as the audit trail writes them.

use super::{
    Description, GrantableScopes, InvalidLabels, Labels, Name, ScopeSet, ServiceAccount, Timestamp,
    service_account::account_settings, setting::Setting,
};

macro_rules! define_patch {
    ($($(#[$doc:meta])* $setting:ident $member:literal: $type:ty,)*) => {
        /// A change of an account's settings (RFC 7396), or the settings of a new account. `None` leaves a setting as it is;
        /// `Some(None)` removes its value.
        #[derive(Clone, Debug, Default)]
        pub struct AccountPatch {
            $($(#[$doc])* pub $setting: Option<<$type as Setting>::Patch>,)*
            /// Whether the account is disabled.
            pub disabled: Option<bool>,
        }

        impl AccountPatch {
            fn change_settings(&self, account: &mut ServiceAccount) -> Result<(), InvalidLabels> {
                $(if let Some(patch) = &self.$setting {
                    account.$setting = Setting::patched(&account.$setting, patch)?;
                })*
                Ok(())
            }
        }

        impl ServiceAccount {
            /// The settings under their names in the API, in alphabetical order. `None`: the setting has no value.
            fn detail(&self) -> Vec<(&'static str, Option<String>)> {
                let is_disabled = self.disabled_at.is_some();
                let mut detail = vec![
                    $(($member, self.$setting.to_detail()),)*
                    ("disabled", is_disabled.then(|| true.to_string())),
                ];
                detail.sort_unstable_by_key(|(member, _)| *member);
                detail
            }
        }
    };
}
account_settings!(define_patch);

impl AccountPatch {
    /// `account` with the patch applied at `now`. Its version grows if the patch changes a value.
    pub fn apply(
        &self,
        account: &ServiceAccount,
        now: Timestamp,
    ) -> Result<ServiceAccount, InvalidLabels> {
        let mut patched = account.clone();
        self.apply_to_new(&mut patched, now)?;
        if patched != *account {
            patched.version += 1;
            patched.updated_at = now;
        }
        Ok(patched)
    }

    /// Applies the patch at `now` to an account that nobody has seen yet: its version stays as it is.
    pub fn apply_to_new(
        &self,
        account: &mut ServiceAccount,
        now: Timestamp,
    ) -> Result<(), InvalidLabels> {
        self.change_settings(account)?;
        match self.disabled {
            Some(true) => account.disabled_at = account.disabled_at.or(Some(now)),
            Some(false) => account.disabled_at = None,
            None => {}
        }
        Ok(())
    }
}

impl ServiceAccount {
    /// The settings that differ from those `before`, under their names in the API, with their new values. A setting that lost
    /// its value is an empty text.
    pub fn changes_since(&self, before: &Self) -> Vec<(&'static str, String)> {
        let pairs = before.detail().into_iter().zip(self.detail());
        let changed = pairs.filter_map(|(before, after)| (before != after).then_some(after));
        changed
            .map(|(member, value)| (member, value.unwrap_or_default()))
            .collect()
    }

    /// The settings that have a value, under their names in the API.
    pub fn stated(&self) -> Vec<(&'static str, String)> {
        let detail = self.detail().into_iter();
        detail
            .filter_map(|(member, value)| Some((member, value?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OrganizationId, ServiceAccountId};

    #[test]
    fn a_patch_changes_what_it_names_and_the_detail_says_what_changed() {
        let name = |text: &str| Name::parse(text.to_owned()).unwrap();
        let at = Timestamp::from_millis;
        let before = ServiceAccount::new(
            ServiceAccountId::from_bytes([1; 16]),
            OrganizationId::from_bytes([2; 16]),
            name("CI"),
            at(1),
            None,
        );
        let patch = AccountPatch {
            name: Some(name("CD")),
            owner: Some(Some(name("Platform"))),
            disabled: Some(true),
            ..AccountPatch::default()
        };
        let after = patch.apply(&before, at(2)).unwrap();
        assert_eq!((after.version, after.updated_at), (2, at(2)));
        let text = |detail: &[(&str, String)]| format!("{detail:?}");
        assert_eq!(
            text(&after.changes_since(&before)),
            r#"[("disabled", "true"), ("name", "CD"), ("owner", "Platform")]"#
        );
        assert_eq!(
            text(&before.changes_since(&after)),
            r#"[("disabled", ""), ("name", "CI"), ("owner", "")]"#
        );
        assert_eq!(
            text(&after.stated()),
            r#"[("disabled", "true"), ("name", "CD"), ("owner", "Platform"), ("scopes", "")]"#
        );
        assert_eq!(patch.apply(&after, at(3)).unwrap(), after);
    }
}
