//! Compression in the background, for clients that ask for gzip.

use crate::store::Store;
use parking_lot::Mutex;
use secure_score_exposition::{Block, BlockCache, CompressedBody, Deflater, Format};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The shortest time between two rounds. Tenants refresh one by one and many of
/// them share a block, which should not be compressed for each.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// The longest. Blocks that wait are sent uncompressed, which is correct but
/// multiplies the bytes sent.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// A pause is this many times as long as the round before it: compression saves
/// bandwidth and must not occupy a core.
const PAUSE_FACTOR: u32 = 9;

/// How long after the last gzip scrape compression goes on: longer than any
/// sensible scrape interval.
const IDLE: Duration = Duration::from_secs(10 * 60);

/// Bytes summed before other tasks run: a tenth of a millisecond on common
/// processors.
const CHECKSUM_STEP: usize = 512 * 1024;

/// Compresses what changed, while clients ask for gzip.
///
/// A scrape uses what is compressed by then. The first one starts a task, which
/// ends by itself, so an exporter whose Prometheus wants no gzip spends nothing.
#[derive(Debug, Default)]
pub(super) struct Compressor {
    state: Mutex<CompressorState>,
}

#[derive(Debug, Default)]
struct CompressorState {
    blocks: BlockCache,
    /// When each format was last requested.
    requested: Vec<(Format, Instant)>,
    /// Whether the task runs.
    running: bool,
}

impl CompressorState {
    fn current(&mut self, store: &Store, format: Format) -> Arc<CompressedBody> {
        let tenants = store.current();
        let states = tenants
            .states
            .iter()
            .map(|state| (&state.identity.alias, &state.data, &state.health_lines));
        self.blocks.body(format, tenants.generation, states)
    }
}

impl Compressor {
    /// The current body, compressed as far as it is by now, with all checksums.
    pub(super) async fn current(
        self: &Arc<Self>,
        store: &Arc<Store>,
        format: Format,
    ) -> Arc<CompressedBody> {
        let body = self.request(store, format);
        checksum(&body).await;
        body
    }

    fn request(self: &Arc<Self>, store: &Arc<Store>, format: Format) -> Arc<CompressedBody> {
        let mut state = self.state.lock();
        state.requested.retain(|(known, _)| *known != format);
        state.requested.push((format, Instant::now()));
        let body = state.current(store, format);
        if !state.running {
            state.running = true;
            tokio::spawn(run(Arc::downgrade(self), Arc::clone(store)));
        }
        body
    }

    /// The current bodies in the formats still requested; the others are dropped.
    fn requested_bodies(&self, store: &Store) -> Vec<Arc<CompressedBody>> {
        let mut state = self.state.lock();
        state.requested.retain(|(_, at)| at.elapsed() < IDLE);
        let formats: Vec<Format> = state.requested.iter().map(|(it, _)| *it).collect();
        for format in Format::ALL {
            if !formats.contains(&format) {
                state.blocks.drop_format(format);
            }
        }
        state.running = !formats.is_empty();
        formats
            .into_iter()
            .map(|format| state.current(store, format))
            .collect()
    }
}

/// Computes the missing checksums. A hundred megabytes take some ten
/// milliseconds, during which the thread would serve no health check, so it
/// yields in between.
async fn checksum(body: &CompressedBody) {
    let mut summed = 0;
    for block in body.blocks().filter(|block| !block.is_summed()) {
        block.sum();
        summed += block.len();
        if summed >= CHECKSUM_STEP {
            summed = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// Compresses in rounds until no format is requested or the server is gone.
async fn run(compressor: Weak<Compressor>, store: Arc<Store>) {
    loop {
        let Some(bodies) = compressor.upgrade().map(|it| it.requested_bodies(&store)) else {
            return;
        };
        if bodies.is_empty() {
            return;
        }
        let began = Instant::now();
        let missing: Vec<Arc<Block>> = bodies
            .iter()
            .flat_map(|body| body.blocks())
            .filter(|block| !block.is_compressed())
            .cloned()
            .collect();
        drop(bodies);
        if !missing.is_empty() {
            let server = Weak::clone(&compressor);
            // The next round compresses what a cancelled one left.
            let _done = tokio::task::spawn_blocking(move || compress(missing, &server)).await;
        }
        sleep((began.elapsed() * PAUSE_FACTOR).clamp(MIN_PAUSE, MAX_PAUSE)).await;
    }
}

/// Compresses blocks until the server is gone: a process that stops must not
/// wait for it.
fn compress(missing: Vec<Arc<Block>>, server: &Weak<Compressor>) {
    let mut deflater = Deflater::default();
    for block in missing {
        if server.strong_count() == 0 {
            return;
        }
        block.compress(&mut deflater);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::TenantState;
    use secure_score_exposition::{SeriesSet, render_health};
    use secure_score_model::TenantIdentity;

    fn store() -> Arc<Store> {
        let mut state = TenantState::new(TenantIdentity::new("contoso"));
        state.health_lines = render_health(&state.identity, &state.health, SeriesSet::Full);
        let store = Store::default();
        store.publish(state);
        Arc::new(store)
    }

    fn is_compressed(body: &CompressedBody) -> bool {
        body.blocks().count() > 0 && body.blocks().all(|block| block.is_compressed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_requested_format_is_compressed_in_the_background() {
        let (compressor, store) = (Arc::new(Compressor::default()), store());
        let first = compressor.current(&store, Format::Text).await;
        assert!(!is_compressed(&first));
        sleep(MIN_PAUSE * 2).await;
        assert!(is_compressed(&first));
        let next = compressor.current(&store, Format::Text).await;
        assert!(is_compressed(&next), "it stays compressed");
    }

    #[tokio::test(start_paused = true)]
    async fn without_requests_everything_is_dropped() {
        let (compressor, store) = (Arc::new(Compressor::default()), store());
        let body = Arc::downgrade(&compressor.current(&store, Format::Text).await);
        sleep(IDLE / 2).await;
        assert!(body.upgrade().is_some());
        compressor.current(&store, Format::OpenMetrics).await;
        sleep(IDLE / 2 + MAX_PAUSE).await;
        assert!(
            body.upgrade().is_none(),
            "only the other format is requested"
        );
        assert!(compressor.state.lock().running);
        sleep(IDLE).await;
        assert!(!compressor.state.lock().running);

        let again = compressor.current(&store, Format::Text).await;
        sleep(MIN_PAUSE * 2).await;
        assert!(
            is_compressed(&again),
            "the next request starts the task again"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn compression_stops_when_the_server_is_gone() {
        let (compressor, store) = (Arc::new(Compressor::default()), store());
        let body = compressor.current(&store, Format::Text).await;
        drop(compressor);
        sleep(MIN_PAUSE * 2).await;
        assert!(!is_compressed(&body));
        assert_eq!(Arc::strong_count(&store), 1, "the task has ended");
    }
}
