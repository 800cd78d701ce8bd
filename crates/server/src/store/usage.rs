//! Use: when, and how much a day. It is counted in memory and written in the background: issuing a token costs no write.

use super::{
    Store, StoreError,
    database::{Column, Row, Statement, Step, Value},
    during,
};
use crate::domain::{
    ClientProof, DailyUsage, Day, OrganizationId, SecretUse, ServiceAccount, ServiceAccountId,
    Timestamp, Usage,
};

impl From<Day> for Value {
    fn from(day: Day) -> Self {
        day.number().into()
    }
}

impl Column for Day {
    fn read(value: Value) -> Option<Self> {
        i64::read(value).map(Self::from_number)
    }
}

/// How many accounts are written together, before whoever asks for counts gets his turn.
const BATCH: usize = 256;
/// How many accounts' use a flush takes out of their records at most; the next one goes on with further ones.
pub(super) const ROUND: usize = 1 << 15;

/// Counting. None of it waits for the database.
impl Store {
    /// Counts a token issued to `account`, as a use of what `proof` names.
    pub fn count_issued(&self, account: ServiceAccountId, proof: ClientProof, now: Timestamp) {
        let ClientProof::Secret(secret) = proof;
        let memory = self.memory.as_deref();
        if !memory.is_some_and(|memory| memory.count_issued(account, secret, now)) {
            self.usage.count(account, |usage| usage.issued(secret, now));
        }
    }

    /// Counts a token refused to `account`, which exists.
    pub fn count_refused(&self, account: ServiceAccountId, now: Timestamp) {
        let memory = self.memory.as_deref();
        if !memory.is_some_and(|memory| memory.count_refused(account, now)) {
            self.usage.count(account, |usage| usage.refused(now));
        }
    }

    /// Resolves when use should be [written](Self::flush_usage) at once: that of very many accounts is counted, or it keeps
    /// others from being remembered.
    pub async fn flush_is_due(&self) {
        self.usage.is_due.notified().await;
    }

    /// When the secrets of `account` were used, as far as this node knows and the database perhaps does not.
    pub(super) fn pending_secret_uses(&self, account: ServiceAccountId) -> Vec<SecretUse> {
        self.with_counted(account, |counted| {
            let mut usage = counted.clone();
            for used in self.usage.secret_uses(account) {
                usage.used(used);
            }
            usage.secrets
        })
    }

    fn with_counted<T>(&self, account: ServiceAccountId, look: impl Fn(&Usage) -> T) -> T {
        match &self.memory {
            Some(memory) => memory.with_counted(account, look),
            None => look(&Usage::default()),
        }
    }

    /// `account` as it was read, with the use that is not written yet.
    pub(super) fn with_pending_use(&self, mut account: ServiceAccount) -> ServiceAccount {
        let uses = self.pending_secret_uses(account.id);
        let last = uses.iter().map(|used| used.last_used_at).max();
        account.last_used_at = account.last_used_at.max(last);
        account
    }
}

/// Writing.
impl Store {
    /// Writes use that was counted: of up to some 30,000 accounts, those whose turn it is, or all if there are no more. To be
    /// called every few seconds. What could not be written is kept for the next time; the error is the first of those met.
    ///
    /// Not to be dropped half-way, unless none follows: what is being written then would be written twice.
    pub async fn flush_usage(&self) -> Result<(), StoreError> {
        self.flush_round().await.map(drop)
    }

    /// Writes all of it. To be called when the last request is answered.
    pub async fn flush_all_usage(&self) -> Result<(), StoreError> {
        while self.flush_round().await? == ROUND {}
        Ok(())
    }

    /// Writes a round. How many accounts' records it took use from.
    async fn flush_round(&self) -> Result<usize, StoreError> {
        let mut accounts = self.usage.begin_flush();
        let used = self.memory.as_ref().map(|memory| memory.pick_used(ROUND));
        let used = used.unwrap_or_default();
        accounts.extend(&used);
        // Two nodes then do not wait for each other in a circle, and neighbours share the pages that are written.
        accounts.sort_unstable();
        accounts.dedup();
        let mut failed = Ok(used.len());
        for batch in accounts.chunks(BATCH) {
            let Err(error) = self.flush_accounts(batch).await else {
                continue;
            };
            // One batch may fail alone, by an account that somebody keeps locked; after a second the store is away.
            if failed.is_err() {
                break;
            }
            failed = Err(error);
        }
        failed
    }

    async fn flush_accounts(&self, accounts: &[ServiceAccountId]) -> Result<(), StoreError> {
        let _moving = self.usage.moving.write().await;
        if let Some(memory) = &self.memory {
            memory.hand_over(accounts);
        }
        let uses: Vec<_> = accounts
            .iter()
            .map(|&account| (account, self.usage.of(account)))
            // Another flush may have been faster.
            .filter(|(_, usage)| !usage.is_empty())
            .collect();
        if uses.is_empty() {
            return Ok(());
        }
        self.add_usage(&uses).await?;
        for (account, written) in uses {
            self.usage.settle(account, written);
        }
        Ok(())
    }

