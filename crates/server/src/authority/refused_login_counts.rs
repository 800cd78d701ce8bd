//! The counts of refused logins by account, minute and address. After the minute they become audit events, so refusing a
//! login writes nothing.
//!
//! Memory and disk are bounded, whatever strangers do. With too many addresses, the counts stay exact but cover several
//! addresses. With too many minutes, because the store cannot write for a long time, they cover several minutes.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Mutex as AsyncMutex;

use super::origin::Origin;
use crate::domain::{LoginRefusal, OrganizationId, RefusedLogins, ServiceAccountId, Timestamp};

/// How many addresses of one account are told apart in a minute. The account gets at most that many events, and one more for
/// all other addresses.
const ADDRESSES_OF_ACCOUNT: usize = 16;
/// How many addresses of all accounts are told apart in a minute.
const ADDRESSES: usize = 1000;
/// How many accounts are counted in a minute. Refused logins of further accounts are not recorded.
const ACCOUNTS: usize = 5000;
/// How many events wait to be written, one for each account, minute and address. Further refusals are merged into one event
/// for each account, for as many accounts; those of further accounts are not recorded. All counts together take about 15
/// MB.
const WAITING: usize = 10_000;
/// How many events one transaction writes. It blocks other changes of their organizations.
const BATCH: usize = 32;

/// The key under which logins that name no account are counted. They are never written.
const NOBODY: (OrganizationId, ServiceAccountId) = (
    OrganizationId::from_bytes([0; 16]),
    ServiceAccountId::from_bytes([0; 16]),
);

/// The refused logins that are not written yet.
#[derive(Default)]
pub(super) struct RefusedLoginCounts {
    /// The current minute, and past minutes that no flush has taken.
    counting: Mutex<Vec<Minute>>,
    /// Locked during a flush, so that nothing is written twice.
    pub(super) waiting: AsyncMutex<Waiting>,
}

/// The counts of one minute.
pub(super) struct Minute {
    /// Minutes since the Unix epoch.
    number: i64,
    /// By account, then one entry for each address.
    accounts: HashMap<ServiceAccountId, Vec<RefusedLogins>>,
    /// How many entries have an address.
    addresses: usize,
}

/// The counts of past minutes.
#[derive(Default)]
pub(super) struct Waiting {
    /// In the order in which they are written.
    in_order: VecDeque<RefusedLogins>,
    /// The overflow of `in_order`, merged by account.
    overflow: HashMap<ServiceAccountId, RefusedLogins>,
}

impl RefusedLoginCounts {
    /// Counts a login of `account` that was refused at `now`. `None`: there is no such account, which takes the same time.
    pub(super) fn count(
        &self,
        account: Option<(OrganizationId, ServiceAccountId)>,
        origin: &Origin<'_>,
        refusal: LoginRefusal,
        now: Timestamp,
    ) {
        let (organization, account) = account.unwrap_or(NOBODY);
        let mut counting = self.counting();
        let addresses = counting
            .iter()
            .map(|minute| minute.addresses)
            .sum::<usize>();
        let accounts = counting
            .iter()
            .map(|minute| minute.accounts.len())
            .sum::<usize>();
        let minute = Minute::at(&mut counting, now);
        let of_account = match minute.accounts.entry(account) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if accounts >= ACCOUNTS => return,
            Entry::Vacant(new) => new.insert(Vec::new()),
        };
        let is_full = addresses >= ADDRESSES || of_account.len() >= ADDRESSES_OF_ACCOUNT;
        let find = |address| of_account.iter().position(|known| known.address == address);
        let address = origin
            .address
            .filter(|&address| !is_full || find(Some(address)).is_some());
        match find(address) {
            Some(at) => of_account[at].count(refusal, now),
            None => {
                minute.addresses += usize::from(address.is_some());
                let request_id = origin.request_id.map(str::to_owned);
                of_account.push(RefusedLogins::first(
                    organization,
                    account,
                    address,
                    request_id,
                    refusal,
                    now,
                ));
            }
        }
    }

    /// Removes and returns the counts of all minutes but the `current` one.
    pub(super) fn take(&self, current: Option<i64>) -> Vec<Minute> {
        self.counting()
            .extract_if(.., |minute| Some(minute.number) != current)
            .collect()
    }

    fn counting(&self) -> MutexGuard<'_, Vec<Minute>> {
        self.counting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Minute {
    /// The minute of `now`.
    fn at(counting: &mut Vec<Self>, now: Timestamp) -> &mut Self {
        let number = now.whole_minutes();
        let known = counting.iter().position(|minute| minute.number == number);
        let at = known.unwrap_or_else(|| {
            counting.push(Self {
                number,
                accounts: HashMap::new(),
                addresses: 0,
            });
            counting.len() - 1
        });
        &mut counting[at]
    }
}

