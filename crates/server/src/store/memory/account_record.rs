//! The record of an account as it is shown: all fields, packed.

use super::shared_values::SharedValues;
use crate::{
    domain::{
        Description, GrantableScopes, Labels, Name, OrganizationId, ScopeSet, ServiceAccount,
        ServiceAccountId, Timestamp, account_settings,
    },
    packed::{Reader, Writer},
};

const LAST_USE_BYTES: usize = 8;

/// The record of an account. It begins with the last use, which is updated in place.
pub(super) fn encode(shared: &SharedValues, account: &ServiceAccount) -> Vec<u8> {
    let created_at = account.created_at.as_millis();
    let mut record = Writer::default();
    record.bytes(&last_use_bytes(account.last_used_at));
    shared.write_id(&mut record, account.organization_id.as_bytes());
    macro_rules! write {
        ($($(#[$doc:meta])* $setting:ident $member:literal: $type:ty,)*) => {
            $(account.$setting.write(shared, &mut record);)*
        };
    }
    account_settings!(write);
    account.disabled_at.write(shared, &mut record);
    record
        .integer(account.token_epoch)
        .integer(account.version)
        .integer(created_at.wrapping_sub(id_time(account.id)))
        .integer(account.updated_at.as_millis().wrapping_sub(created_at))
        .bytes(&[account.created_by.is_some().into()]);
    if let Some(creator) = account.created_by {
        shared.write_id(&mut record, creator.as_bytes());
    }
    record.0
}

/// The account of a record that [`encode`] made.
pub(super) fn decode(
    shared: &SharedValues,
    id: ServiceAccountId,
    record: &[u8],
) -> Option<ServiceAccount> {
    let mut rest = Reader(record);
    let last_used_at = last_use(rest.array()?);
    let organization_id = OrganizationId::from_bytes(shared.read_id(&mut rest)?);
    // The fields are read in the order in which they are written here.
    macro_rules! read {
        ($($(#[$doc:meta])* $setting:ident $member:literal: $type:ty,)*) => {{
            $(let $setting = Packed::read(shared, &mut rest)?;)*
            let disabled_at = Packed::read(shared, &mut rest)?;
            let token_epoch = rest.integer()?;
            let version = rest.integer()?;
            let created_at = id_time(id).wrapping_add(rest.integer()?);
            let updated_at = created_at.wrapping_add(rest.integer()?);
            let created_by = match rest.array()? {
                [0] => None,
                [_] => Some(ServiceAccountId::from_bytes(shared.read_id(&mut rest)?)),
            };
            ServiceAccount {
                id,
                organization_id,
                $($setting,)*
                disabled_at,
                token_epoch,
                version,
                created_at: Timestamp::from_millis(created_at),
                created_by,
                updated_at: Timestamp::from_millis(updated_at),
                last_used_at,
            }
        }};
    }
    Some(account_settings!(read))
}

/// Moves the last use of a record forward to `at`, never back. `None`: the record is no account's.
pub(super) fn advance_last_use(record: &mut [u8], at: Timestamp) -> Option<()> {
    let known = record.first_chunk_mut()?;
    *known = last_use_bytes(last_use(*known).max(Some(at)));
    Some(())
}

fn last_use(bytes: [u8; LAST_USE_BYTES]) -> Option<Timestamp> {
    let millis = i64::from_le_bytes(bytes);
    (millis != i64::MIN).then_some(Timestamp::from_millis(millis))
}

fn last_use_bytes(at: Option<Timestamp>) -> [u8; LAST_USE_BYTES] {
    at.map_or(i64::MIN, Timestamp::as_millis).to_le_bytes()
}

/// The instant in an id, in milliseconds (RFC 9562 §5.7). Usually the account was created then, so the difference is small.
fn id_time(id: ServiceAccountId) -> i64 {
    let [a, b, c, d, e, f, ..] = *id.as_bytes();
    i64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// The type of a setting, as a record holds it.
trait Packed: Sized {
    fn write(&self, shared: &SharedValues, record: &mut Writer);

    /// `None`: the bytes hold no such value.
    fn read(shared: &SharedValues, record: &mut Reader<'_>) -> Option<Self>;
}

impl<T: Packed> Packed for Option<T> {
    fn write(&self, shared: &SharedValues, record: &mut Writer) {
        record.bytes(&[self.is_some().into()]);
        if let Some(value) = self {
            value.write(shared, record);
        }
    }

    fn read(shared: &SharedValues, record: &mut Reader<'_>) -> Option<Self> {
        match record.array()? {
            [0] => Some(None),
            [_] => T::read(shared, record).map(Some),
        }
    }
}

impl Packed for Name {
    fn write(&self, _: &SharedValues, record: &mut Writer) {
        record.text(self.as_str());
    }

    fn read(_: &SharedValues, record: &mut Reader<'_>) -> Option<Self> {
        record.text().map(|text| Self::stored(text.to_owned()))
    }
}

impl Packed for Description {
    fn write(&self, _: &SharedValues, record: &mut Writer) {
        record.text(self.as_str());
    }

    fn read(_: &SharedValues, record: &mut Reader<'_>) -> Option<Self> {
        record.text().map(|text| Self::stored(text.to_owned()))
    }
}

impl Packed for ScopeSet {
    fn write(&self, shared: &SharedValues, record: &mut Writer) {
        shared.write_scopes(record, self);
    }

    fn read(shared: &SharedValues, record: &mut Reader<'_>) -> Option<Self> {
        shared.read_scopes(record)
    }
}

impl Packed for GrantableScopes {
    fn write(&self, shared: &SharedValues, record: &mut Writer) {
        shared.write_scopes(record, self.entries());
    }

    fn read(shared: &SharedValues, record: &mut Reader<'_>) -> Option<Self> {
        shared.read_scopes(record).map(Self::stored)
    }
}

impl Packed for Labels {
    fn write(&self, _: &SharedValues, record: &mut Writer) {
        record.text(&self.to_text());
    }

    fn read(_: &SharedValues, record: &mut Reader<'_>) -> Option<Self> {
        Self::from_text(record.text()?)
    }
}

impl Packed for u32 {
    fn write(&self, _: &SharedValues, record: &mut Writer) {
        record.integer((*self).into());
    }

    fn read(_: &SharedValues, record: &mut Reader<'_>) -> Option<Self> {
        record.integer()?.try_into().ok()
    }
}

impl Packed for Timestamp {
    fn write(&self, _: &SharedValues, record: &mut Writer) {
        record.integer(self.as_millis());
    }

    fn read(_: &SharedValues, record: &mut Reader<'_>) -> Option<Self> {
        record.integer().map(Self::from_millis)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::LabelsPatch;

    pub(in super::super) fn instant() -> impl Strategy<Value = Option<Timestamp>> {
        // Any instant but the one that stands for none.
        prop::option::of((i64::MIN + 1..).prop_map(Timestamp::from_millis))
    }

    fn scopes() -> impl Strategy<Value = ScopeSet> {
        "[a-z:]{0,3}( [a-z:]{1,3}){0,3}".prop_map(|text| ScopeSet::parse(&text).unwrap_or_default())
    }

    prop_compose! {
        pub(in super::super) fn account()(
            id: [u8; 16], organization: [u8; 16], creator: Option<[u8; 16]>, name in "[a-z]{1,40}",
            texts in (prop::option::of("[a-z\n]{1,40}"), prop::option::of("[a-z]{1,9}"), "[a-z]{0,9}"), scopes in scopes(),
            seconds: Option<u32>, numbers: [i64; 4],
            instants in (instant(), instant(), instant()),
        ) -> ServiceAccount {
            let [epoch, version, created, updated] = numbers;
            let (description, owner, label) = texts;
            let labels = LabelsPatch::Merge(vec![("key".to_owned(), Some(label))]);
            ServiceAccount {
                description: description.and_then(|text| Description::parse(text).ok()),
                scopes,
                owner: owner.map(|owner| Name::parse(owner).unwrap()),
                labels: Labels::default().patched(&labels).unwrap(),
                token_lifetime_seconds: seconds,
                expires_at: instants.0,
                disabled_at: instants.1,
                token_epoch: epoch,
                version,
                updated_at: Timestamp::from_millis(updated),
                last_used_at: instants.2,
                ..ServiceAccount::new(
                    ServiceAccountId::from_bytes(id),
                    OrganizationId::from_bytes(organization),
                    Name::parse(name).unwrap(),
                    Timestamp::from_millis(created),
                    creator.map(ServiceAccountId::from_bytes),
                )
            }
        }
    }

    proptest! {
        #[test]
        fn an_account_is_read_as_it_was_written(accounts in prop::collection::vec(account(), 1..3)) {
            let shared = SharedValues::new();
            for account in accounts {
                let record = encode(&shared, &account);
                prop_assert_eq!(decode(&shared, account.id, &record), Some(account));
            }
        }
    }

    /// A million accounts take a million times this.
    #[test]
    fn an_ordinary_record_is_small() {
        let at = Timestamp::from_millis(1_767_225_600_000);
        let account = ServiceAccount {
            scopes: ScopeSet::parse("management:all orders:read orders:write").unwrap(),
            ..ServiceAccount::new(
                ServiceAccountId::new(at, [7; 10]),
                OrganizationId::from_bytes([1; 16]),
                Name::parse("Deployment of the shop".to_owned()).unwrap(),
                at,
                Some(ServiceAccountId::from_bytes([2; 16])),
            )
        };
        assert!(encode(&SharedValues::new(), &account).len() < 50);
    }
}