    /// Adds to what is known of the use of some accounts: counts are added, and no last use moves back, so that nodes may
    /// do so in any order. What is no account (any more) is passed over.
    ///
    /// They are to be in the order of their ids: then two nodes do not wait for each other in a circle, and neighbours
    /// share the pages that are written.
    pub async fn add_usage(&self, uses: &[(ServiceAccountId, Usage)]) -> Result<(), StoreError> {
        let steps = uses.iter().flat_map(|(id, usage)| additions(*id, usage));
        let steps = steps.map(Step::Run).collect();
        let last_uses: Vec<_> = uses
            .iter()
            .filter_map(|(id, usage)| Some((*id, usage.last_used_at()?)))
            .collect();
        self.write_and_then("recording use", steps, move |memory, outcome| {
            for (id, at) in last_uses {
                match outcome {
                    Ok(_) => memory.used(id, at),
                    // Perhaps it was written.
                    Err(_) => memory.forget(id),
                }
            }
        })
        .await
        .map(drop)
    }

    /// The days from `since` on on which the account was used, in no order; a day may be there twice, and both count. `None`:
    /// `organization` has no such account.
    pub async fn find_usage(
        &self,
        organization: OrganizationId,
        id: ServiceAccountId,
        since: Day,
    ) -> Result<Option<Vec<DailyUsage>>, StoreError> {
        const DOING: &str = "reading use";
        let select = Statement::new(
            "SELECT u.day, u.tokens_issued, u.tokens_refused FROM service_accounts a \
             LEFT JOIN usage u ON u.service_account_id = a.id AND u.day >= $3 \
             WHERE a.organization_id = $1 AND a.id = $2 ORDER BY u.day",
            [organization.into(), id.into(), since.into()],
        );
        // What is counted is not to be written between the two.
        let _still = self.usage.moving.read().await;
        let rows = self.read(DOING, select).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let pending = self.with_counted(id, |counted| {
            let mut usage = counted.clone();
            usage.add(&self.usage.of(id));
            usage.days
        });
        let day = |mut row: Row| {
            let Some(day) = row.next()? else {
                return Ok(None);
            };
            Ok(Some(DailyUsage {
                day,
                tokens_issued: row.next()?,
                tokens_refused: row.next()?,
            }))
        };
        rows.into_iter()
            .filter_map(|row| day(row).transpose())
            .chain(pending.into_iter().map(Ok))
            .collect::<Result<_, _>>()
            .map(Some)
            .map_err(during(DOING))
    }

    /// Forgets the counts of the days before `day`.
    pub async fn sweep_usage(&self, day: Day) -> Result<(), StoreError> {
        let sweep = Statement::new("DELETE FROM usage WHERE day < $1", [day.into()]);
        self.write("sweeping old use", vec![Step::Run(sweep)])
            .await
            .map(drop)
    }
}

/// The statements that add the use of one account. The first locks its row, so that it stays until all is added.
fn additions(id: ServiceAccountId, usage: &Usage) -> impl Iterator<Item = Statement> {
    let account = Statement::new(
        "UPDATE service_accounts SET last_used_at = \
         CASE WHEN last_used_at IS NULL OR last_used_at < $2 THEN $2 ELSE last_used_at END WHERE id = $1",
        [id.into(), usage.last_used_at().into()],
    );
    let secrets = usage.secrets.iter().map(move |used| {
        Statement::new(
            "UPDATE secrets SET first_used_at = coalesce(first_used_at, $3), last_used_at = \
             CASE WHEN last_used_at IS NULL OR last_used_at < $4 THEN $4 ELSE last_used_at END \
             WHERE service_account_id = $1 AND id = $2",
            [
                id.into(),
                used.id.into(),
                used.first_used_at.into(),
                used.last_used_at.into(),
            ],
        )
    });
    let days = usage.days.iter().map(move |day| {
        Statement::new(
            "INSERT INTO usage (service_account_id, day, tokens_issued, tokens_refused) \
             SELECT id, $2, $3, $4 FROM service_accounts WHERE id = $1 \
             ON CONFLICT (service_account_id, day) DO UPDATE SET \
             tokens_issued = usage.tokens_issued + excluded.tokens_issued, \
             tokens_refused = usage.tokens_refused + excluded.tokens_refused",
            [
                id.into(),
                day.day.into(),
                day.tokens_issued.into(),
                day.tokens_refused.into(),
            ],
        )
    });
    std::iter::once(account).chain(secrets).chain(days)
}
