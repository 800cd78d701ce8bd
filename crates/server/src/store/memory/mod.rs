//! What a server remembers of a database that it alone changes.
//!
//! One server owns a SQLite file, so what it has read stays true until it writes, and every write here ends with the
//! memory of what it touched. (`prokura bootstrap` writes beside it, but only adds what nobody can have asked for yet.) On
//! PostgreSQL other nodes write too, and nothing is remembered.

mod records;
mod tally;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use self::{
    records::{Records, last_use, last_use_bytes, last_use_of, secret_ids, tally},
    tally::Tally,
};
use super::{Credentials, StoreError, pending_usage::PendingUsage};
use crate::{
    domain::{Client, SecretId, ServiceAccount, ServiceAccountId, Timestamp, TokenId, Usage},
    packed::Cache,
};

/// How much is remembered of accounts, those most asked for: about a million of them as clients, or to be shown.
const BYTES: usize = 92 << 20;

/// Which record of an account, and its id.
type Key = [u8; 17];

const CLIENT: u8 = 0;
const ACCOUNT: u8 = 1;

fn key(kind: u8, id: ServiceAccountId) -> Key {
    let mut key = [kind; 17];
    key[1..].copy_from_slice(id.as_bytes());
    key
}

pub(super) struct Memory {
    accounts: Cache<17>,
    records: Records,
    /// Every revoked token that has not expired, and when it will.
    revoked: RwLock<HashMap<TokenId, Timestamp>>,
    /// Where the use goes that the record of a client cannot count, or counted.
    usage: Arc<PendingUsage>,
    /// Behind which account the next use is to be [picked](Self::pick_used).
    picked: Mutex<ServiceAccountId>,
}

impl Memory {
    pub(super) fn new(revoked: HashMap<TokenId, Timestamp>, usage: Arc<PendingUsage>) -> Self {
        Self {
            // It grows to that; a server of a few accounts stays small.
            accounts: Cache::new(BYTES, |&[kind, ..], record| {
                // Its use is cheap to write in its turn, beside that of its neighbours, and dear alone.
                kind == CLIENT && !tally_of(record).is_empty()
            }),
            records: Records::new(),
            revoked: RwLock::new(revoked),
            usage,
            picked: Mutex::new(ServiceAccountId::from_bytes([0; 16])),
        }
    }

    /// What is remembered of an account as a client.
    pub(super) fn client(&self, id: ServiceAccountId) -> Option<Client> {
        self.accounts
            .get(&key(CLIENT, id), |record| self.records.client(id, record))?
    }

    /// The same with its secrets.
    pub(super) fn credentials(&self, id: ServiceAccountId) -> Option<Credentials> {
        let records = &self.records;
        self.accounts
            .get(&key(CLIENT, id), |record| records.credentials(id, record))?
    }

    /// What `read` finds of an account as a client, remembered from then on; unless the account is
    /// [forgotten](Self::forget) while it is being read: then what was read may be from before the change.
    pub(super) async fn learn_client(
        &self,
        id: ServiceAccountId,
        read: impl Future<Output = Result<Option<Credentials>, StoreError>>,
    ) -> Result<Option<Credentials>, StoreError> {
        self.learn(key(CLIENT, id), read, |found| self.records.of_client(found))
            .await
    }

    /// What is remembered of an account as it is shown; of its use, what is written.
    pub(super) fn account(&self, id: ServiceAccountId) -> Option<ServiceAccount> {
        self.accounts
            .get(&key(ACCOUNT, id), |record| self.records.account(id, record))?
    }

    /// As [`Self::learn_client`], what is shown of an account.
    pub(super) async fn learn_account(
        &self,
        id: ServiceAccountId,
        read: impl Future<Output = Result<Option<ServiceAccount>, StoreError>>,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.learn(key(ACCOUNT, id), read, |found| {
            Some(self.records.of_account(found))
        })
        .await
    }

    async fn learn<T>(
        &self,
        key: Key,
        read: impl Future<Output = Result<Option<T>, StoreError>>,
        record: impl FnOnce(&T) -> Option<Vec<u8>>,
    ) -> Result<Option<T>, StoreError> {
        let before = self.accounts.moment(&key);
        let found = read.await?;
        if let Some(record) = found.as_ref().and_then(record) {
            let let_go = &mut |key: &Key, record: &[u8]| self.let_go(key, record);
            let in_the_way = self.accounts.insert(&key, &record, Some(before), let_go);
            self.usage.keeps_remembered(in_the_way);
        }
        Ok(found)
    }

    /// Forgets an account. To be called after a change is committed and before it is acknowledged.
    pub(super) fn forget(&self, id: ServiceAccountId) {
        for kind in [CLIENT, ACCOUNT] {
            self.accounts.remove(&key(kind, id), &mut |key, record| {
                self.let_go(key, record);
            });
        }
    }

