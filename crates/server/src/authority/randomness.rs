//! Random bytes and the random part of ids.

use super::{ambient::EntropyError, state::Authority, unavailable::Unavailable};
use crate::domain::Timestamp;

impl Authority {
    /// 64 random bits in hexadecimal: the prefix of the request ids of one process.
    pub fn random_prefix(&self) -> Result<String, Unavailable> {
        Ok(format!("{:016x}", u64::from_be_bytes(self.random()?)))
    }

    pub(super) fn random<const N: usize>(&self) -> Result<[u8; N], EntropyError> {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The random part of an id created at `now`. It begins with the number of the id in its millisecond, so that the ids of
    /// this node sort in the order of their creation.
    pub(super) fn ordered_random(&self, now: Timestamp) -> Result<[u8; 10], EntropyError> {
        let mut random = self.random::<10>()?;
        random[..2].copy_from_slice(&self.id_sequence.next(now).to_be_bytes());
        Ok(random)
    }
}
