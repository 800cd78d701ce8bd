//! The columns of a service account: their names, their values, and how a row is read.
//!
//! The settings come from [`account_settings`]: a setting whose type is known here needs no line in this file.

use std::sync::LazyLock;

use super::database::{Column, DatabaseError, Row, Value};
use crate::domain::{
    Description, GrantableScopes, Labels, Name, ScopeSet, ServiceAccount, Timestamp,
    account_settings,
};

macro_rules! names {
    ($($(#[$doc:meta])* $setting:ident $member:literal: $type:ty,)*) => {
        [$(stringify!($setting)),*]
    };
}

/// Columns that never change.
const FIXED: [&str; 4] = ["id", "organization_id", "created_at", "created_by"];
/// Columns that an update writes.
const SETTINGS: &[&str] = &account_settings!(names);
/// Columns that an update writes beside the settings.
const STATE: [&str; 3] = ["disabled_at", "version", "updated_at"];
/// Columns that only other operations change.
const USE: [&str; 2] = ["token_epoch", "last_used_at"];

/// The columns of the table `a`, as [`account`] reads them: `a.id, a.organization_id, ...`.
pub(super) static SELECTED: LazyLock<String> =
    LazyLock::new(|| list(columns().map(|column| format!("a.{column}"))));

/// `INSERT INTO service_accounts (id, ...) VALUES ($1, ...)`, for the values of [`inserted`].
pub(super) static INSERT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO service_accounts ({}) VALUES ({})",
        list(columns().map(str::to_owned)),
        list((1..=columns().count()).map(|number| format!("${number}"))),
    )
});

/// The number of the first parameter in [`ASSIGNED`].
const FIRST_ASSIGNED: usize = 4;
/// `name = $4, ...`, for the values of [`assigned`]. The parameters before are the caller's.
pub(super) static ASSIGNED: LazyLock<String> = LazyLock::new(|| {
    let columns = SETTINGS.iter().chain(&STATE);
    list(
        (FIRST_ASSIGNED..)
            .zip(columns)
            .map(|(number, column)| format!("{column} = ${number}")),
    )
});

fn columns() -> impl Iterator<Item = &'static str> {
    [&FIXED, SETTINGS, &STATE, &USE]
        .into_iter()
        .flatten()
        .copied()
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// The values of all columns.
pub(super) fn inserted(account: &ServiceAccount) -> Vec<Value> {
    let mut values = vec![
        account.id.into(),
        account.organization_id.into(),
        account.created_at.into(),
        account.created_by.into(),
    ];
    values.extend(assigned(account));
    values.extend([account.token_epoch.into(), account.last_used_at.into()]);
    values
}