    /// The use that a forgotten record counted is not forgotten.
    fn let_go(&self, &[kind, ref id @ ..]: &Key, record: &[u8]) {
        if kind == CLIENT {
            self.usage
                .add(ServiceAccountId::from_bytes(*id), &counted(record));
        }
    }

    pub(super) fn is_revoked(&self, token: TokenId) -> bool {
        self.revoked
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&token)
    }

    /// Remembers that a token is revoked. To be called like [`Self::forget`].
    pub(super) fn revoke(&self, token: TokenId, expires_at: Timestamp) {
        self.revoked
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(token, expires_at);
    }

    /// Forgets the revoked tokens that expire by `expired_by`.
    pub(super) fn sweep(&self, expired_by: Timestamp) {
        self.revoked
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, expires_at| *expires_at > expired_by);
    }
}

/// Use. That of a remembered client is counted in its record: there are as many of them as are remembered, and elsewhere each
/// would take several times the room.
impl Memory {
    /// Counts a token issued with `secret`. `false`: the client, or its secret, is not remembered.
    pub(super) fn count_issued(
        &self,
        id: ServiceAccountId,
        secret: SecretId,
        now: Timestamp,
    ) -> bool {
        self.count(id, |tally, record| {
            let at = secret_ids(record).position(|known| known == secret)?;
            Some(tally.issued(at as u8, now))
        })
    }

    /// Counts a token refused. `false`: the client is not remembered.
    pub(super) fn count_refused(&self, id: ServiceAccountId, now: Timestamp) -> bool {
        self.count(id, |tally, _| Some(tally.refused(now)))
    }

    /// Counts what `count` makes of a tally. It is asked twice if that does not go into the one that there is.
    fn count(
        &self,
        id: ServiceAccountId,
        count: impl Fn(Tally, &[u8]) -> Option<Option<Tally>>,
    ) -> bool {
        let counted = self.accounts.get(&key(CLIENT, id), |record| {
            let known = Tally::from_bytes(tally(record)?)?;
            let next = match count(known, record)? {
                Some(next) => next,
                None => {
                    let next = count(Tally::NONE, record)??;
                    self.usage.add(id, &counted(record));
                    next
                }
            };
            *tally(record)? = next.to_bytes();
            Some(())
        });
        counted.flatten().is_some()
    }

    /// What `look` sees while the use that is counted in the client's record, the argument, goes nowhere.
    pub(super) fn with_counted<T>(&self, id: ServiceAccountId, look: impl Fn(&Usage) -> T) -> T {
        self.accounts
            .peek(&key(CLIENT, id), |record| look(&counted(record)))
            .unwrap_or_else(|| look(&Usage::default()))
    }

    /// Up to `most` accounts whose records have counted use, in no order: in the order of their ids the next ones behind those
    /// picked the last time, and from the first on again.
    pub(super) fn pick_used(&self, most: usize) -> Vec<ServiceAccountId> {
        let mut picked = self.picked.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = |&id: &ServiceAccountId| (id <= *picked, id);
        let shorten = |used: &mut Vec<_>| {
            if used.len() > most {
                used.select_nth_unstable_by_key(most, turn);
                used.truncate(most);
            }
        };
        let mut used = Vec::new();
        self.accounts.for_each(|&[kind, ref id @ ..], record| {
            if kind == CLIENT && !tally_of(record).is_empty() {
                used.push(ServiceAccountId::from_bytes(*id));
                if used.len() == 2 * most {
                    shorten(&mut used);
                }
            }
        });
        shorten(&mut used);
        if let Some(&last) = used.iter().max_by_key(|id| turn(id)) {
            *picked = last;
        }
        used
    }

    /// Moves the use that the records of these accounts have counted to what is pending.
    pub(super) fn hand_over(&self, accounts: &[ServiceAccountId]) {
        for &id in accounts {
            self.accounts.peek(&key(CLIENT, id), |record| {
                self.usage.add(id, &counted(record));
                *tally(record)? = Tally::NONE.to_bytes();
                Some(())
            });
        }
    }

    /// Remembers that an account was used at `at`, which is written. To be called like [`Self::forget`].
    pub(super) fn used(&self, id: ServiceAccountId, at: Timestamp) {
        let key = key(ACCOUNT, id);
        let noted = self.accounts.peek(&key, |record| {
            let known = last_use_of(record)?;
            *known = last_use_bytes(last_use(*known).max(Some(at)));
            Some(())
        });
        if noted.is_none() {
            // It may just be read, as it was before.
            self.accounts.remove(&key, &mut |_, _| ());
        }
    }
}

/// The use that is counted in the record of a client.
fn counted(record: &[u8]) -> Usage {
    let tally = tally_of(record);
    let secret = secret_ids(record).nth(tally.secret().into());
    // Without a secret there are no more than refusals.
    tally.usage(secret.unwrap_or(SecretId::from_bytes([0; 16])))
}

