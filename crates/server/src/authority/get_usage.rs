//! `get_usage`: how many tokens an account got and was refused, day by day.

use super::{Authority, Caller, GetServiceAccountError, Unavailable};
use crate::domain::{DailyUsage, Day, ServiceAccountId};

/// How many days counts are kept.
pub(super) const KEPT_DAYS: i64 = 400;

impl Authority {
    /// The last `days` days of UTC of the account `id` of the caller's organization, oldest first, today last, with those on
    /// which nothing happened. Of other nodes it knows what they have written.
    pub async fn get_usage(
        &self,
        caller: &Caller,
        id: ServiceAccountId,
        days: u32,
    ) -> Result<Vec<DailyUsage>, GetServiceAccountError> {
        let today = Day::of(self.clock.now().map_err(Unavailable::from)?);
        let days = i64::from(days);
        let first = today.back(days - 1);
        let known = self
            .store
            .find_usage(caller.organization_id, id, first)
            .await
            .map_err(Unavailable::from)?
            .ok_or(GetServiceAccountError::NotFound)?;
        let days = (0..days).rev().map(|back| {
            let day = today.back(back);
            let of_day = known.iter().filter(|usage| usage.day == day);
            of_day.fold(DailyUsage::none(day), |sum, usage| DailyUsage {
                day,
                tokens_issued: sum.tokens_issued + usage.tokens_issued,
                tokens_refused: sum.tokens_refused + usage.tokens_refused,
            })
        });
        Ok(days.collect())
    }
}
