//! Refused logins of one account, counted until they are written as one audit event.

use std::{collections::BTreeMap, mem, net::IpAddr};

use super::{
    event::{Action, Actor, AuditEvent},
    login_refusal::LoginRefusal,
};
use crate::domain::{OrganizationId, SecretDigest, SecretId, ServiceAccountId, Timestamp};

/// How many distinct secrets one event tells apart. Logins with further secrets are counted only.
const SECRETS: usize = 8;

/// The refused logins of one account from one address in one minute. Where there are too many to tell apart, they cover
/// several addresses or minutes.
#[derive(Clone, Debug)]
pub struct RefusedLogins {
    /// The account's organization.
    pub organization_id: OrganizationId,
    /// The account. It may have been deleted since.
    pub account_id: ServiceAccountId,
    /// The address of the client. `None`: several addresses.
    pub address: Option<IpAddr>,
    /// When the first login was refused.
    pub first_at: Timestamp,
    last_at: Timestamp,
    request_id: Option<String>,
    /// The number of logins by the name of the reason.
    counts: BTreeMap<&'static str, u64>,
    /// The expired and revoked secrets of the account that were presented.
    secrets: Vec<SecretId>,
    /// The digests that no unrevoked secret has, and how often each was presented.
    wrong_secrets: Vec<(SecretDigest, u64)>,
}

impl RefusedLogins {
    /// Starts with the first login, refused at `now` by the request `request_id`.
    pub fn first(
        organization_id: OrganizationId,
        account_id: ServiceAccountId,
        address: Option<IpAddr>,
        request_id: Option<String>,
        refusal: LoginRefusal,
        now: Timestamp,
    ) -> Self {
        let mut refused = Self {
            organization_id,
            account_id,
            address,
            first_at: now,
            last_at: now,
            request_id,
            counts: BTreeMap::new(),
            secrets: Vec::new(),
            wrong_secrets: Vec::new(),
        };
        refused.count(refusal, now);
        refused
    }

    /// Counts a further refused login.
    pub fn count(&mut self, refusal: LoginRefusal, now: Timestamp) {
        self.last_at = self.last_at.max(now);
        self.add(refusal, 1);
    }

    /// Adds the later logins in `others`, which are of the same account and from any address.
    pub fn merge(&mut self, others: Self) {
        self.address = None;
        self.last_at = self.last_at.max(others.last_at);
        for (reason, times) in others.counts {
            *self.counts.entry(reason).or_default() += times;
        }
        for secret in others.secrets {
            self.name_secret(secret);
        }
        for (digest, times) in others.wrong_secrets {
            self.keep_digest(digest, times);
        }
    }

    /// Whether there are wrong secrets that [`Self::resolve_wrong_secrets`] has not looked at.
    pub fn has_wrong_secrets(&self) -> bool {
        !self.wrong_secrets.is_empty()
    }

    /// Counts a wrong secret under its actual reason if it is one of `ended`: the expired and revoked secrets of the
    /// account, each with the reason to refuse it.
    pub fn resolve_wrong_secrets(&mut self, ended: &[(SecretDigest, LoginRefusal)]) {
        for (digest, times) in mem::take(&mut self.wrong_secrets) {
            let Some((_, refusal)) = ended.iter().find(|(known, _)| known.matches(&digest)) else {
                continue;
            };
            let wrong = LoginRefusal::WrongSecret(digest).name();
            *self.counts.entry(wrong).or_default() -= times;
            self.add(*refusal, times);
        }
    }

    /// The audit event. Its time and request are those of the first refused login.
    pub fn into_event(self) -> AuditEvent {
        let mut detail = vec![("count", self.counts.values().sum::<u64>().to_string())];
        let counts = self.counts.iter().filter(|(_, times)| **times > 0);
        detail.extend(counts.map(|(reason, times)| (*reason, times.to_string())));
        let minutes = 1 + self.last_at.whole_minutes() - self.first_at.whole_minutes();
        if minutes > 1 {
            detail.push(("minutes", minutes.to_string()));
        }
        if !self.secrets.is_empty() {
            let ids = self.secrets.iter().map(SecretId::to_string);
            detail.push(("secretId", ids.collect::<Vec<_>>().join(" ")));
        }
        AuditEvent {
            organization_id: self.organization_id,
            at: self.first_at,
            actor: Actor::Unauthenticated,
            action: Action::RefuseLogin,
            target: self.account_id.to_string(),
            request_id: self.request_id,
            address: self.address,
            detail,
        }
    }

    fn add(&mut self, refusal: LoginRefusal, times: u64) {
        *self.counts.entry(refusal.name()).or_default() += times;
        match refusal {
            LoginRefusal::WrongSecret(digest) => self.keep_digest(digest, times),
            LoginRefusal::ExpiredSecret(secret) | LoginRefusal::EndedSecret(secret) => {
                self.name_secret(secret);
            }
            LoginRefusal::UnusableAccount(_) => {}
        }
    }

