//! Bounds the log lines that strangers can cause.

use std::{
    collections::HashMap,
    mem,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// The lines of one address in one minute.
const LINES_OF_ADDRESS: u32 = 60;
/// The lines of all addresses in one minute.
const LINES_OF_ALL: u32 = 3000;
/// The addresses that are counted one by one, and named in the summary. All others share one count.
const ADDRESSES: usize = 1024;

/// Counts the log lines of requests whose sender proved no identity, by address and minute.
pub(super) struct AnonymousLines {
    begun: Instant,
    /// The minute that is being counted, since `begun`. Read without the lock.
    minute: AtomicU64,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    written: u32,
    by_address: HashMap<IpAddr, Count>,
    of_others: Count,
}

#[derive(Clone, Copy, Default)]
struct Count {
    written: u32,
    omitted: u32,
}

/// How many lines were omitted in the minute that ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Omitted {
    /// Where the requests came from: an IPv4 address, or the first address of an IPv6 network of 64 bits. `None`: from
    /// addresses that were not counted one by one.
    pub(super) address: Option<IpAddr>,
    /// The number of lines.
    pub(super) lines: u32,
}

impl AnonymousLines {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            minute: AtomicU64::new(0),
            counted: Mutex::default(),
        }
    }

    /// Whether a request of `address` may write one more line. Counts the line.
    pub(super) fn permit(&self, address: IpAddr) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let Counted {
            written,
            by_address,
            of_others,
        } = &mut *counted;
        let network = network(address);
        let is_counted = by_address.len() < ADDRESSES || by_address.contains_key(&network);
        let count = if is_counted {
            by_address.entry(network).or_default()
        } else {
            of_others
        };
        let is_permitted = count.written < LINES_OF_ADDRESS && *written < LINES_OF_ALL;
        if is_permitted {
            count.written += 1;
            *written += 1;
        } else {
            count.omitted = count.omitted.saturating_add(1);
        }
        is_permitted
    }

    /// Ends the minute if it has passed, and returns what was omitted in it. Call it with the time of every request.
    pub(super) fn end_minute(&self, now: Instant) -> Vec<Omitted> {
        let minute = now.saturating_duration_since(self.begun).as_secs() / 60;
        if self.minute.load(Ordering::Relaxed) >= minute
            || self.minute.fetch_max(minute, Ordering::Relaxed) >= minute
        {
            return Vec::new();
        }
        let ended = mem::take(&mut *self.counted.lock().unwrap_or_else(PoisonError::into_inner));
        let of_others = (None, ended.of_others);
        let by_address = ended.by_address.into_iter();
        by_address
            .map(|(address, count)| (Some(address), count))
            .chain([of_others])
            .filter(|(_, count)| count.omitted > 0)
            .map(|(address, count)| Omitted {
                address,
                lines: count.omitted,
            })
            .collect()
    }
}

/// Whoever has one IPv6 address has the 64 bits of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn an_address_writes_a_bounded_number_of_lines_a_minute() {
        let now = Instant::now();
        let lines = AnonymousLines::new(now);
        let [noisy, quiet]: [IpAddr; 2] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        let written = (0..1000).filter(|_| lines.permit(noisy)).count();
        assert_eq!(written, 60);
        assert!(lines.permit(quiet));
        assert_eq!(lines.end_minute(now + MINUTE / 2), []);
        let omitted = Omitted {
            address: Some(noisy),
            lines: 940,
        };
        assert_eq!(lines.end_minute(now + MINUTE), [omitted]);
        assert_eq!(lines.end_minute(now + MINUTE), []);
        assert!(lines.permit(noisy));
    }

    #[test]
    fn many_addresses_write_a_bounded_number_of_lines_a_minute() {
        let now = Instant::now();
        let lines = AnonymousLines::new(now);
        let addresses = (0..200_000_u32).map(|n| IpAddr::V4(n.into()));
        let written = addresses.filter(|&address| lines.permit(address)).count();
        assert_eq!(written, 1024 + 60);
        let omitted = lines.end_minute(now + MINUTE);
        let [others] = &omitted[..] else {
            panic!("{omitted:?}")
        };
        assert_eq!((others.address, others.lines), (None, 200_000 - 1084));
    }

    #[test]
    fn the_addresses_of_a_network_are_one() {
        let lines = AnonymousLines::new(Instant::now());
        let address = |n: u128| IpAddr::V6((0x2001_0db8_u128 << 96 | n).into());
        assert_eq!((0..1000).filter(|&n| lines.permit(address(n))).count(), 60);
        assert!(lines.permit(address(1 << 64)));
        let mapped = IpAddr::V6(std::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        assert_eq!(network(mapped), std::net::Ipv4Addr::LOCALHOST);
    }
}
