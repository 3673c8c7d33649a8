use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Concurrent bcrypt hashes for all clients. Each keeps one core busy for a
/// tenth of a second or more.
pub const MAX_HASHING: usize = 3;

/// Concurrent hashes for one address, so that guesses from there leave one to
/// the others.
pub const MAX_HASHING_PER_ADDRESS: usize = 2;

/// One more hash for addresses from which a user has authenticated, so that
/// guesses from many others do not delay these.
const RESERVED: usize = 1;

/// Requests of one address that wait or hash. Forty connections that guess from
/// a user's own address only delay that user.
pub const MAX_QUEUED_PER_ADDRESS: usize = 64;

/// Requests of all addresses that wait or hash. An address from which a user
/// has authenticated is not refused for it.
const MAX_QUEUED: usize = 512;

/// Addresses from which a user has authenticated, the newest.
const MAX_SEEN: usize = 256;

/// Decides which request may compute a hash next.
///
/// The requests of one address queue among themselves, and only the first two
/// queue with those of other addresses. So addresses take turns, however many
/// requests each has.
#[derive(Debug)]
pub(crate) struct HashQueue {
    hashing: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    queued: Arc<Mutex<Queued>>,
    seen: Mutex<VecDeque<IpAddr>>,
}

/// The requests that wait or hash.
#[derive(Debug, Default)]
struct Queued {
    total: usize,
    addresses: HashMap<IpAddr, OfAddress>,
}

#[derive(Debug)]
struct OfAddress {
    turns: Arc<Semaphore>,
    queued: usize,
}

/// The permission to compute a hash, until it is dropped.
#[derive(Debug)]
pub(crate) struct HashPermit {
    _hashing: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
    _place: Place,
}

/// A place in the queue, which ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    queued: Arc<Mutex<Queued>>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queued = self.queued.lock();
        queued.total = queued.total.saturating_sub(1);
        if let Some(of_address) = queued.addresses.get_mut(&self.address) {
            of_address.queued = of_address.queued.saturating_sub(1);
            if of_address.queued == 0 {
                queued.addresses.remove(&self.address);
            }
        }
    }
}

impl Default for HashQueue {
    fn default() -> Self {
        Self {
            hashing: Arc::new(Semaphore::new(MAX_HASHING)),
            reserved: Arc::new(Semaphore::new(RESERVED)),
            queued: Arc::default(),
            seen: Mutex::default(),
        }
    }
}

impl HashQueue {
    /// Waits until a client may compute a hash; `None` if too many requests
    /// wait.
    pub(crate) async fn wait(&self, client: IpAddr) -> Option<HashPermit> {
        let address = network(client);
        let is_seen = self.seen.lock().contains(&address);
        let (place, turns) = self.enter(address, is_seen)?;
        let turn = turns.acquire_owned().await.ok()?;
        let hashing = Arc::clone(&self.hashing).acquire_owned();
        let hashing = match is_seen {
            false => hashing.await,
            true => tokio::select! {
                permit = Arc::clone(&self.reserved).acquire_owned() => permit,
                permit = hashing => permit,
            },
        };
        Some(HashPermit {
            _hashing: hashing.ok()?,
            _turn: turn,
            _place: place,
        })
    }

    /// Takes a place; `None` if there is none for this address.
    pub(crate) fn enter(&self, address: IpAddr, is_seen: bool) -> Option<(Place, Arc<Semaphore>)> {
        let mut queued = self.queued.lock();
        if queued.total >= MAX_QUEUED && !is_seen {
            return None;
        }
        let of_address = queued
            .addresses
            .entry(address)
            .or_insert_with(|| OfAddress {
                turns: Arc::new(Semaphore::new(MAX_HASHING_PER_ADDRESS)),
                queued: 0,
            });
        if of_address.queued >= MAX_QUEUED_PER_ADDRESS {
            return None;
        }
        of_address.queued += 1;
        let turns = Arc::clone(&of_address.turns);
        queued.total += 1;
        let place = Place {
            queued: Arc::clone(&self.queued),
            address,
        };
        Some((place, turns))
    }

    /// Remembers that a user has authenticated from an address.
    pub(crate) fn mark_seen(&self, client: IpAddr) {
        let address = network(client);
        let mut seen = self.seen.lock();
        if let Some(place) = seen.iter().position(|it| *it == address) {
            seen.remove(place);
        }
        seen.push_back(address);
        if seen.len() > MAX_SEEN {
            seen.pop_front();
        }
    }
}

/// What counts as one address: of IPv6 the first 64 bits, since a client may
/// choose the others.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::time::Duration;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    /// What a future returns if it does not have to wait.
    async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(Duration::from_millis(1), future)
            .await
            .ok()
    }

    async fn permit(queue: &HashQueue, last: u8) -> Option<HashPermit> {
        at_once(queue.wait(address(last))).await.flatten()
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_leaves_a_hash_to_the_others() {
        let queue = HashQueue::default();
        let guesses = [permit(&queue, 1).await, permit(&queue, 1).await];
        assert!(guesses.iter().all(Option::is_some));
        assert!(permit(&queue, 1).await.is_none(), "the third one waits");
        assert!(permit(&queue, 2).await.is_some());
        drop(guesses);
        assert!(permit(&queue, 1).await.is_some());
        assert!(queue.queued.lock().addresses.is_empty());
        assert_eq!(queue.queued.lock().total, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hash_is_kept_for_addresses_from_which_a_user_has_authenticated() {
        let queue = HashQueue::default();
        queue.mark_seen(address(9));
        let mut strangers = Vec::new();
        for last in 1..=3 {
            strangers.push(permit(&queue, last).await.unwrap());
        }
        assert!(permit(&queue, 4).await.is_none(), "a stranger waits");
        let reserved = permit(&queue, 9).await.unwrap();
        assert!(permit(&queue, 9).await.is_none(), "one is reserved");
        strangers.pop();
        assert!(permit(&queue, 9).await.is_some(), "or any that is free");
        drop(reserved);
    }

    #[tokio::test(start_paused = true)]
    async fn the_requests_of_one_address_are_limited() {
        let queue = Arc::new(HashQueue::default());
        let _hashing = [permit(&queue, 1).await, permit(&queue, 1).await];
        let mut waiting = Vec::new();
        for _ in 2..MAX_QUEUED_PER_ADDRESS {
            let queue = Arc::clone(&queue);
            waiting.push(tokio::spawn(async move { queue.wait(address(1)).await }));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let refused = at_once(queue.wait(address(1))).await;
        assert!(matches!(refused, Some(None)), "{refused:?}");
        assert!(permit(&queue, 2).await.is_some());
        waiting.pop().unwrap().abort();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(at_once(queue.wait(address(1))).await.is_none(), "it waits");
    }

    #[test]
    fn the_last_half_of_an_ipv6_address_does_not_count() {
        let parsed = |text: &str| network(text.parse().unwrap());
        assert_eq!(parsed("2001:db8:1:2::3"), parsed("2001:db8:1:2:ffff::9"));
        assert_ne!(parsed("2001:db8:1:2::3"), parsed("2001:db8:1:3::3"));
        assert_eq!(parsed("::ffff:192.0.2.1"), parsed("192.0.2.1"));
    }
}
