//! The records of remembered clients and accounts: the same facts as in the database, in a tenth of the room that structures of
//! them would take.

use super::tally::Tally;
use crate::{
    domain::{
        Client, Description, Labels, Name, OrganizationId, ScopeSet, SecretDigest, SecretId,
        ServiceAccount, ServiceAccountId, Timestamp, UnrevokedSecret,
    },
    packed::{Dictionary, Reader, Writer},
    store::Credentials,
};

/// Longer ones are written out: what has a number stays for good.
const NUMBERED_SCOPES_BYTES: usize = 256;
/// An id, and a digest.
const SECRET_BYTES: usize = 16 + 32;

/// Writes and reads records.
pub(super) struct Records {
    ids: Dictionary<[u8; 16]>,
    scopes: Dictionary<ScopeSet>,
}

impl Records {
    pub(super) fn new() -> Self {
        Self {
            ids: Dictionary::new(),
            scopes: Dictionary::new(),
        }
    }

    /// A client without use. It begins with its [tally](Self::tally) and its secrets, which are changed and compared in place.
    /// `None`: it has more secrets than can be told apart.
    pub(super) fn of_client(&self, credentials: &Credentials) -> Option<Vec<u8>> {
        let Credentials { client, secrets } = credentials;
        let mut record = Writer::default();
        record
            .bytes(&Tally::NONE.to_bytes())
            .bytes(&[u8::try_from(secrets.len()).ok()?]);
        for secret in secrets {
            record
                .bytes(secret.id.as_bytes())
                .bytes(secret.digest.as_bytes());
        }
        self.write_id(&mut record, client.organization_id.as_bytes());
        self.write_scopes(&mut record, &client.scopes);
        record
            .optional([
                client.token_lifetime_seconds.map(i64::from),
                client.expires_at.map(Timestamp::as_millis),
                client.disabled_at.map(Timestamp::as_millis),
            ])
            .integer(client.token_epoch);
        for secret in secrets {
            record.optional([secret.ends_at.map(Timestamp::as_millis)]);
        }
        Some(record.0)
    }

    /// Reads what [`Self::of_client`] wrote.
    pub(super) fn credentials(&self, id: ServiceAccountId, record: &[u8]) -> Option<Credentials> {
        let (client, count, mut secrets, mut ends) = self.parts(id, record)?;
        let secrets = (0..count).map(|_| {
            Some(UnrevokedSecret {
                id: SecretId::from_bytes(secrets.array()?),
                digest: SecretDigest::from_bytes(secrets.array()?),
                ends_at: ends.optional::<1>()?[0].map(Timestamp::from_millis),
            })
        });
        let secrets = secrets.collect::<Option<_>>()?;
        Some(Credentials { client, secrets })
    }

    /// The same without the secrets.
    pub(super) fn client(&self, id: ServiceAccountId, record: &[u8]) -> Option<Client> {
        Some(self.parts(id, record)?.0)
    }

