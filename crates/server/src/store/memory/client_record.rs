//! The record of a client: a usage counter, the secrets, and what a token request reads, packed.
//!
//! ```text
//! usage counter (17) | number of secrets (1) | id and digest of each secret (48 each) | the client | when each secret ends
//! ```
//!
//! The counter is updated in place.

use super::{shared_values::SharedValues, usage_counter::UsageCounter};
use crate::{
    domain::{
        Client, OrganizationId, SecretDigest, SecretId, ServiceAccountId, Timestamp,
        UnrevokedSecret, Usage,
    },
    packed::{Reader, Writer},
    store::client_with_secrets::ClientWithSecrets,
};

/// An id (16) and a digest (32).
const SECRET_BYTES: usize = 16 + 32;

/// The record of a client without usage. `None`: it has more secrets than one byte counts.
pub(super) fn encode(shared: &SharedValues, known: &ClientWithSecrets) -> Option<Vec<u8>> {
    let ClientWithSecrets {
        client, secrets, ..
    } = known;
    let mut record = Writer::default();
    record
        .bytes(&UsageCounter::EMPTY.to_bytes())
        .bytes(&[u8::try_from(secrets.len()).ok()?]);
    for secret in secrets {
        record
            .bytes(secret.id.as_bytes())
            .bytes(secret.digest.as_bytes());
    }
    shared.write_id(&mut record, client.organization_id.as_bytes());
    shared.write_scopes(&mut record, &client.scopes);
    record
        .optional([
            client.token_lifetime_seconds.map(i64::from),
            client.expires_at.map(Timestamp::as_millis),
            client.disabled_at.map(Timestamp::as_millis),
            client.organization_disabled_at.map(Timestamp::as_millis),
        ])
        .integer(client.token_epoch);
    for secret in secrets {
        record.optional([secret.ends_at.map(Timestamp::as_millis)]);
    }
    Some(record.0)
}

/// The client with its secrets, of a record that [`encode`] made.
pub(super) fn decode(
    shared: &SharedValues,
    id: ServiceAccountId,
    record: &[u8],
) -> Option<ClientWithSecrets> {
    let Parts {
        client,
        secret_count,
        mut secrets,
        mut ends,
    } = parts(shared, id, record)?;
    let secrets = (0..secret_count).map(|_| {
        Some(UnrevokedSecret {
            id: SecretId::from_bytes(secrets.array()?),
            digest: SecretDigest::from_bytes(secrets.array()?),
            ends_at: ends.optional::<1>()?[0].map(Timestamp::from_millis),
        })
    });
    let secrets = secrets.collect::<Option<_>>()?;
    Some(ClientWithSecrets {
        client,
        secrets,
        keys_version: None,
        resources_version: None,
    })
}

/// The client alone.
pub(super) fn decode_client(
    shared: &SharedValues,
    id: ServiceAccountId,
    record: &[u8],
) -> Option<Client> {
    Some(parts(shared, id, record)?.client)
}

struct Parts<'r> {
    client: Client,
    secret_count: u8,
    /// The ids and digests of the secrets.
    secrets: Reader<'r>,
    /// When the secrets end.
    ends: Reader<'r>,
}

fn parts<'r>(shared: &SharedValues, id: ServiceAccountId, record: &'r [u8]) -> Option<Parts<'r>> {
    let mut rest = Reader(record.get(UsageCounter::BYTES..)?);
    let [secret_count] = rest.array()?;
    let secrets = Reader(rest.bytes(usize::from(secret_count) * SECRET_BYTES)?);
    let organization = shared.read_id(&mut rest)?;
    let scopes = shared.read_scopes(&mut rest)?;
    let [lifetime, expires_at, disabled_at, organization_disabled_at] = rest.optional()?;
    let client = Client {
        id,
        organization_id: OrganizationId::from_bytes(organization),
        organization_disabled_at: organization_disabled_at.map(Timestamp::from_millis),
        scopes,
        token_lifetime_seconds: lifetime.map(u32::try_from).transpose().ok()?,
        expires_at: expires_at.map(Timestamp::from_millis),
        disabled_at: disabled_at.map(Timestamp::from_millis),
        token_epoch: rest.integer()?,
    };
    Some(Parts {
        client,
        secret_count,
        secrets,
        ends: rest,
    })
}

/// The usage counter of a record; empty if the record is no client's.
pub(super) fn counter(record: &[u8]) -> UsageCounter {
    let counter = record.first_chunk().and_then(UsageCounter::from_bytes);
    counter.unwrap_or(UsageCounter::EMPTY)
}

/// Replaces the usage counter of a record.
pub(super) fn set_counter(record: &mut [u8], counter: UsageCounter) {
    if let Some(bytes) = record.first_chunk_mut() {
        *bytes = counter.to_bytes();
    }
}

/// The usage that a record counts.
pub(super) fn usage(record: &[u8]) -> Usage {
    let counter = counter(record);
    let secret = secret_ids(record).nth(counter.secret_index().into());
    // A client without secrets has refusals alone, which belong to no secret.
    counter.usage(secret.unwrap_or(SecretId::from_bytes([0; 16])))
}

/// The ids of the client's secrets, in the order of the record.
pub(super) fn secret_ids(record: &[u8]) -> impl Iterator<Item = SecretId> {
    let secrets = record
        .get(UsageCounter::BYTES..)
        .and_then(<[u8]>::split_first);
    let (&count, bytes) = secrets.unwrap_or((&0, &[]));
    let (secrets, _) = bytes.as_chunks::<SECRET_BYTES>();
    secrets
        .iter()
        .take(count.into())
        .filter_map(|secret| Some(SecretId::from_bytes(*secret.first_chunk()?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::account_record::tests::{account, instant},
        *,
    };
    use crate::domain::{Name, ScopeSet, ServiceAccount};

    proptest! {
        #[test]
        fn a_client_is_read_as_it_was_written(account in account(), secrets in prop::collection::vec((any::<[u8; 16]>(), any::<[u8; 32]>(), instant()), 0..4)) {
            let shared = SharedValues::new();
            let client = Client::from(&account);
            let secrets = secrets.into_iter().map(|(id, digest, ends_at)| UnrevokedSecret {
                id: SecretId::from_bytes(id),
                digest: SecretDigest::from_bytes(digest),
                ends_at,
            });
            let known = ClientWithSecrets { client, secrets: secrets.collect(), keys_version: Some(1), resources_version: Some(1) };
            let record = encode(&shared, &known).unwrap();
            prop_assert!(secret_ids(&record).eq(known.secrets.iter().map(|secret| secret.id)));
            let client = decode_client(&shared, account.id, &record);
            prop_assert_eq!(client.as_ref(), Some(&known.client));
            let read = decode(&shared, account.id, &record).unwrap();
            prop_assert_eq!(&read.client, &known.client);
            prop_assert_eq!(read.secrets.len(), known.secrets.len());
            for (read, written) in read.secrets.iter().zip(&known.secrets) {
                prop_assert_eq!((read.id, read.ends_at), (written.id, written.ends_at));
                prop_assert!(read.digest.matches(&written.digest));
            }
        }
    }

    /// A million clients take a million times this.
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
        let known = ClientWithSecrets {
            client: Client::from(&account),
            secrets: vec![UnrevokedSecret {
                id: SecretId::from_bytes([3; 16]),
                digest: SecretDigest::from_bytes([4; 32]),
                ends_at: None,
            }],
            keys_version: None,
            resources_version: None,
        };
        let record = encode(&SharedValues::new(), &known).unwrap();
        assert!(record.len() < 75);
    }
}
