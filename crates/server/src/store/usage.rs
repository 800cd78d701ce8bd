//! Usage: when secrets were used, and how many tokens were issued and refused each day.
//!
//! Usage is counted in memory and flushed in the background, so that issuing a token writes nothing.

use super::{
    database::{Column, Row, Statement, Step, Value},
    error::{StoreError, during},
    handle::Store,
};
use crate::domain::{
    ClientProof, DailyUsage, Day, OrganizationId, ServiceAccount, ServiceAccountId, Timestamp,
    Usage,
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

/// How many accounts a transaction of a flush writes; between two, those who read usage get a turn.
const BATCH_ACCOUNTS: usize = 256;

/// Counting. It does not wait for the database.
impl Store {
    /// Counts a token issued to `account`, as a use of what `proof` names.
    pub fn count_issued(&self, account: ServiceAccountId, proof: ClientProof, now: Timestamp) {
        let ClientProof::Secret(secret) = proof;
        self.memory.count_issued(account, secret, now);
    }

    /// Counts a token refused to `account`, which must exist.
    pub fn count_refused(&self, account: ServiceAccountId, now: Timestamp) {
        self.memory.count_refused(account, now);
    }

    /// Adds unwritten usage to an account that was read.
    pub(super) fn with_unwritten_use(&self, mut account: ServiceAccount) -> ServiceAccount {
        let uses = self.memory.secret_uses(account.id);
        let last = uses.iter().map(|used| used.last_used_at).max();
        account.last_used_at = account.last_used_at.max(last);
        account
    }
}

/// Flushing.
impl Store {
    /// Resolves when usage should be [flushed](Self::flush_usage) at once: that of very many accounts is unwritten, or it keeps
    /// other accounts out of the cache.
    pub async fn flush_is_due(&self) {
        self.memory.flush_is_due().await;
    }

    /// Writes unwritten usage, of at most some 30,000 cached clients; the next flush goes on with the others. Call it every few
    /// seconds. Usage that could not be written stays in memory; the error is the first one.
    ///
    /// Do not drop the future before it is ready, unless no flush follows: a batch that was being written would be written twice.
    pub async fn flush_usage(&self) -> Result<(), StoreError> {
        self.flush_round().await.map(drop)
    }

    /// Writes all unwritten usage. Call it at shutdown, after the last request.
    pub async fn flush_all_usage(&self) -> Result<(), StoreError> {
        while self.flush_round().await? {}
        Ok(())
    }

    /// Writes the usage of one round of accounts. Returns whether there may be more.
    async fn flush_round(&self) -> Result<bool, StoreError> {
        let round = self.memory.begin_flush();
        let mut outcome = Ok(round.has_more);
        for accounts in round.accounts.chunks(BATCH_ACCOUNTS) {
            let Err(error) = self.flush_batch(accounts).await else {
                continue;
            };
            // One batch may fail by itself, if somebody keeps a row locked. After two failures the database is taken to be down.
            if outcome.is_err() {
                break;
            }
            outcome = Err(error);
        }
        outcome
    }

    async fn flush_batch(&self, accounts: &[ServiceAccountId]) -> Result<(), StoreError> {
        let batch = self.memory.begin_batch(accounts).await;
        if !batch.usage().is_empty() {
            self.add_usage(batch.usage()).await?;
        }
        batch.mark_written();
        Ok(())
    }

    /// Adds to the usage of some accounts: counts grow, and no last use moves back, so nodes may do so in any order. An account
    /// that does not exist is skipped.
    async fn add_usage(&self, usages: &[(ServiceAccountId, Usage)]) -> Result<(), StoreError> {
        let steps = usages
            .iter()
            .flat_map(|(id, usage)| additions(*id, usage))
            .map(Step::Run)
            .collect();
        let last_uses: Vec<_> = usages
            .iter()
            .filter_map(|(id, usage)| Some((*id, usage.last_used_at()?)))
            .collect();
        self.write_and_update("recording use", steps, move |memory, written| {
            for (id, at) in last_uses {
                match written {
                    Ok(_) => memory.advance_last_use(id, at),
                    // It may have been written.
                    Err(_) => memory.invalidate(id),
                }
            }
        })
        .await
        .map(drop)
    }
}

/// Reading and sweeping.
impl Store {
    /// The account's usage on the days from `since` on, in no order. A day may occur twice; both count. `None`: `organization`
    /// has no such account.
    pub async fn find_usage(
        &self,
        organization: OrganizationId,
        id: ServiceAccountId,
        since: Day,
    ) -> Result<Option<Vec<DailyUsage>>, StoreError> {
        const OPERATION: &str = "reading use";
        let select = Statement::new(
            "SELECT u.day, u.tokens_issued, u.tokens_refused FROM service_accounts a \
             LEFT JOIN usage u ON u.service_account_id = a.id AND u.day >= $3 \
             WHERE a.organization_id = $1 AND a.id = $2 ORDER BY u.day",
            [organization.into(), id.into(), since.into()],
        );
        let read = self.read(OPERATION, select);
        let (rows, unwritten) = self.memory.with_unwritten_usage(id, read).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        // An account without usage has one row, without a day.
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
            .chain(unwritten.days.into_iter().map(Ok))
            .collect::<Result<_, _>>()
            .map(Some)
            .map_err(during(OPERATION))
    }

    /// Deletes the counts of the days before `day`.
    pub async fn sweep_usage(&self, day: Day) -> Result<(), StoreError> {
        let sweep = Statement::new("DELETE FROM usage WHERE day < $1", [day.into()]);
        self.write("sweeping old use", vec![Step::Run(sweep)])
            .await
            .map(drop)
    }
}

/// The statements that add the usage of one account. The first one locks the account's row, so that it cannot be deleted before
/// the last one has run.
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