/// The values of the columns that an update writes.
pub(super) fn assigned(account: &ServiceAccount) -> Vec<Value> {
    macro_rules! values {
        ($($(#[$doc:meta])* $setting:ident $member:literal: $type:ty,)*) => {
            vec![
                $(account.$setting.to_value(),)*
                account.disabled_at.into(),
                account.version.into(),
                account.updated_at.into(),
            ]
        };
    }
    account_settings!(values)
}

/// Reads the columns of [`SELECTED`].
pub(super) fn account(row: &mut Row) -> Result<ServiceAccount, DatabaseError> {
    // Fields are evaluated in the order in which they are written, which is that of the columns.
    macro_rules! read {
        ($($(#[$doc:meta])* $setting:ident $member:literal: $type:ty,)*) => {
            ServiceAccount {
                id: row.next()?,
                organization_id: row.next()?,
                created_at: row.next()?,
                created_by: row.next()?,
                $($setting: row.next()?,)*
                disabled_at: row.next()?,
                version: row.next()?,
                updated_at: row.next()?,
                token_epoch: row.next()?,
                last_used_at: row.next()?,
            }
        };
    }
    Ok(account_settings!(read))
}

/// The type of a setting, as a column holds it.
trait Stored {
    fn to_value(&self) -> Value;
}

impl<T: Stored> Stored for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}

impl Stored for Name {
    fn to_value(&self) -> Value {
        self.as_str().to_owned().into()
    }
}

impl Column for Name {
    fn read(value: Value) -> Option<Self> {
        String::read(value).map(Self::stored)
    }
}

impl Stored for Description {
    fn to_value(&self) -> Value {
        self.as_str().to_owned().into()
    }
}

impl Column for Description {
    fn read(value: Value) -> Option<Self> {
        String::read(value).map(Self::stored)
    }
}

impl Stored for ScopeSet {
    fn to_value(&self) -> Value {
        self.as_str().to_owned().into()
    }
}

impl Column for ScopeSet {
    fn read(value: Value) -> Option<Self> {
        match &*String::read(value)? {
            "" => Some(Self::default()),
            scopes => Self::parse(scopes).ok(),
        }
    }
}

/// NULL: no grantable scopes.
impl Stored for GrantableScopes {
    fn to_value(&self) -> Value {
        (!self.is_empty())
            .then(|| self.entries().as_str().to_owned())
            .into()
    }
}

impl Column for GrantableScopes {
    fn read(value: Value) -> Option<Self> {
        match Option::<String>::read(value)? {
            None => Some(Self::default()),
            Some(entries) => ScopeSet::parse(&entries).ok().map(Self::stored),
        }
    }
}

/// NULL: no labels.
impl Stored for Labels {
    fn to_value(&self) -> Value {
        (!self.is_empty()).then(|| self.to_text()).into()
    }
}

impl Column for Labels {
    fn read(value: Value) -> Option<Self> {
        Self::from_text(&Option::<String>::read(value)?.unwrap_or_default())
    }
}

impl Stored for u32 {
    fn to_value(&self) -> Value {
        i64::from(*self).into()
    }
}

impl Column for u32 {
    fn read(value: Value) -> Option<Self> {
        i64::read(value)?.try_into().ok()
    }
}

impl Stored for Timestamp {
    fn to_value(&self) -> Value {
        (*self).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{LabelsPatch, OrganizationId, ServiceAccountId};

    #[test]
    fn an_inserted_account_is_read_back() {
        let name = |text: &str| Name::parse(text.to_owned()).unwrap();
        let id = ServiceAccountId::from_bytes([1; 16]);
        let organization = OrganizationId::from_bytes([2; 16]);
        let at = Timestamp::from_millis;
        let bare = ServiceAccount::new(id, organization, name("CI"), at(1), None);
        let label = LabelsPatch::Merge(vec![("env".to_owned(), Some("prod".to_owned()))]);
        let full = ServiceAccount {
            description: Some(Description::parse("a\nb".to_owned()).unwrap()),
            scopes: ScopeSet::parse("a b").unwrap(),
            grantable_scopes: GrantableScopes::parse(["a", "b:*"]).unwrap(),
            owner: Some(name("Platform")),
            labels: Labels::default().patched(&label).unwrap(),
            token_lifetime_seconds: Some(60),
            expires_at: Some(at(2)),
            disabled_at: Some(at(3)),
            version: 4,
            updated_at: at(5),
            token_epoch: 6,
            created_by: Some(id),
            last_used_at: Some(at(7)),
            ..bare.clone()
        };
        for written in [bare, full] {
            let values = inserted(&written);
            assert_eq!(values.len(), columns().count());
            assert_eq!(account(&mut Row::new(values)).unwrap(), written);
        }
    }

    #[test]
    fn the_statements_number_their_parameters() {
        assert!(
            SELECTED.starts_with("a.id, a.organization_id, "),
            "{}",
            *SELECTED
        );
        assert!(
            INSERT.ends_with(&format!(", ${})", columns().count())),
            "{}",
            *INSERT
        );
        assert!(
            ASSIGNED.starts_with("name = $4, description = $5, "),
            "{}",
            *ASSIGNED
        );
    }
}
