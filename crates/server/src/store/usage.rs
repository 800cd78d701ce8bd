//! What is remembered of use: when, and how much a day.

use super::{
    Store, StoreError, Written,
    database::{Column, Row, Statement, Step, Value},
    during,
};
use crate::domain::{DailyUsage, Day, OrganizationId, ServiceAccountId, Usage};

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

impl Store {
    /// How many accounts' usage is best recorded at once. A database that one process owns commits together what waits;
    /// of one that is shared, most connections are left to those who wait for an answer.
    pub fn usage_writes_at_once(&self) -> usize {
        if self.database.is_solely_owned() {
            128
        } else {
            4
        }
    }

    /// Adds to what is known of the account's use: counts are added, and no last use moves back, so that nodes may do so in
    /// any order. `false`: there is no such account (any more), and nothing is added.
    pub async fn add_usage(&self, id: ServiceAccountId, usage: &Usage) -> Result<bool, StoreError> {
        // Touches the row whether or not the instant moves, so that "no row" means "no account"; and locks it, so that
        // the account stays until all is added.
        let account = Statement::new(
            "UPDATE service_accounts SET last_used_at = \
             CASE WHEN last_used_at IS NULL OR last_used_at < $2 THEN $2 ELSE last_used_at END WHERE id = $1",
            [id.into(), usage.last_used_at().into()],
        );
        let secrets = usage.secrets.iter().map(|used| {
            Statement::new(
                "UPDATE secrets SET first_used_at = coalesce(first_used_at, $2), last_used_at = \
                 CASE WHEN last_used_at IS NULL OR last_used_at < $3 THEN $3 ELSE last_used_at END WHERE id = $1",
                [
                    used.id.into(),
                    used.first_used_at.into(),
                    used.last_used_at.into(),
                ],
            )
        });
        let days = usage.days.iter().map(|day| {
            Statement::new(
                "INSERT INTO usage (service_account_id, day, tokens_issued, tokens_refused) VALUES ($1, $2, $3, $4) \
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
        let steps = std::iter::once(Step::Require(account))
            .chain(secrets.chain(days).map(Step::Run))
            .collect();
        let used_at = usage.last_used_at();
        let written = self
            .write_and_then("recording use", steps, move |memory, outcome| {
                match (outcome, used_at) {
                    (Ok(Written::Wholly), Some(at)) => memory.used(id, at),
                    (Ok(_), _) => {}
                    // Perhaps it was written.
                    (Err(_), _) => memory.forget(id),
                }
            })
            .await?;
        Ok(written == Written::Wholly)
    }

    /// The days from `since` on, in order, on which the account was used. `None`: `organization` has no such account.
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
        let rows = self.read(DOING, select).await?;
        if rows.is_empty() {
            return Ok(None);
        }
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
