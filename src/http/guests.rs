//! Who is connected, and who has to go when another one comes.

use super::pace::Pulse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// The open connections of a server, in the order of their coming.
///
/// Idle ones cost little, so they may stay; but a thousand of them must not
/// keep a scrape waiting at the door. Whoever has asked for nothing for the
/// longest time goes first.
#[derive(Debug, Default)]
pub(super) struct Guests {
    seated: Mutex<Vec<Guest>>,
}

#[derive(Debug, Clone)]
struct Guest {
    pulse: Arc<Pulse>,
    leave: CancellationToken,
}

/// A connection's seat; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    guests: Arc<Guests>,
    guest: Guest,
}

impl Guests {
    /// Seats a connection.
    pub(super) fn seat(self: &Arc<Self>, pulse: Arc<Pulse>) -> Seat {
        let guest = Guest {
            pulse,
            leave: CancellationToken::new(),
        };
        self.seated().push(guest.clone());
        Seat {
            guests: Arc::clone(self),
            guest,
        }
    }

    /// Asks the one that has been idle for longest to go, if any is idle.
    pub(super) fn make_room(&self) {
        let seated = self.seated();
        let staying = seated.iter().filter(|guest| !guest.leave.is_cancelled());
        let idle = staying.filter_map(|guest| Some((guest.pulse.idle_since()?, guest)));
        if let Some((_, guest)) = idle.min_by_key(|(since, _)| *since) {
            guest.leave.cancel();
        }
    }

    fn seated(&self) -> MutexGuard<'_, Vec<Guest>> {
        self.seated.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Ends when the seat is needed by somebody else.
    pub(super) async fn needed(&self) {
        self.guest.leave.cancelled().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let own = &self.guest.pulse;
        self.guests
            .seated()
            .retain(|guest| !Arc::ptr_eq(&guest.pulse, own));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_one_goes_and_nobody_who_is_served() {
        let guests = Arc::new(Guests::default());
        let mut seats = Vec::new();
        for _ in 0..3 {
            seats.push(guests.seat(Pulse::new()));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let busy = seats[0].guest.pulse.begin(hyper::Version::HTTP_11);
        let left = |seats: &[Seat]| -> Vec<bool> {
            let gone = seats.iter().map(|seat| seat.guest.leave.is_cancelled());
            gone.collect()
        };
        guests.make_room();
        assert_eq!(left(&seats), [false, true, false]);
        guests.make_room();
        assert_eq!(left(&seats), [false, true, true]);
        guests.make_room();
        assert_eq!(left(&seats), [false, true, true], "nobody idle is left");
        drop(busy);
        guests.make_room();
        assert_eq!(left(&seats), [true, true, true]);
        seats.pop();
        assert_eq!(guests.seated().len(), 2);
    }
}
