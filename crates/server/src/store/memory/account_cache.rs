//! The cache of accounts of a database that this process alone changes.
//!
//! A client and the account as it is shown are two records: an account that gets tokens and an account that is managed are seldom
//! the same at the same time. Usage of a cached client is counted in its record; a map beside the cache would take more space than
//! the clients.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    account_record, client_record, shared_values::SharedValues, unwritten_usage::UnwrittenUsage,
    usage_counter::UsageCounter,
};
use crate::{
    domain::{Client, SecretId, ServiceAccount, ServiceAccountId, Timestamp, Usage},
    packed::{Cache, Policy},
    store::client_with_secrets::ClientWithSecrets,
};

/// Enough for about a million clients. Memory grows up to this as accounts are read.
const CAPACITY_BYTES: usize = 92 << 20;

/// The kind of a record (1) and the id of its account (16).
type Key = [u8; KEY_BYTES];
const KEY_BYTES: usize = 17;

const CLIENT: u8 = 0;
const ACCOUNT: u8 = 1;

fn key(kind: u8, id: ServiceAccountId) -> Key {
    let mut key = [kind; KEY_BYTES];
    key[1..].copy_from_slice(id.as_bytes());
    key
}

pub(super) struct AccountCache {
    cache: Cache<KEY_BYTES, PinUnwritten>,
    shared: SharedValues,
    unwritten: Arc<UnwrittenUsage>,
    /// The last account of the latest [`Self::select_used`].
    last_selected: Mutex<ServiceAccountId>,
}

/// Pins clients with unwritten usage, and keeps the usage of a client record that leaves the cache.
struct PinUnwritten(Arc<UnwrittenUsage>);

impl Policy<KEY_BYTES> for PinUnwritten {
    fn is_pinned(&self, &[kind, ..]: &Key, record: &[u8]) -> bool {
        kind == CLIENT && !client_record::counter(record).is_empty()
    }

    fn on_removal(&self, &[kind, ref id @ ..]: &Key, record: &[u8]) {
        if kind == CLIENT {
            let id = ServiceAccountId::from_bytes(*id);
            self.0.add(id, &client_record::usage(record));
        }
    }
}

impl AccountCache {
    /// An empty cache. Usage that its records cannot count, and that of records that leave it, goes to `unwritten`.
    pub(super) fn new(unwritten: Arc<UnwrittenUsage>) -> Self {
        Self {
            cache: Cache::new(CAPACITY_BYTES, PinUnwritten(Arc::clone(&unwritten))),
            shared: SharedValues::new(),
            unwritten,
            last_selected: Mutex::new(ServiceAccountId::from_bytes([0; 16])),
        }
    }

    pub(super) fn client(&self, id: ServiceAccountId) -> Option<Client> {
        self.cache.get(&key(CLIENT, id), |record| {
            client_record::decode_client(&self.shared, id, record)
        })?
    }

    pub(super) fn client_with_secrets(&self, id: ServiceAccountId) -> Option<ClientWithSecrets> {
        self.cache.get(&key(CLIENT, id), |record| {
            client_record::decode(&self.shared, id, record)
        })?
    }

    pub(super) fn account(&self, id: ServiceAccountId) -> Option<ServiceAccount> {
        self.cache.get(&key(ACCOUNT, id), |record| {
            account_record::decode(&self.shared, id, record)
        })?
    }

    /// Reads a client from the database and caches it, unless it is [invalidated](Self::invalidate) meanwhile.
    pub(super) async fn load_client<E>(
        &self,
        id: ServiceAccountId,
        read: impl Future<Output = Result<Option<ClientWithSecrets>, E>>,
    ) -> Result<Option<ClientWithSecrets>, E> {
        self.load(key(CLIENT, id), read, |found| {
            client_record::encode(&self.shared, found)
        })
        .await
    }

    /// As [`Self::load_client`], for an account as it is shown.
    pub(super) async fn load_account<E>(
        &self,
        id: ServiceAccountId,
        read: impl Future<Output = Result<Option<ServiceAccount>, E>>,
    ) -> Result<Option<ServiceAccount>, E> {
        self.load(key(ACCOUNT, id), read, |found| {
            Some(account_record::encode(&self.shared, found))
        })
        .await
    }

    async fn load<T, E>(
        &self,
        key: Key,
        read: impl Future<Output = Result<Option<T>, E>>,
        encode: impl FnOnce(&T) -> Option<Vec<u8>>,
    ) -> Result<Option<T>, E> {
        let generation = self.cache.generation(&key);
        let found = read.await?;
        if let Some(record) = found.as_ref().and_then(encode) {
            let blocked = self.cache.insert_if_current(&key, &record, generation);
            self.unwritten.note_blocked_evictions(blocked);
        }
        Ok(found)
    }

