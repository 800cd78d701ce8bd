//! `get_usage`: how many tokens were issued and refused to an account, by day.

use super::{caller::Caller, get_service_account::GetServiceAccountError, state::Authority};
use crate::domain::{DailyUsage, Day, ServiceAccountId};

/// For how many days counts are kept.
pub(super) const KEPT_DAYS: i64 = 400;

impl Authority {
    /// The counts of the account `id` of the caller's organization for each of the last `days` days (UTC), oldest first and
    /// today last. Days without usage are included. Counts that another node has not written yet are missing.
    pub async fn get_usage(
        &self,
        caller: &Caller,
        id: ServiceAccountId,
        days: u32,
    ) -> Result<Vec<DailyUsage>, GetServiceAccountError> {
        let today = Day::of(self.clock.now()?);
        let days = i64::from(days);
        let first = today.back(days - 1);
        let known = self
            .store
            .find_usage(caller.organization_id, id, first)
            .await?
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
