//! What is remembered of use: when, and how much a day.

use super::{
    Store, StoreError,
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