    /// Removes both records of an account.
    pub(super) fn invalidate(&self, id: ServiceAccountId) {
        for kind in [CLIENT, ACCOUNT] {
            self.cache.remove(&key(kind, id));
        }
    }

    /// Removes all records. Their usage is kept.
    pub(super) fn clear(&self) {
        self.cache.clear();
    }

    /// Counts a token issued with `secret`. `false`: the client is not cached, or has no such secret.
    pub(super) fn count_issued(
        &self,
        id: ServiceAccountId,
        secret: SecretId,
        now: Timestamp,
    ) -> bool {
        self.count(id, |counter, record| {
            let index = client_record::secret_ids(record).position(|known| known == secret)?;
            Some(counter.issued(index as u8, now))
        })
    }

    /// Counts a token refused. `false`: the client is not cached.
    pub(super) fn count_refused(&self, id: ServiceAccountId, now: Timestamp) -> bool {
        self.count(id, |counter, _| Some(counter.refused(now)))
    }

    /// Replaces the counter of a client by what `count` returns. Where that is `Some(None)`, the counter does not take the event:
    /// its usage moves to the unwritten usage, and an empty counter takes its place.
    fn count(
        &self,
        id: ServiceAccountId,
        count: impl Fn(UsageCounter, &[u8]) -> Option<Option<UsageCounter>>,
    ) -> bool {
        let counted = self.cache.get(&key(CLIENT, id), |record| {
            let next = match count(client_record::counter(record), record)? {
                Some(next) => next,
                None => {
                    let next = count(UsageCounter::EMPTY, record)??;
                    self.unwritten.add(id, &client_record::usage(record));
                    next
                }
            };
            client_record::set_counter(record, next);
            Some(())
        });
        counted.flatten().is_some()
    }

    /// Calls `look` with the usage that the client's record counts, while none of it can move elsewhere.
    pub(super) fn with_usage<T>(&self, id: ServiceAccountId, look: impl Fn(&Usage) -> T) -> T {
        self.cache
            .peek(&key(CLIENT, id), |record| {
                look(&client_record::usage(record))
            })
            .unwrap_or_else(|| look(&Usage::default()))
    }

    /// Up to `max` clients whose records have usage, in no order. Successive calls go through all of them in the order of their
    /// ids, and begin again behind the last one.
    pub(super) fn select_used(&self, max: usize) -> Vec<ServiceAccountId> {
        let last_selected = self.last_selected.lock();
        let mut last_selected = last_selected.unwrap_or_else(PoisonError::into_inner);
        let order = |&id: &ServiceAccountId| (id <= *last_selected, id);
        let shorten = |used: &mut Vec<_>| {
            if used.len() > max {
                used.select_nth_unstable_by_key(max, order);
                used.truncate(max);
            }
        };
        let mut used = Vec::new();
        self.cache.for_each(|&[kind, ref id @ ..], record| {
            if kind == CLIENT && !client_record::counter(record).is_empty() {
                used.push(ServiceAccountId::from_bytes(*id));
                if used.len() == 2 * max {
                    shorten(&mut used);
                }
            }
        });
        shorten(&mut used);
        if let Some(&last) = used.iter().max_by_key(|id| order(id)) {
            *last_selected = last;
        }
        used
    }

    /// Moves the usage that the records of these clients count to the unwritten usage.
    pub(super) fn move_usage(&self, clients: &[ServiceAccountId]) {
        for &id in clients {
            self.cache.peek(&key(CLIENT, id), |record| {
                self.unwritten.add(id, &client_record::usage(record));
                client_record::set_counter(record, UsageCounter::EMPTY);
            });
        }
    }

