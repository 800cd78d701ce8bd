//! Refused logins, counted in memory by account, minute and address, and written down as audit events when the minute is
//! over: refusing a login costs no write.
//!
//! Whatever strangers do, memory and disk are bounded. Where there are too many addresses, the counts are kept and the
//! addresses given up; where there are too many minutes, because the store takes no writes for long, the minutes.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Mutex as AsyncMutex;

use super::{Authority, Origin, Unavailable};
use crate::domain::{LoginRefusal, OrganizationId, RefusedLogins, ServiceAccountId, Timestamp};

/// How many addresses of one account are told apart in a minute: so many events it gets at most, and one more for all its
/// other addresses.
const ADDRESSES_OF_ACCOUNT: usize = 16;
/// How many addresses of all accounts together are told apart in a minute.
const ADDRESSES: usize = 1000;
/// How many accounts are counted in a minute. The refusals of further ones are not recorded.
const ACCOUNTS: usize = 5000;
/// How many events wait to be written, each of its minute and address. What is more becomes one event an account, of as many
/// accounts; the refusals of further ones are not recorded. Together with what is counted some 15 MB.
const WAITING: usize = 10_000;
/// How many events are written in one transaction, which holds up other changes of their organizations.
const BATCH: usize = 32;

/// For whom logins are counted that name no account. They are never written down.
const NOBODY: (OrganizationId, ServiceAccountId) = (
    OrganizationId::from_bytes([0; 16]),
    ServiceAccountId::from_bytes([0; 16]),
);

/// The refused logins that are not written yet.
#[derive(Default)]
pub(super) struct Recorder {
    /// The running minute, and those over that no flush has taken.
    counting: Mutex<Vec<Minute>>,
    /// Held while it is written, so that nothing is written twice.
    waiting: AsyncMutex<Waiting>,
}

/// What was counted of one minute.
struct Minute {
    /// Since the Unix epoch.
    number: i64,
    /// By account, and there by address.
    accounts: HashMap<ServiceAccountId, Vec<RefusedLogins>>,
    /// How many of them have an address.
    addresses: usize,
}

/// What is over, in the order in which it is written.
#[derive(Default)]
struct Waiting {
    in_order: VecDeque<RefusedLogins>,
    /// What found no room there.
    beyond: HashMap<ServiceAccountId, RefusedLogins>,
}

impl Recorder {
    /// Counts a login refused at `now` to an account of an organization. `None`: to nobody, which must take as long.
    pub(super) fn count(
        &self,
        whom: Option<(OrganizationId, ServiceAccountId)>,
        origin: &Origin<'_>,
        refusal: LoginRefusal,
        now: Timestamp,
    ) {
        let (organization, account) = whom.unwrap_or(NOBODY);
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

    /// Takes out what was counted in minutes other than the `running` one.
    fn take(&self, running: Option<i64>) -> Vec<Minute> {
        self.counting()
            .extract_if(.., |minute| Some(minute.number) != running)
            .collect()
    }

    fn counting(&self) -> MutexGuard<'_, Vec<Minute>> {
        self.counting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Minute {
    /// The one of `now`.
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
    /// Takes in what is over.
    fn keep(&mut self, minutes: Vec<Minute>) {
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
            let has_room = self.beyond.len() < WAITING;
            match self.beyond.entry(refused.account_id) {
                Entry::Occupied(mut known) => known.get_mut().merge(refused),
                Entry::Vacant(_) if !has_room => {}
                Entry::Vacant(new) => drop(new.insert(refused)),
            }
        }
    }

    /// What is to be written next. Empty: nothing is left.
    fn next_batch(&mut self) -> Vec<RefusedLogins> {
        if self.in_order.is_empty() {
            let beyond = mem::take(&mut self.beyond).into_values();
            self.in_order.extend(beyond);
        }
        let mut batch = self
            .in_order
            .iter()
            .take(BATCH)
            .cloned()
            .collect::<Vec<_>>();
        // Each event locks its organization. If all nodes go in the same order, none waits for another that waits for it.
        batch.sort_by_key(|refused| refused.organization_id);
        batch
    }
}

impl Authority {
    /// Writes down the logins that were refused in minutes that are over. To be called every few seconds. What could not be
    /// written is kept for the next time.
    ///
    /// Not to be dropped half-way, unless none follows: what is being written then would be written twice.
    pub async fn flush_refused_logins(&self) -> Result<(), Unavailable> {
        let running = self.clock.now()?.whole_minutes();
        self.write_refused_logins(Some(running)).await
    }

    /// The same with the running minute. To be called when the last request is answered.
    pub async fn flush_all_refused_logins(&self) -> Result<(), Unavailable> {
        self.write_refused_logins(None).await
    }

