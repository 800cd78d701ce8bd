//! The clock and the source of randomness. The authority is given both, so that a test can set the time and the random bytes.

use std::{
    cell::RefCell,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use zeroize::{Zeroize as _, Zeroizing};

use crate::domain::Timestamp;

/// A clock.
pub trait Clock: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> Result<Timestamp, ClockError>;
}

/// The clock shows an impossible time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system clock shows a time before 1970; set the clock")]
pub struct ClockError;

/// A cryptographically secure source of randomness.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` with random bits.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The source of randomness failed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the random number generator of the system failed")]
pub struct EntropyError;

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the time comes from"
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

/// The generator of the cryptographic library, seeded by the operating system.
///
/// Each thread draws 512 bytes at a time, since a draw costs about the same for a block as for one token id: 0.34 µs of a token
/// request, 3 percent.
#[derive(Debug, Default)]
pub struct SystemEntropy(SystemRandom);

/// Random bytes; those before `used` were handed out and are wiped.
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
                // If the draw fails, the block must not be used again.
                block.used = BLOCK_BYTES;
                self.0.fill(&mut *block.bytes).map_err(|_| EntropyError)?;
                block.used = 0;
            }
            let drawn = &mut block.bytes[block.used..][..bytes.len()];
            bytes.copy_from_slice(drawn);
            // They may become a secret.
            drawn.zeroize();
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

    /// A16: 256 bits from the operating system's generator. A fault in the generator or in the conversion to base62, such as modulo
    /// bias, would show in how often each character occurs at each position.
    #[test]
    fn secrets_do_not_repeat_and_their_characters_are_even() {
        const SECRETS: usize = 100_000;
        /// The random characters after `prk_`. The 43rd is the most significant digit of a number below 2^256, which is less than
        /// 62^43, so its distribution is not even.
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
            assert!(seen.insert(text[RANDOM].to_vec()), "a secret repeats");
        }
        let expected = SECRETS as f64 / 62.0;
        for at in RANDOM {
            let chi_square: f64 = (b'0'..=b'9')
                .chain(b'A'..=b'Z')
                .chain(b'a'..=b'z')
                .map(|c| (f64::from(counts[at][usize::from(c)]) - expected).powi(2) / expected)
                .sum();
            // 61 degrees of freedom: by chance this is exceeded less than once in 10^12 positions.
            assert!(chi_square < 180.0, "character {at}: {chi_square}");
        }
    }
}