    /// Updates the last use of a cached account after it was written.
    pub(super) fn advance_last_use(&self, id: ServiceAccountId, at: Timestamp) {
        let key = key(ACCOUNT, id);
        let advanced = self
            .cache
            .peek(&key, |record| account_record::advance_last_use(record, at));
        if advanced.flatten().is_none() {
            // The account may be being read, with the last use from before the write.
            self.cache.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::FutureExt as _;

    use super::*;
    use crate::domain::{Name, OrganizationId, ScopeSet, SecretDigest, UnrevokedSecret};

    const SECRET: SecretId = SecretId::from_bytes([3; 16]);
    const OTHER_SECRET: SecretId = SecretId::from_bytes([4; 16]);
    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn cache() -> (AccountCache, Arc<UnwrittenUsage>) {
        let unwritten = Arc::new(UnwrittenUsage::new());
        (AccountCache::new(Arc::clone(&unwritten)), unwritten)
    }

    /// The outcome of a read of the database.
    fn row<T>(found: T) -> Result<Option<T>, Infallible> {
        Ok(Some(found))
    }

    fn id(number: u8) -> ServiceAccountId {
        ServiceAccountId::from_bytes([number; 16])
    }

    fn account(number: u8) -> ServiceAccount {
        let organization = OrganizationId::from_bytes([9; 16]);
        let name = Name::parse("CI".to_owned()).unwrap();
        ServiceAccount::new(id(number), organization, name, NOW, None)
    }

    fn client(number: u8, scopes: &str) -> ClientWithSecrets {
        let secret = |id| UnrevokedSecret {
            id,
            digest: SecretDigest::from_bytes([5; 32]),
            ends_at: None,
        };
        let scopes = ScopeSet::parse(scopes).unwrap();
        let client = Client::from(&account(number));
        ClientWithSecrets {
            client: Client { scopes, ..client },
            secrets: vec![secret(SECRET), secret(OTHER_SECRET)],
            keys_version: None,
            resources_version: None,
        }
    }

    fn load(cache: &AccountCache, number: u8) {
        let read = async { row(client(number, "a")) };
        let loaded = cache.load_client(id(number), read).now_or_never();
        assert!(loaded.unwrap().unwrap().is_some());
        assert!(cache.client(id(number)).is_some());
    }

    #[test]
    fn a_client_that_changes_while_it_is_read_is_not_cached() {
        let (cache, _) = cache();
        let read = async {
            // A change is committed and acknowledged after the rows were read.
            cache.invalidate(id(1));
            row(client(1, "old"))
        };
        let read = cache.load_client(id(1), read).now_or_never();
        assert_eq!(
            read.unwrap().unwrap().unwrap().client.scopes.as_str(),
            "old"
        );
        assert!(cache.client(id(1)).is_none());

        load(&cache, 1);
        cache.invalidate(id(1));
        assert!(cache.client(id(1)).is_none());
    }

    #[test]
    fn a_cached_account_shows_the_last_use_that_was_written() {
        let (cache, _) = cache();
        let read = async { row(account(1)) };
        cache.load_account(id(1), read).now_or_never();
        assert_eq!(cache.account(id(1)), Some(account(1)));
        cache.advance_last_use(id(1), NOW);
        cache.advance_last_use(id(1), Timestamp::from_millis(5));
        assert_eq!(cache.account(id(1)).unwrap().last_used_at, Some(NOW));

        // The account is read before the write, and loaded after it.
        let read = async {
            cache.advance_last_use(id(2), NOW);
            row(account(2))
        };
        cache.load_account(id(2), read).now_or_never();
        assert_eq!(cache.account(id(2)), None);
    }

    #[test]
    fn no_usage_is_lost_when_its_record_is_flushed_or_removed() {
        let (cache, unwritten) = cache();
        assert!(!cache.count_issued(id(1), SECRET, NOW));
        assert!(!cache.count_refused(id(1), NOW));
        load(&cache, 1);
        assert!(!cache.count_issued(id(1), SecretId::from_bytes([8; 16]), NOW));

        let mut all = Usage::default();
        for secret in [SECRET, OTHER_SECRET, SECRET] {
            assert!(cache.count_issued(id(1), secret, NOW));
            all.issued(secret, NOW);
        }
        let tomorrow = NOW.plus_days(1);
        assert!(cache.count_refused(id(1), tomorrow));
        all.refused(tomorrow);
        let known = cache.with_usage(id(1), |counted| {
            let mut usage = unwritten.of(id(1));
            usage.add(counted);
            usage
        });
        assert_eq!(known, all);

        assert_eq!(cache.select_used(9), [id(1)]);
        cache.move_usage(&[id(1)]);
        assert!(cache.select_used(9).is_empty());
        assert!(cache.count_issued(id(1), SECRET, tomorrow));
        all.issued(SECRET, tomorrow);
        cache.invalidate(id(1));
        assert_eq!(unwritten.of(id(1)), all);
    }

    #[test]
    fn successive_flushes_select_every_client_in_turn() {
        let (cache, _) = cache();
        for number in [3, 1, 5, 2, 4] {
            load(&cache, number);
            cache.count_issued(id(number), SECRET, NOW);
        }
        let selected = |max| {
            let mut selected = cache.select_used(max);
            selected.sort_unstable();
            selected
        };
        assert_eq!(selected(2), [id(1), id(2)]);
        assert_eq!(selected(2), [id(3), id(4)]);
        assert_eq!(selected(2), [id(1), id(5)]);
        assert_eq!(selected(9), [1, 2, 3, 4, 5].map(id));
    }
}