    async fn write_refused_logins(&self, running: Option<i64>) -> Result<(), Unavailable> {
        let mut waiting = self.refused_logins.waiting.lock().await;
        waiting.keep(self.refused_logins.take(running));
        loop {
            let mut batch = waiting.next_batch();
            if batch.is_empty() {
                return Ok(());
            }
            self.tell_ended_secrets(&mut batch).await?;
            let written = batch.len();
            let events = batch.into_iter().map(RefusedLogins::into_event);
            self.store.append_audit_events(events.collect()).await?;
            waiting.in_order.drain(..written);
        }
    }

    /// Looks whether the wrong secrets were right once: what is in use still, and was rotated away, is what an owner most
    /// wants to know.
    async fn tell_ended_secrets(&self, batch: &mut [RefusedLogins]) -> Result<(), Unavailable> {
        let mut known = HashMap::new();
        for refused in batch
            .iter_mut()
            .filter(|refused| refused.has_wrong_secrets())
        {
            let account = refused.account_id;
            let ended = match known.entry(account) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let ended = self.store.find_ended_secrets(account);
                    new.insert(ended.await?)
                }
            };
            refused.tell_ended(ended);
        }
        Ok(())
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

    fn count(recorder: &Recorder, account: Option<u32>, address: u32, now: Timestamp) {
        let origin = Origin {
            request_id: None,
            address: Some(IpAddr::V4(address.into())),
        };
        let refusal = LoginRefusal::WrongSecret(SecretDigest::from_bytes([0; 32]));
        let whom = account.map(|number| (ORGANIZATION, self::account(number)));
        recorder.count(whom, &origin, refusal, now);
    }

    /// What would be written now, and how many logins it counts.
    fn waiting(recorder: Recorder) -> (Vec<RefusedLogins>, usize) {
        let mut waiting = Waiting::default();
        waiting.keep(recorder.take(None));
        let mut all = Vec::new();
        loop {
            let batch = waiting.next_batch();
            if batch.is_empty() {
                break;
            }
            waiting.in_order.drain(..batch.len());
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
    fn of_ten_thousand_addresses_the_first_are_told_apart_and_all_are_counted() {
        let recorder = Recorder::default();
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
    fn of_many_accounts_the_addresses_are_given_up_first() {
        let recorder = Recorder::default();
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
    fn who_names_no_account_is_counted_and_forgotten() {
        let recorder = Recorder::default();
        for address in 0..10_000 {
            count(&recorder, None, address, SECOND);
        }
        assert_eq!(recorder.counting()[0].addresses, ADDRESSES_OF_ACCOUNT);
        assert!(waiting(recorder).0.is_empty());
    }

    #[test]
    fn minutes_are_told_apart_whatever_the_clock_does() {
        let recorder = Recorder::default();
        for seconds in [59, 60, 59, 61, 119, 0] {
            let now = Timestamp::from_millis(0).plus_seconds(seconds);
            count(&recorder, Some(1), 1, now);
        }
        assert_eq!(recorder.take(Some(0)).len(), 1);
        assert_eq!(recorder.take(Some(1)).len(), 1);
        assert_eq!(recorder.take(None).len(), 0);
    }

    /// Two accounts keep failing while nothing can be written, one of them from a new address each minute.
    #[test]
    fn while_the_store_is_away_the_minutes_are_given_up_at_last() {
        const MINUTES: u32 = WAITING as u32;
        let recorder = Recorder::default();
        let mut waiting = Waiting::default();
        for minute in 0..MINUTES {
            let now = SECOND.plus_seconds(60 * minute);
            count(&recorder, Some(1), 1, now);
            count(&recorder, Some(2), minute, now);
            waiting.keep(recorder.take(None));
        }
        assert_eq!(waiting.in_order.len(), WAITING);
        assert_eq!(waiting.beyond.len(), 2);
        let (number, half) = (WAITING / 2, MINUTES / 2);
        let one = waiting.beyond.remove(&account(1)).unwrap();
        assert_eq!(one.first_at, SECOND.plus_seconds(60 * half));
        let event = one.into_event();
        assert_eq!(event.address, None);
        let detail = [
            ("count", number.to_string()),
            ("wrongSecret", number.to_string()),
            ("minutes", number.to_string()),
        ];
        assert_eq!(event.detail, detail);

        // What waits in order goes first, and then the rest.
        for _ in 0..WAITING.div_ceil(BATCH) {
            let batch = waiting.next_batch();
            assert!(batch.iter().all(|refused| refused.address.is_some()));
            waiting.in_order.drain(..batch.len());
        }
        assert_eq!(waiting.next_batch().len(), 1);
    }

    #[test]
    fn what_waits_is_bounded_for_any_number_of_accounts() {
        let recorder = Recorder::default();
        let mut waiting = Waiting::default();
        for number in 0..3 * WAITING as u32 {
            count(&recorder, Some(number), 1, SECOND);
            waiting.keep(recorder.take(None));
        }
        assert_eq!(waiting.in_order.len(), WAITING);
        assert_eq!(waiting.beyond.len(), WAITING);
    }
}