    /// The client, how many secrets it has, and what is to be read of these: ids with digests, and ends.
    fn parts<'r>(
        &self,
        id: ServiceAccountId,
        record: &'r [u8],
    ) -> Option<(Client, u8, Reader<'r>, Reader<'r>)> {
        let mut rest = Reader(record.get(Tally::BYTES..)?);
        let [count] = rest.array()?;
        let secrets = Reader(rest.bytes(usize::from(count) * SECRET_BYTES)?);
        let organization = self.read_id(&mut rest)?;
        let scopes = self.read_scopes(&mut rest)?;
        let [lifetime, expires_at, disabled_at] = rest.optional()?;
        let client = Client {
            id,
            organization_id: OrganizationId::from_bytes(organization),
            scopes,
            token_lifetime_seconds: seconds(lifetime)?,
            expires_at: expires_at.map(Timestamp::from_millis),
            disabled_at: disabled_at.map(Timestamp::from_millis),
            token_epoch: rest.integer()?,
        };
        Some((client, count, secrets, rest))
    }

    /// An account. It begins with its [last use](last_use), which is changed in place.
    pub(super) fn of_account(&self, account: &ServiceAccount) -> Vec<u8> {
        let id_made_at = made_at(account.id);
        let created_at = account.created_at.as_millis();
        let mut record = Writer::default();
        record.bytes(&last_use_bytes(account.last_used_at));
        self.write_id(&mut record, account.organization_id.as_bytes());
        record.text(account.name.as_str());
        write_text(
            &mut record,
            account.description.as_ref().map(Description::as_str),
        );
        self.write_scopes(&mut record, &account.scopes);
        write_text(&mut record, account.owner.as_ref().map(Name::as_str));
        record
            .text(&account.labels.to_text())
            .optional([
                account.token_lifetime_seconds.map(i64::from),
                account.expires_at.map(Timestamp::as_millis),
                account.disabled_at.map(Timestamp::as_millis),
            ])
            .integer(account.token_epoch)
            .integer(account.version)
            .integer(created_at.wrapping_sub(id_made_at))
            .integer(account.updated_at.as_millis().wrapping_sub(created_at))
            .bytes(&[account.created_by.is_some().into()]);
        if let Some(creator) = account.created_by {
            self.write_id(&mut record, creator.as_bytes());
        }
        record.0
    }

    /// Reads what [`Self::of_account`] wrote.
    pub(super) fn account(&self, id: ServiceAccountId, record: &[u8]) -> Option<ServiceAccount> {
        let mut rest = Reader(record);
        let last_used_at = last_use(rest.array()?);
        let organization_id = OrganizationId::from_bytes(self.read_id(&mut rest)?);
        let name = Name::parse(rest.text()?.to_owned()).ok()?;
        let description = read_text(&mut rest)?.map(|text| Description::parse(text.to_owned()));
        let scopes = self.read_scopes(&mut rest)?;
        let owner = read_text(&mut rest)?.map(|text| Name::parse(text.to_owned()));
        let labels = Labels::from_text(rest.text()?)?;
        let [lifetime, expires_at, disabled_at] = rest.optional()?;
        let token_epoch = rest.integer()?;
        let version = rest.integer()?;
        let created_at = made_at(id).wrapping_add(rest.integer()?);
        let updated_at = created_at.wrapping_add(rest.integer()?);
        let created_by = match rest.array()? {
            [0] => None,
            [_] => Some(ServiceAccountId::from_bytes(self.read_id(&mut rest)?)),
        };
        Some(ServiceAccount {
            id,
            organization_id,
            name,
            description: description.transpose().ok()?,
            scopes,
            owner: owner.transpose().ok()?,
            labels,
            token_lifetime_seconds: seconds(lifetime)?,
            expires_at: expires_at.map(Timestamp::from_millis),
            disabled_at: disabled_at.map(Timestamp::from_millis),
            token_epoch,
            version,
            created_at: Timestamp::from_millis(created_at),
            created_by,
            updated_at: Timestamp::from_millis(updated_at),
            last_used_at,
        })
    }

    fn write_id(&self, record: &mut Writer, id: &[u8; 16]) {
        match self.ids.number(id) {
            Some(number) => record.unsigned(u64::from(number) + 1),
            None => record.unsigned(0).bytes(id),
        };
    }

    fn read_id(&self, record: &mut Reader<'_>) -> Option<[u8; 16]> {
        match record.unsigned()?.checked_sub(1) {
            Some(number) => self.ids.word(number.try_into().ok()?).copied(),
            None => record.array(),
        }
    }

    fn write_scopes(&self, record: &mut Writer, scopes: &ScopeSet) {
        let is_short = scopes.as_str().len() <= NUMBERED_SCOPES_BYTES;
        match is_short.then(|| self.scopes.number(scopes)).flatten() {
            Some(number) => record.unsigned(u64::from(number) + 1),
            None => record.unsigned(0).text(scopes.as_str()),
        };
    }

    fn read_scopes(&self, record: &mut Reader<'_>) -> Option<ScopeSet> {
        match record.unsigned()?.checked_sub(1) {
            Some(number) => self.scopes.word(number.try_into().ok()?).cloned(),
            None => match record.text()? {
                "" => Some(ScopeSet::default()),
                scopes => ScopeSet::parse(scopes).ok(),
            },
        }
    }
}

/// The use that a client's record counts.
pub(super) fn tally(record: &mut [u8]) -> Option<&mut [u8; Tally::BYTES]> {
    record.first_chunk_mut()
}

