//! How often somebody may try: buckets that fill slowly and are emptied by tries.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Tries of one name in a row, and how long one more takes to come.
const NAME: Rate = Rate { burst: 10, every: Duration::from_secs(30) };
/// The same for one address, behind which there may be a whole office.
const ADDRESS: Rate = Rate { burst: 30, every: Duration::from_secs(5) };
/// Names and addresses that are remembered, at most.
const MOST: usize = 4096;

/// Tries to log in, by name and by address.
pub(super) struct Tries {
    names: Mutex<Buckets<String>>,
    addresses: Mutex<Buckets<IpAddr>>,
}

#[derive(Clone, Copy)]
struct Rate {
    burst: u32,
    every: Duration,
}

/// For each key the instant at which its bucket is full again; whoever is not here has a full one.
struct Buckets<K> {
    rate: Rate,
    full_at: HashMap<K, Instant>,
}

impl Tries {
    pub(super) fn new() -> Self {
        Self { names: Mutex::new(Buckets::new(NAME)), addresses: Mutex::new(Buckets::new(ADDRESS)) }
    }

    /// Counts a try. `Err` says after how many seconds the next one may succeed; that try was not counted, and nothing
    /// was looked up for it.
    pub(super) fn take(&self, name: &str, address: IpAddr, now: Instant) -> Result<(), u64> {
        // The address first: one that tries too often locks nobody else's name.
        let taken = lock(&self.addresses).take(address, now);
        let taken = taken.and_then(|()| lock(&self.names).take(name.to_owned(), now));
        taken.map_err(|wait| wait.as_secs() + 1)
    }

    /// Gives a name its tries back: its password was right.
    pub(super) fn succeeded(&self, name: &str, address: IpAddr) {
        lock(&self.names).full_at.remove(name);
        lock(&self.addresses).give_back(&address);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, full_at: HashMap::new() }
    }

    fn take(&mut self, key: K, now: Instant) -> Result<(), Duration> {
        let Rate { burst, every } = self.rate;
        let since = self.full_at.get(&key).map_or(now, |at| (*at).max(now));
        // The bucket is empty when it takes a whole burst to be full again.
        let after = since + every;
        let empty = now + every * burst;
        if after > empty {
            return Err(after - empty);
        }
        if self.full_at.len() >= MOST && !self.full_at.contains_key(&key) {
            self.make_room(now);
        }
        self.full_at.insert(key, after);
        Ok(())
    }

    fn give_back(&mut self, key: &K) {
        if let Some(at) = self.full_at.get_mut(key) {
            *at -= self.rate.every;
        }
    }

    /// Forgets those whose buckets are full, or else the one that is fullest.
    fn make_room(&mut self, now: Instant) {
        self.full_at.retain(|_, at| *at > now);
        if self.full_at.len() >= MOST
            && let Some(fullest) = self.full_at.iter().min_by_key(|(_, at)| **at).map(|(key, _)| key.clone())
        {
            self.full_at.remove(&fullest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn other(n: usize) -> IpAddr {
        IpAddr::from((0xc633_6400_u32 + u32::try_from(n).unwrap()).to_be_bytes())
    }

    #[test]
    fn a_name_has_ten_tries_then_one_in_half_a_minute_wherever_they_come_from() {
        let (tries, now) = (Tries::new(), Instant::now());
        let taken = (0..1000).filter(|n| tries.take("wang", other(*n), now).is_ok()).count();
        assert_eq!(taken, 10);
        let wait = tries.take("wang", HERE, now).unwrap_err();
        assert!((29..=31).contains(&wait), "{wait}");
        assert_eq!(tries.take("li", HERE, now), Ok(()), "another name");
        let later = now + Duration::from_secs(wait);
        assert_eq!((tries.take("wang", HERE, later).is_ok(), tries.take("wang", HERE, later).is_ok()), (true, false));
    }

    #[test]
    fn an_address_has_thirty_tries_then_one_in_five_seconds_whatever_the_names() {
        let (tries, now) = (Tries::new(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!((0..1000).filter(|n| tries.take(&n.to_string(), HERE, now).is_ok()).count(), 30);
        assert_eq!((0..1000).filter(|n| tries.take(&n.to_string(), HERE, at(10)).is_ok()).count(), 2);
        assert_eq!(tries.take("wang", other(1), now), Ok(()), "another address");
    }

    #[test]
    fn the_right_password_gives_the_tries_back() {
        let (tries, now) = (Tries::new(), Instant::now());
        for _ in 0..1000 {
            assert_eq!(tries.take("wang", HERE, now), Ok(()));
            tries.succeeded("wang", HERE);
        }
    }

    #[test]
    fn a_flood_of_names_is_bounded_and_does_not_free_the_one_that_is_locked() {
        let (tries, now) = (Tries::new(), Instant::now());
        while tries.take("wang", other(0), now).is_ok() {}
        for n in 0..2 * MOST {
            tries.take(&format!("n{n}"), other(n), now).ok();
        }
        assert!(lock(&tries.names).full_at.len() <= MOST && lock(&tries.addresses).full_at.len() <= MOST);
        assert!(tries.take("wang", HERE, now).is_err());
    }
}