    fn name_secret(&mut self, secret: SecretId) {
        if self.secrets.len() < SECRETS && !self.secrets.contains(&secret) {
            self.secrets.push(secret);
        }
    }

    fn keep_digest(&mut self, digest: SecretDigest, times: u64) {
        let same = |(known, _): &(SecretDigest, u64)| known.matches(&digest);
        match self.wrong_secrets.iter().position(same) {
            Some(at) => self.wrong_secrets[at].1 += times,
            None if self.wrong_secrets.len() < SECRETS => self.wrong_secrets.push((digest, times)),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Unusable;

    const EXPIRED: SecretId = SecretId::from_bytes([1; 16]);
    const ENDED: SecretId = SecretId::from_bytes([2; 16]);
    const NOON: Timestamp = Timestamp::from_millis(43_200_000);

    fn wrong(number: u8) -> LoginRefusal {
        LoginRefusal::WrongSecret(digest(number))
    }

    fn digest(number: u8) -> SecretDigest {
        SecretDigest::from_bytes([number; 32])
    }

    fn refused(refusals: &[LoginRefusal]) -> RefusedLogins {
        let mut refused = RefusedLogins::first(
            OrganizationId::from_bytes([3; 16]),
            ServiceAccountId::from_bytes([4; 16]),
            Some([127, 0, 0, 1].into()),
            Some("first".to_owned()),
            refusals[0],
            NOON,
        );
        for refusal in &refusals[1..] {
            refused.count(*refusal, NOON.plus_seconds(59));
        }
        refused
    }

    fn detail(refused: RefusedLogins) -> String {
        let mut detail = refused.into_event().detail;
        detail.sort();
        let fields = detail.iter().map(|(name, value)| format!("{name}={value}"));
        fields.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn reasons_are_counted_and_secrets_of_the_account_are_named() {
        let disabled = LoginRefusal::UnusableAccount(Unusable::Disabled);
        let expired = LoginRefusal::ExpiredSecret(EXPIRED);
        let refusals = [wrong(1), expired, disabled, expired, wrong(2), wrong(1)];
        let mut refused = refused(&refusals);
        assert!(refused.has_wrong_secrets());
        let ended = [
            (digest(1), LoginRefusal::EndedSecret(ENDED)),
            (digest(9), LoginRefusal::ExpiredSecret(EXPIRED)),
        ];
        let untold = "accountDisabled=1, count=6, expiredSecret=2";
        assert_eq!(
            detail(refused.clone()),
            format!("{untold}, secretId={EXPIRED}, wrongSecret=3")
        );
        refused.resolve_wrong_secrets(&ended);
        assert!(!refused.has_wrong_secrets());
        assert_eq!(
            detail(refused),
            "accountDisabled=1, count=6, endedSecret=2, expiredSecret=2, \
             secretId=01010101-0101-0101-0101-010101010101 02020202-0202-0202-0202-020202020202, wrongSecret=1"
        );
    }

    #[test]
    fn a_reason_with_count_zero_is_omitted() {
        let mut refused = refused(&[wrong(1), wrong(1)]);
        refused.resolve_wrong_secrets(&[(digest(1), LoginRefusal::EndedSecret(ENDED))]);
        assert_eq!(
            detail(refused),
            format!("count=2, endedSecret=2, secretId={ENDED}")
        );
    }

    #[test]
    fn many_wrong_secrets_are_counted_in_bounded_memory() {
        let guesses = (0..=255).map(wrong).collect::<Vec<_>>();
        let refused = refused(&guesses);
        assert_eq!(refused.wrong_secrets.len(), SECRETS);
        assert_eq!(detail(refused), "count=256, wrongSecret=256");
        let known = (0..=255).map(|number| {
            let id = SecretId::from_bytes([number; 16]);
            LoginRefusal::ExpiredSecret(id)
        });
        let refused = self::refused(&known.collect::<Vec<_>>());
        assert_eq!(refused.secrets.len(), SECRETS);
    }

    #[test]
    fn merged_logins_state_the_number_of_minutes() {
        let mut whole = refused(&[wrong(1)]);
        let mut later = refused(&[wrong(1), LoginRefusal::ExpiredSecret(EXPIRED)]);
        later.count(wrong(2), NOON.plus_seconds(120));
        whole.merge(later);
        whole.resolve_wrong_secrets(&[(digest(1), LoginRefusal::EndedSecret(ENDED))]);
        let event = whole.clone().into_event();
        assert_eq!((event.at, event.address), (NOON, None));
        assert_eq!(event.request_id.as_deref(), Some("first"));
        assert_eq!(
            detail(whole),
            format!(
                "count=4, endedSecret=2, expiredSecret=1, minutes=3, secretId={EXPIRED} {ENDED}, wrongSecret=1"
            )
        );
    }
}
