//! Who may change which account. Three rules decide, and they are in this file:
//!
//! * **Empower.** To make an account usable or more powerful the caller must be allowed to grant every scope that the account has
//!   at that moment. An account may always rotate itself.
//! * **Weaken.** To take from, disable or delete an account that holds management scopes, or to end its secrets or tokens, the
//!   caller must be allowed to grant those management scopes. An account may always do this to itself.
//! * **The last administrator.** An organization always keeps one usable account that holds `management:all` and can log in. The
//!   database guards it; [`needs_other_administrator`] says when.

use super::{
    GrantableScopes, MANAGEMENT_ALL, MANAGEMENT_SCOPES, ScopeSet, ServiceAccount, ServiceAccountId,
    Timestamp,
};

/// What a caller may grant.
#[derive(Clone, Debug)]
pub struct Rights {
    /// The account of the caller.
    pub account: ServiceAccountId,
    /// The scopes of the caller's token that its account still holds.
    pub scopes: ScopeSet,
    /// The grantable scopes of the caller's account.
    pub grantable: GrantableScopes,
}

impl Rights {
    /// Whether the caller may grant `entry`, a scope or an entry of a list of grantable scopes: a holder of `management:all`
    /// everything, others the management scopes that they hold and what their grantable scopes cover.
    fn may_grant(&self, entry: &str) -> bool {
        self.scopes.holds(MANAGEMENT_ALL)
            || if MANAGEMENT_SCOPES.contains(&entry) {
                self.scopes.holds(entry)
            } else {
                self.grantable.covers(entry)
            }
    }

    /// What the caller lacks to make `account` usable or more powerful, `account` being as it is afterwards. Empty: it may.
    pub fn missing_to_empower(&self, account: &ServiceAccount) -> Vec<String> {
        let grantable = account.grantable_scopes.entries().iter();
        self.missing(account.scopes.iter().chain(grantable))
    }

    /// What the caller lacks to get a secret of `account`, or to keep one alive. Its own account needs no right to grant, but
    /// the token must have the management scopes of the account: a narrow token must not become a wide one.
    pub fn missing_for_secret(&self, account: &ServiceAccount) -> Vec<String> {
        if account.id == self.account {
            self.missing(management_scopes(account))
        } else {
            self.missing_to_empower(account)
        }
    }

    /// What the caller lacks to take something from `account`, `account` being as it was before.
    pub fn missing_to_weaken(&self, account: &ServiceAccount) -> Vec<String> {
        if account.id == self.account {
            Vec::new()
        } else {
            self.missing(management_scopes(account))
        }
    }

    /// What the caller lacks to change an account from `before` to `after`.
    pub fn missing_to_update(
        &self,
        before: &ServiceAccount,
        after: &ServiceAccount,
    ) -> Vec<String> {
        let mut missing = Vec::new();
        if is_weaker(after, before) {
            missing.extend(self.missing_to_weaken(before));
        }
        if is_weaker(before, after) {
            missing.extend(self.missing_to_empower(after));
        }
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    fn missing<'a>(&self, wanted: impl Iterator<Item = &'a str>) -> Vec<String> {
        wanted
            .filter(|entry| !self.may_grant(entry))
            .map(str::to_owned)
            .collect()
    }
}

/// Whether an organization needs an administrator besides `before` when `before` becomes `after` (`None`: is deleted or loses a
/// secret) at `now`.
pub fn needs_other_administrator(
    before: &ServiceAccount,
    after: Option<&ServiceAccount>,
    now: Timestamp,
) -> bool {
    is_usable_administrator(before, now)
        && !after.is_some_and(|after| is_usable_administrator(after, now))
}

fn is_usable_administrator(account: &ServiceAccount, now: Timestamp) -> bool {
    account.scopes.contains(MANAGEMENT_ALL)
        && account.disabled_at.is_none()
        && account.expires_at.is_none_or(|end| now < end)
}

fn management_scopes(account: &ServiceAccount) -> impl Iterator<Item = &str> {
    let scopes = account.scopes.iter();
    scopes.filter(|scope| MANAGEMENT_SCOPES.contains(scope))
}