fn tally_of(record: &[u8]) -> Tally {
    let tally = record.first_chunk().and_then(Tally::from_bytes);
    tally.unwrap_or(Tally::NONE)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::domain::{
        Name, OrganizationId, ScopeSet, SecretDigest, ServiceAccount, UnrevokedSecret,
    };

    const SECRET: SecretId = SecretId::from_bytes([3; 16]);
    const OTHER_SECRET: SecretId = SecretId::from_bytes([4; 16]);
    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn memory() -> (Memory, Arc<PendingUsage>) {
        let usage = Arc::new(PendingUsage::new());
        let memory = Memory::new(HashMap::new(), Arc::clone(&usage));
        (memory, usage)
    }

    fn id(number: u8) -> ServiceAccountId {
        ServiceAccountId::from_bytes([number; 16])
    }

    fn account(number: u8) -> ServiceAccount {
        let organization = OrganizationId::from_bytes([9; 16]);
        let name = Name::parse("CI".to_owned()).unwrap();
        ServiceAccount::new(id(number), organization, name, NOW, None)
    }

    fn client(number: u8, scopes: &str) -> Credentials {
        let secret = |id| UnrevokedSecret {
            id,
            digest: SecretDigest::from_bytes([5; 32]),
            ends_at: None,
        };
        let scopes = ScopeSet::parse(scopes).unwrap();
        let client = Client::from(&account(number));
        Credentials {
            client: Client { scopes, ..client },
            secrets: vec![secret(SECRET), secret(OTHER_SECRET)],
        }
    }

    fn learn(memory: &Memory, number: u8) {
        let read = async { Ok(Some(client(number, "a"))) };
        let learned = memory.learn_client(id(number), read);
        assert!(learned.now_or_never().unwrap().unwrap().is_some());
        assert!(memory.client(id(number)).is_some());
    }

    #[test]
    fn what_is_read_while_its_account_changes_is_not_kept() {
        let (memory, _) = memory();
        let read = async {
            // Somebody's change is committed and acknowledged after the rows were read.
            memory.forget(id(1));
            Ok(Some(client(1, "old")))
        };
        let read = memory.learn_client(id(1), read).now_or_never();
        assert_eq!(
            read.unwrap().unwrap().unwrap().client.scopes.as_str(),
            "old"
        );
        assert!(memory.client(id(1)).is_none());

        learn(&memory, 1);
        memory.forget(id(1));
        assert!(memory.client(id(1)).is_none());
    }

    #[test]
    fn use_that_is_written_is_part_of_the_account_that_is_remembered() {
        let (memory, _) = memory();
        let read = async { Ok(Some(account(1))) };
        memory.learn_account(id(1), read).now_or_never();
        assert_eq!(memory.account(id(1)), Some(account(1)));
        memory.used(id(1), NOW);
        memory.used(id(1), Timestamp::from_millis(5));
        assert_eq!(memory.account(id(1)).unwrap().last_used_at, Some(NOW));

        // Read before it was written.
        let read = async {
            memory.used(id(2), NOW);
            Ok(Some(account(2)))
        };
        memory.learn_account(id(2), read).now_or_never();
        assert_eq!(memory.account(id(2)), None);
    }

    #[test]
    fn no_use_is_lost_whatever_becomes_of_the_record_that_counts_it() {
        let (memory, pending) = memory();
        assert!(!memory.count_issued(id(1), SECRET, NOW));
        assert!(!memory.count_refused(id(1), NOW));
        learn(&memory, 1);
        assert!(!memory.count_issued(id(1), SecretId::from_bytes([8; 16]), NOW));

        let mut all = Usage::default();
        for secret in [SECRET, OTHER_SECRET, SECRET] {
            assert!(memory.count_issued(id(1), secret, NOW));
            all.issued(secret, NOW);
        }
        let tomorrow = NOW.plus_days(1);
        assert!(memory.count_refused(id(1), tomorrow));
        all.refused(tomorrow);
        let known = memory.with_counted(id(1), |counted| {
            let mut usage = pending.of(id(1));
            usage.add(counted);
            usage
        });
        assert_eq!(known, all);

        assert_eq!(memory.pick_used(9), [id(1)]);
        memory.hand_over(&[id(1)]);
        assert!(memory.pick_used(9).is_empty());
        assert!(memory.count_issued(id(1), SECRET, tomorrow));
        all.issued(SECRET, tomorrow);
        memory.forget(id(1));
        assert_eq!(pending.of(id(1)), all);
    }

    #[test]
    fn everybodys_use_gets_its_turn() {
        let (memory, _) = memory();
        for number in [3, 1, 5, 2, 4] {
            learn(&memory, number);
            memory.count_issued(id(number), SECRET, NOW);
        }
        let picked = |most| {
            let mut picked = memory.pick_used(most);
            picked.sort_unstable();
            picked
        };
        assert_eq!(picked(2), [id(1), id(2)]);
        assert_eq!(picked(2), [id(3), id(4)]);
        assert_eq!(picked(2), [id(1), id(5)]);
        assert_eq!(picked(9), [1, 2, 3, 4, 5].map(id));
    }
}
