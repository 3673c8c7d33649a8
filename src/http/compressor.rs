//! Compression in the background, for those who ask for gzip.

use crate::store::Store;
use secure_score_exposition::{Block, BlockCache, CompressedBody, Deflater, Format};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The shortest time between two rounds. Tenants refresh one by one, and many
/// of them share a block, which should not be compressed for each.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest. While blocks wait they are sent uncompressed, which is right
/// but costs the network a multiple.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// After a round we rest this many times as long as it took: compression is
/// to save the network, not to take a core from its neighbours.
const REST: u32 = 9;

/// How long after the last scrape that asked for gzip we go on compressing.
/// Longer than any sensible scrape interval; shorter than the night after
/// which nobody asks any more.
const IDLE: Duration = Duration::from_secs(10 * 60);

/// How many bytes are summed before others get a turn: a tenth of a
/// millisecond on common processors.
const SUM_STEP: usize = 512 * 1024;

/// Compresses what changed, as long as somebody asks for gzip.
///
/// A scrape only looks at what is compressed by then. The first one starts a
/// task, which ends by itself, so an exporter whose Prometheus wants no gzip
/// spends nothing on it.
#[derive(Debug, Default)]
pub(super) struct Compressor {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    shelf: BlockCache,
    /// When each format was last asked for.
    asked: Vec<(Format, Instant)>,
    /// Whether the task runs.
    at_work: bool,
}

impl Kept {
    fn edition(&mut self, store: &Store, format: Format) -> Arc<CompressedBody> {
        let tenants = store.current();
        let states = tenants
            .states
            .iter()
            .map(|state| (&state.identity.alias, &state.data, &state.vitals));
        self.shelf.body(format, tenants.generation, states)
    }
}

impl Compressor {
    /// The current edition, compressed as far as it is by now. Its checksums
    /// are known.
    pub(super) async fn edition(
        self: &Arc<Self>,
        store: &Arc<Store>,
        format: Format,
    ) -> Arc<CompressedBody> {
        let edition = self.ask(store, format);
        sum(&edition).await;
        edition
    }

    fn ask(self: &Arc<Self>, store: &Arc<Store>, format: Format) -> Arc<CompressedBody> {
        let mut kept = self.kept();
        kept.asked.retain(|(known, _)| *known != format);
        kept.asked.push((format, Instant::now()));
        let edition = kept.edition(store, format);
        if !kept.at_work {
            kept.at_work = true;
            tokio::spawn(work(Arc::downgrade(self), Arc::clone(store)));
        }
        edition
    }

    /// The current editions that are still asked for; the others are let go.
    fn wanted(&self, store: &Store) -> Vec<Arc<CompressedBody>> {
        let mut kept = self.kept();
        kept.asked.retain(|(_, asked)| asked.elapsed() < IDLE);
        let wanted: Vec<Format> = kept.asked.iter().map(|(format, _)| *format).collect();
        for format in Format::ALL {
            if !wanted.contains(&format) {
                kept.shelf.drop_format(format);
            }
        }
        kept.at_work = !wanted.is_empty();
        wanted
            .into_iter()
            .map(|format| kept.edition(store, format))
            .collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sums what is new. A hundred megabytes take some ten milliseconds, in which
/// the thread would not answer that we are alive, so others get their turn.
async fn sum(edition: &CompressedBody) {
    let mut summed = 0;
    for block in edition.blocks().filter(|block| !block.is_summed()) {
        block.sum();
        summed += block.len();
        if summed >= SUM_STEP {
            summed = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// Round after round, until nobody asks any more or the server is gone.
async fn work(compressor: Weak<Compressor>, store: Arc<Store>) {
    loop {
        let Some(wanted) = compressor.upgrade().map(|c| c.wanted(&store)) else {
            return;
        };
        if wanted.is_empty() {
            return;
        }
        let began = Instant::now();
        let missing: Vec<Arc<Block>> = wanted
            .iter()
            .flat_map(|edition| edition.blocks())
            .filter(|block| !block.is_compressed())
            .cloned()
            .collect();
        drop(wanted);
        if !missing.is_empty() {
            let server = Weak::clone(&compressor);
            // A round that is cut short is made up for by the next one.
            let _cut_short = tokio::task::spawn_blocking(move || compress(missing, &server)).await;
        }
        sleep((began.elapsed() * REST).clamp(PAUSE, LONGEST_PAUSE)).await;
    }
}

/// Compresses blocks, unless the server is gone: a process that was told to
/// stop must not wait for it.
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
    use secure_score_exposition::{Chunk, render_health};
    use secure_score_model::{TenantHealth, TenantIdentity};

    fn store() -> Arc<Store> {
        let identity = TenantIdentity {
            alias: Arc::from("contoso"),
            entra_tenant_id: None,
            display_name: Arc::from("Contoso"),
            cloud: "global",
            target: None,
            credential_expires: None,
        };
        let health = TenantHealth::default();
        let store = Store::default();
        store.publish(TenantState {
            vitals: render_health(&identity, &health),
            data: Chunk::default(),
            policy: Arc::default(),
            snapshot: Arc::default(),
            identity,
            health,
        });
        Arc::new(store)
    }

    fn whole(edition: &CompressedBody) -> bool {
        edition.blocks().count() > 0 && edition.blocks().all(|block| block.is_compressed())
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_asked_for_is_compressed_a_moment_later() {
        let (compressor, store) = (Arc::new(Compressor::default()), store());
        let first = compressor.edition(&store, Format::Text).await;
        assert!(!whole(&first));
        sleep(PAUSE * 2).await;
        assert!(whole(&first));
        let next = compressor.edition(&store, Format::Text).await;
        assert!(whole(&next), "and stays so");
    }

    #[tokio::test(start_paused = true)]
    async fn when_nobody_asks_any_more_everything_is_let_go() {
        let (compressor, store) = (Arc::new(Compressor::default()), store());
        let edition = Arc::downgrade(&compressor.edition(&store, Format::Text).await);
        sleep(IDLE / 2).await;
        assert!(edition.upgrade().is_some());
        compressor.edition(&store, Format::OpenMetrics).await;
        sleep(IDLE / 2 + LONGEST_PAUSE).await;
        assert!(edition.upgrade().is_none(), "another format is asked for");
        assert!(compressor.kept().at_work);
        sleep(IDLE).await;
        assert!(!compressor.kept().at_work);

        let again = compressor.edition(&store, Format::Text).await;
        sleep(PAUSE * 2).await;
        assert!(whole(&again), "the next one who asks starts it again");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_goes_on_after_the_server_is_gone() {
        let (compressor, store) = (Arc::new(Compressor::default()), store());
        let edition = compressor.edition(&store, Format::Text).await;
        drop(compressor);
        sleep(PAUSE * 2).await;
        assert!(!whole(&edition));
        assert_eq!(Arc::strong_count(&store), 1, "the task has ended");
    }
}
