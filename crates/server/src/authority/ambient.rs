//! The clock and the source of randomness: the two things that a server takes from the world around it. They are handed
//! to the authority, so that a test can move the one and seed the other.

use std::{
    cell::RefCell,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use zeroize::{Zeroize as _, Zeroizing};

use crate::domain::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Result<Timestamp, ClockError>;
}

/// The clock shows no time that can be.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the clock shows a time before 1970; set it")]
pub struct ClockError;

/// A source of randomness fit for secrets.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` with random bits.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The source of randomness gave none.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct EntropyError;

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the time comes from"
    )]
    fn now(&self) -> Result<Timestamp, ClockError> {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .map(Timestamp::from_millis)
            .ok_or(ClockError)
    }
}

/// The generator of the cryptographic library, seeded by the operating system. Each thread draws a block at a time: a draw
/// costs about the same for a block as for one token id.
#[derive(Debug, Default)]
pub struct SystemEntropy(SystemRandom);

/// Random bytes that nobody has been given yet.
struct Block {
    bytes: Zeroizing<[u8; BLOCK_BYTES]>,
    used: usize,
}

const BLOCK_BYTES: usize = 512;

thread_local! {
    static BLOCK: RefCell<Block> = RefCell::new(Block {
        bytes: Zeroizing::new([0; BLOCK_BYTES]),
        used: BLOCK_BYTES,
    });
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        if bytes.len() > BLOCK_BYTES {
            return self.0.fill(bytes).map_err(|_| EntropyError);
        }
        BLOCK.with_borrow_mut(|block| {
            if block.used + bytes.len() > BLOCK_BYTES {
                // Should the draw fail, what is in the block has been given out.
                block.used = BLOCK_BYTES;
                self.0.fill(&mut *block.bytes).map_err(|_| EntropyError)?;
                block.used = 0;
            }
            let given = &mut block.bytes[block.used..][..bytes.len()];
            bytes.copy_from_slice(given);
            // Nobody finds here later what was made of it.
            given.zeroize();
            block.used += bytes.len();
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::ClientSecret;

    /// A16: 256 bits from the operating system's generator. A fault in the generator or in the conversion to base62 (a
    /// modulo bias, say) would show in how often each character stands in each place.
    #[test]
    fn secrets_do_not_repeat_and_their_characters_are_even() {
        const SECRETS: usize = 100_000;
        /// The random characters begin behind `prk_`. The 43rd is the most significant digit of a number below 2^256,
        /// which does not reach 62^43, so that one is not even.
        const RANDOM: std::ops::Range<usize> = 4..46;

        let entropy = SystemEntropy::default();
        let mut seen = HashSet::with_capacity(SECRETS);
        let mut counts = vec![[0u32; 128]; RANDOM.end];
        for _ in 0..SECRETS {
            let mut random = [0; 32];
            entropy.fill(&mut random).unwrap();
            let secret = ClientSecret::from_random(random);
            let text = secret.expose().as_bytes();
            assert_eq!(text.len(), ClientSecret::CHARS);
            for at in RANDOM {
                counts[at][usize::from(text[at])] += 1;
            }
            assert!(seen.insert(text[RANDOM].to_vec()), "a secret came twice");
        }
        let expected = SECRETS as f64 / 62.0;
        for at in RANDOM {
            let chi_square: f64 = (b'0'..=b'9')
                .chain(b'A'..=b'Z')
                .chain(b'a'..=b'z')
                .map(|c| (f64::from(counts[at][usize::from(c)]) - expected).powi(2) / expected)
                .sum();
            // 61 degrees of freedom: chance exceeds this less than once in 10^12 places.
            assert!(chi_square < 180.0, "character {at}: {chi_square}");
        }
    }
}