/// Whether `one` lacks something that `other` has: a scope, a grantable scope, being enabled, or time until its expiry.
fn is_weaker(one: &ServiceAccount, other: &ServiceAccount) -> bool {
    let lacks = |one: &ScopeSet, other: &ScopeSet| other.iter().any(|scope| !one.contains(scope));
    let end = |account: &ServiceAccount| account.expires_at.map_or(i64::MAX, Timestamp::as_millis);
    lacks(&one.scopes, &other.scopes)
        || lacks(
            one.grantable_scopes.entries(),
            other.grantable_scopes.entries(),
        )
        || (one.disabled_at.is_some() && other.disabled_at.is_none())
        || end(one) < end(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, OrganizationId};

    fn account(id: u8, scopes: &str) -> ServiceAccount {
        let name = Name::parse("CI".to_owned()).unwrap();
        let at = Timestamp::from_millis(0);
        let id = ServiceAccountId::from_bytes([id; 16]);
        let organization = OrganizationId::from_bytes([9; 16]);
        ServiceAccount {
            scopes: ScopeSet::from_tokens(scopes.split(' ').filter(|scope| !scope.is_empty()))
                .unwrap(),
            ..ServiceAccount::new(id, organization, name, at, None)
        }
    }

    fn caller(scopes: &str, grantable: &[&str]) -> Rights {
        Rights {
            account: ServiceAccountId::from_bytes([1; 16]),
            scopes: ScopeSet::parse(scopes).unwrap(),
            grantable: GrantableScopes::parse(grantable.iter().copied()).unwrap(),
        }
    }

    #[test]
    fn a_robot_gets_secrets_of_what_it_may_grant() {
        let robot = caller("management:service-accounts:rotate", &["orders:*"]);
        let missing = |scopes| robot.missing_for_secret(&account(2, scopes));
        assert!(missing("").is_empty());
        assert!(missing("orders:read orders:write").is_empty());
        assert_eq!(missing("orders:read stock:read"), ["stock:read"]);
        assert_eq!(missing("management:all"), [MANAGEMENT_ALL]);
        assert!(missing("management:service-accounts:rotate").is_empty());
    }

    #[test]
    fn an_account_gives_itself_what_its_token_has() {
        let narrow = caller("management:service-accounts:write", &[]);
        let own = account(
            1,
            "management:all management:service-accounts:write orders:read",
        );
        assert_eq!(narrow.missing_for_secret(&own), [MANAGEMENT_ALL]);
        assert!(narrow.missing_to_weaken(&own).is_empty());
        let whole = caller("management:service-accounts:write", &[]);
        let own = account(1, "management:service-accounts:write orders:read");
        assert!(whole.missing_for_secret(&own).is_empty());
        assert_eq!(whole.missing_to_empower(&own), ["orders:read"]);
    }

    #[test]
    fn an_update_may_empower_and_weaken() {
        let write = caller("management:service-accounts:write", &["orders:*"]);
        let at = Timestamp::from_millis;
        let admin = account(2, "management:all");
        let plain = account(2, "orders:read stock:read");
        let with = |account: &ServiceAccount, change: fn(&mut ServiceAccount)| {
            let mut changed = account.clone();
            change(&mut changed);
            changed
        };
        let disabled =
            |account: &mut ServiceAccount| account.disabled_at = Some(Timestamp::from_millis(1));
        let expiring =
            |account: &mut ServiceAccount| account.expires_at = Some(Timestamp::from_millis(1));
        let renamed =
            |account: &mut ServiceAccount| account.name = Name::parse("New".to_owned()).unwrap();
        let missing = |before: &ServiceAccount, after: &ServiceAccount| {
            write.missing_to_update(before, after)
        };
        // Administrators are neither weakened nor revived.
        for change in [disabled, expiring] {
            let changed = with(&admin, change);
            assert_eq!(missing(&admin, &changed), [MANAGEMENT_ALL]);
            assert_eq!(missing(&changed, &admin), [MANAGEMENT_ALL]);
            // Others are weakened freely, and revived by those who may grant everything.
            let changed = with(&plain, change);
            assert!(missing(&plain, &changed).is_empty());
            assert_eq!(missing(&changed, &plain), ["stock:read"]);
        }
        assert!(missing(&admin, &with(&admin, renamed)).is_empty());
        // A scope is taken and another one added.
        let moved = account(2, "orders:write");
        assert!(missing(&plain, &moved).is_empty());
        assert_eq!(missing(&moved, &plain), ["stock:read"]);
        assert!(needs_other_administrator(&admin, None, at(0)));
        assert!(needs_other_administrator(
            &admin,
            Some(&with(&admin, disabled)),
            at(0)
        ));
        assert!(!needs_other_administrator(
            &admin,
            Some(&with(&admin, renamed)),
            at(0)
        ));
        assert!(needs_other_administrator(
            &admin,
            Some(&with(&admin, expiring)),
            at(1)
        ));
        assert!(!needs_other_administrator(
            &admin,
            Some(&with(&admin, expiring)),
            at(0)
        ));
        assert!(!needs_other_administrator(
            &with(&admin, disabled),
            None,
            at(0)
        ));
    }
}
