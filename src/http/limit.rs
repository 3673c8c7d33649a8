//! How many requests are answered at once.

use super::reply::{Reply, text};
use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests answered at once unless told otherwise, as in the rest of the
/// family. A pair of Prometheis and some people need a handful.
pub const MAX_REQUESTS: NonZeroUsize = NonZeroUsize::new(40).unwrap();

/// Places for requests that are being answered, until the last byte is taken.
///
/// Each may hold a generation of all tenants' lines in memory, so a crowd is
/// turned away rather than queued: who waits too long for a place has given up
/// by the time it is free.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    most: usize,
    places: Option<Arc<Semaphore>>,
}

/// A request's place; without a limit there is always one.
#[derive(Debug)]
pub(super) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Limit {
    /// So many, or any number.
    pub(super) fn new(most: Option<NonZeroUsize>) -> Self {
        let most = most
            .map_or(0, NonZeroUsize::get)
            .min(Semaphore::MAX_PERMITS);
        let places = (most > 0).then(|| Arc::new(Semaphore::new(most)));
        Self { most, places }
    }

    /// A place, or the answer to who gets none.
    pub(super) fn place(&self) -> Result<Place, Box<Reply>> {
        match &self.places {
            None => Ok(Place { _permit: None }),
            Some(places) => match Arc::clone(places).try_acquire_owned() {
                Ok(permit) => Ok(Place {
                    _permit: Some(permit),
                }),
                Err(_) => Err(Box::new(self.full())),
            },
        }
    }

    fn full(&self) -> Reply {
        tracing::debug!(
            most = self.most,
            "a request was turned away: too many at once"
        );
        let lines = format!(
            "{} requests are being answered already, which is all that --web.max-requests allows\n",
            self.most
        );
        let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, lines);
        let soon = HeaderValue::from_static("1");
        answer.headers_mut().insert(RETRY_AFTER, soon);
        answer
    }
}