/// The ids of the secrets in a client's record, in their order.
pub(super) fn secret_ids(record: &[u8]) -> impl Iterator<Item = SecretId> {
    let secrets = record.get(Tally::BYTES..).and_then(<[u8]>::split_first);
    let (&count, bytes) = secrets.unwrap_or((&0, &[]));
    let (secrets, _) = bytes.as_chunks::<SECRET_BYTES>();
    secrets
        .iter()
        .take(count.into())
        .filter_map(|secret| Some(SecretId::from_bytes(*secret.first_chunk()?)))
}

const LAST_USE_BYTES: usize = 8;

/// When the account of a record was last used, as bytes at its beginning.
pub(super) fn last_use_of(record: &mut [u8]) -> Option<&mut [u8; LAST_USE_BYTES]> {
    record.first_chunk_mut()
}

pub(super) fn last_use(bytes: [u8; LAST_USE_BYTES]) -> Option<Timestamp> {
    let millis = i64::from_le_bytes(bytes);
    (millis != i64::MIN).then_some(Timestamp::from_millis(millis))
}

pub(super) fn last_use_bytes(at: Option<Timestamp>) -> [u8; LAST_USE_BYTES] {
    at.map_or(i64::MIN, Timestamp::as_millis).to_le_bytes()
}

/// When an id was made, in milliseconds (RFC 9562 §5.7): mostly when its account was.
fn made_at(id: ServiceAccountId) -> i64 {
    let [a, b, c, d, e, f, ..] = *id.as_bytes();
    i64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

fn write_text(record: &mut Writer, text: Option<&str>) {
    record.bytes(&[text.is_some().into()]);
    if let Some(text) = text {
        record.text(text);
    }
}

fn read_text<'a>(record: &mut Reader<'a>) -> Option<Option<&'a str>> {
    match record.array()? {
        [0] => Some(None),
        [_] => record.text().map(Some),
    }
}

/// The outer `None`: that is no number of seconds.
fn seconds(number: Option<i64>) -> Option<Option<u32>> {
    number.map(u32::try_from).transpose().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::LabelsPatch;

    fn instant() -> impl Strategy<Value = Option<Timestamp>> {
        // Of what a clock can show; one moment means none.
        prop::option::of((i64::MIN + 1..).prop_map(Timestamp::from_millis))
    }

    fn scopes() -> impl Strategy<Value = ScopeSet> {
        "[a-z:]{0,3}( [a-z:]{1,3}){0,3}".prop_map(|text| ScopeSet::parse(&text).unwrap_or_default())
    }

    prop_compose! {
        fn account()(
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
            let records = Records::new();
            for account in accounts {
                let record = records.of_account(&account);
                prop_assert_eq!(records.account(account.id, &record), Some(account));
            }
        }

        #[test]
        fn a_client_is_read_as_it_was_written(account in account(), secrets in prop::collection::vec((any::<[u8; 16]>(), any::<[u8; 32]>(), instant()), 0..4)) {
            let records = Records::new();
            let client = Client::from(&account);
            let secrets = secrets.into_iter().map(|(id, digest, ends_at)| UnrevokedSecret {
                id: SecretId::from_bytes(id),
                digest: SecretDigest::from_bytes(digest),
                ends_at,
            });
            let credentials = Credentials { client, secrets: secrets.collect() };
            let record = records.of_client(&credentials).unwrap();
            prop_assert!(secret_ids(&record).eq(credentials.secrets.iter().map(|secret| secret.id)));
            let alone = records.client(account.id, &record);
            prop_assert_eq!(alone.as_ref(), Some(&credentials.client));
            let read = records.credentials(account.id, &record).unwrap();
            prop_assert_eq!(&read.client, &credentials.client);
            prop_assert_eq!(read.secrets.len(), credentials.secrets.len());
            for (read, written) in read.secrets.iter().zip(&credentials.secrets) {
                prop_assert_eq!((read.id, read.ends_at), (written.id, written.ends_at));
                prop_assert!(read.digest.matches(&written.digest));
            }
        }
    }

    /// What a million accounts cost is a million times this.
    #[test]
    fn an_ordinary_record_is_small() {
        let records = Records::new();
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
        assert!(records.of_account(&account).len() < 50);
        let credentials = Credentials {
            client: Client::from(&account),
            secrets: vec![UnrevokedSecret {
                id: SecretId::from_bytes([3; 16]),
                digest: SecretDigest::from_bytes([4; 32]),
                ends_at: None,
            }],
        };
        assert!(records.of_client(&credentials).unwrap().len() < 75);
    }
}