impl Waiting {
    /// Adds the counts of past minutes.
    pub(super) fn keep(&mut self, minutes: Vec<Minute>) {
        let mut refused = minutes
            .into_iter()
            .flat_map(|minute| minute.accounts.into_values().flatten())
            .filter(|refused| refused.account_id != NOBODY.1)
            .collect::<Vec<_>>();
        refused.sort_by_key(|refused| refused.first_at);
        for refused in refused {
            if self.in_order.len() < WAITING {
                self.in_order.push_back(refused);
                continue;
            }
            let has_room = self.overflow.len() < WAITING;
            match self.overflow.entry(refused.account_id) {
                Entry::Occupied(mut known) => known.get_mut().merge(refused),
                Entry::Vacant(_) if !has_room => {}
                Entry::Vacant(new) => drop(new.insert(refused)),
            }
        }
    }

    /// Removes the first `count` entries, which were written.
    pub(super) fn written(&mut self, count: usize) {
        self.in_order.drain(..count);
    }

    /// The entries to write next. Empty: nothing is left.
    pub(super) fn next_batch(&mut self) -> Vec<RefusedLogins> {
        if self.in_order.is_empty() {
            let overflow = mem::take(&mut self.overflow).into_values();
            self.in_order.extend(overflow);
        }
        let mut batch = self
            .in_order
            .iter()
            .take(BATCH)
            .cloned()
            .collect::<Vec<_>>();
        // Each event locks its organization. The same order on all nodes prevents deadlocks.
        batch.sort_by_key(|refused| refused.organization_id);
        batch
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::domain::SecretDigest;

    const ORGANIZATION: OrganizationId = OrganizationId::from_bytes([1; 16]);
    const SECOND: Timestamp = Timestamp::from_millis(1000);

    fn account(number: u32) -> ServiceAccountId {
        let mut bytes = [1; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        ServiceAccountId::from_bytes(bytes)
    }

    fn count(recorder: &RefusedLoginCounts, account: Option<u32>, address: u32, now: Timestamp) {
        let origin = Origin {
            request_id: None,
            address: Some(IpAddr::V4(address.into())),
        };
        let refusal = LoginRefusal::WrongSecret(SecretDigest::from_bytes([0; 32]));
        let whom = account.map(|number| (ORGANIZATION, self::account(number)));
        recorder.count(whom, &origin, refusal, now);
    }

    /// The events that would be written now, and how many logins they count.
    fn waiting(recorder: RefusedLoginCounts) -> (Vec<RefusedLogins>, usize) {
        let mut waiting = Waiting::default();
        waiting.keep(recorder.take(None));
        let mut all = Vec::new();
        loop {
            let batch = waiting.next_batch();
            if batch.is_empty() {
                break;
            }
            waiting.written(batch.len());
            all.extend(batch);
        }
        let counts = all.iter().cloned().map(counted);
        let counts = counts.sum();
        (all, counts)
    }

    fn counted(refused: RefusedLogins) -> usize {
        refused.into_event().detail[0].1.parse().unwrap()
    }

    #[test]
    fn of_many_addresses_the_first_are_told_apart_and_all_are_counted() {
        let recorder = RefusedLoginCounts::default();
        for _ in 0..2 {
            for address in 0..10_000 {
                count(&recorder, Some(1), address, SECOND);
            }
        }
        let (mut events, counts) = waiting(recorder);
        assert_eq!(events.len(), ADDRESSES_OF_ACCOUNT + 1);
        assert_eq!(counts, 20_000);
        events.retain(|event| event.address.is_none());
        let [other] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(counted(other.clone()), 20_000 - 2 * ADDRESSES_OF_ACCOUNT);
    }

    #[test]
    fn with_many_accounts_only_some_addresses_are_told_apart() {
        let recorder = RefusedLoginCounts::default();
        for number in 0..2 * ACCOUNTS as u32 {
            for address in 0..3 {
                count(&recorder, Some(number), address, SECOND);
            }
        }
        let (events, counts) = waiting(recorder);
        assert_eq!(counts, 3 * ACCOUNTS);
        let (with, without) = events
            .iter()
            .partition::<Vec<_>, _>(|event| event.address.is_some());
        assert_eq!(with.len(), ADDRESSES);
        assert!(without.len() <= ACCOUNTS);
    }

    #[test]
    fn logins_that_name_no_account_are_never_written() {
        let recorder = RefusedLoginCounts::default();
        for address in 0..10_000 {
            count(&recorder, None, address, SECOND);
        }
        assert_eq!(recorder.counting()[0].addresses, ADDRESSES_OF_ACCOUNT);
        assert!(waiting(recorder).0.is_empty());
    }

    #[test]
    fn minutes_are_told_apart_if_the_clock_goes_back() {
        let recorder = RefusedLoginCounts::default();
        for seconds in [59, 60, 59, 61, 119, 0] {
            let now = Timestamp::from_millis(0).plus_seconds(seconds);
            count(&recorder, Some(1), 1, now);
        }
        assert_eq!(recorder.take(Some(0)).len(), 1);
        assert_eq!(recorder.take(Some(1)).len(), 1);
        assert_eq!(recorder.take(None).len(), 0);
    }

    /// Logins of two accounts are refused while the store cannot write, one of them from a new address each minute.
    #[test]
    fn minutes_are_merged_if_the_store_cannot_write_for_long() {
        const MINUTES: u32 = WAITING as u32;
        let recorder = RefusedLoginCounts::default();
        let mut waiting = Waiting::default();
        for minute in 0..MINUTES {
            let now = SECOND.plus_seconds(60 * minute);
            count(&recorder, Some(1), 1, now);
            count(&recorder, Some(2), minute, now);
            waiting.keep(recorder.take(None));
        }
        assert_eq!(waiting.in_order.len(), WAITING);
        assert_eq!(waiting.overflow.len(), 2);
        let (number, half) = (WAITING / 2, MINUTES / 2);
        let one = waiting.overflow.remove(&account(1)).unwrap();
        assert_eq!(one.first_at, SECOND.plus_seconds(60 * half));
        let event = one.into_event();
        assert_eq!(event.address, None);
        let detail = [
            ("count", number.to_string()),
            ("wrongSecret", number.to_string()),
            ("minutes", number.to_string()),
        ];
        assert_eq!(event.detail, detail);

        // The entries in order are written first, then the overflow.
        for _ in 0..WAITING.div_ceil(BATCH) {
            let batch = waiting.next_batch();
            assert!(batch.iter().all(|refused| refused.address.is_some()));
            waiting.written(batch.len());
        }
        assert_eq!(waiting.next_batch().len(), 1);
    }

    #[test]
    fn waiting_entries_are_bounded_for_any_number_of_accounts() {
        let recorder = RefusedLoginCounts::default();
        let mut waiting = Waiting::default();
        for number in 0..3 * WAITING as u32 {
            count(&recorder, Some(number), 1, SECOND);
            waiting.keep(recorder.take(None));
        }
        assert_eq!(waiting.in_order.len(), WAITING);
        assert_eq!(waiting.overflow.len(), WAITING);
    }
}
