//! Compression for clients that ask for gzip: in the background, and the rest in
//! their scrapes.

use super::cpu_pool::CpuPool;
use super::representation::Representation;
use crate::store::Store;
use parking_lot::Mutex;
use secure_score_exposition::{BlockCache, CompressedBody, Deflater, Format, Member};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The most bytes that are compressed in one scrape, and in one step of the
/// background: some thirty milliseconds, less than the body of a thousand tenants
/// takes uncompressed.
const STEP_LENGTH: usize = 8 * 1024 * 1024;

/// The shortest time between two steps. It decides how much is left to a scrape
/// while tenants refresh.
const MIN_PAUSE: Duration = Duration::from_millis(100);

/// A pause is this many times as long as the compression before it, which takes a
/// quarter of one core at most.
const PAUSE_FACTOR: u32 = 3;

/// How long after the last gzip scrape compression goes on: longer than any
/// sensible scrape interval.
const IDLE: Duration = Duration::from_secs(10 * 60);

/// How long a body that is no longer current may be sent. It is longer than
/// `STEP_LENGTH`, so of many tenants; the background compresses what changed before
/// that, at all but extreme rates of change.
const MAX_AGE: Duration = Duration::from_secs(1);

/// Compresses what changed, while clients ask for gzip.
///
/// A gzip body is compressed as a whole or not sent. Of many tenants, a scrape is sent
/// the newest compressed one. Without a recent one, and of few tenants, it compresses
/// what is missing up to `STEP_LENGTH`, and is answered without compression where more
/// is missing, as the first one of many tenants. That one starts a task, which ends by
/// itself, so an exporter whose Prometheus wants no gzip spends nothing.
#[derive(Debug, Default)]
pub(super) struct Compressor {
    state: Mutex<CompressorState>,
}

#[derive(Debug, Default)]
struct CompressorState {
    blocks: BlockCache,
    /// The newest compressed body of each format.
    compressed: Vec<Compressed>,
    /// When each format was last requested.
    requested: Vec<(Format, Instant)>,
    /// What scrapes compressed since the last step took.
    in_scrapes: Duration,
    /// Whether the task runs.
    running: bool,
}

/// A compressed body without its end.
#[derive(Debug)]
struct Compressed {
    format: Format,
    member: Member,
    /// When it was last known to be current.
    current: Instant,
}

/// Which body answers a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// The current one: the scrape has just refreshed the tenants.
    Current,
    /// One that was current less than `MAX_AGE` ago, of many tenants.
    Recent,
}

impl CompressorState {
    fn keep(&mut self, new: Compressed) {
        let mut all = self.compressed.iter();
        if !all.any(|it| it.format == new.format && it.current > new.current) {
            self.compressed.retain(|it| it.format != new.format);
            self.compressed.push(new);
        }
    }

    fn recent(&self, format: Format) -> Option<Member> {
        let of_format = self.compressed.iter().find(|it| it.format == format);
        let is_sent = |it: &&Compressed| {
            it.member.plain_length > STEP_LENGTH as u64 && it.current.elapsed() < MAX_AGE
        };
        of_format.filter(is_sent).map(|it| it.member.clone())
    }

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
    /// The gzip member without its end; `None` where too much is missing or the
    /// `wait` too long, so that the scrape is to be answered uncompressed.
    ///
    /// For a client that accepts nothing uncompressed nothing is too much.
    pub(super) async fn member(
        self: &Arc<Self>,
        store: &Arc<Store>,
        representation: Representation,
        freshness: Freshness,
        wait: Duration,
        cpu_pool: &CpuPool,
    ) -> Option<Member> {
        let requested = Instant::now();
        let format = representation.format;
        let recent = self.request(store, format, requested);
        if let Some(recent) = recent.filter(|_| freshness == Freshness::Recent) {
            return Some(recent);
        }
        let body = self.state.lock().current(store, format);
        if let Some(member) = body.member() {
            return Some(member);
        }
        let missing: usize = body.missing().map(|block| block.len()).sum();
        if missing > STEP_LENGTH && representation.identity {
            return None;
        }
        let compressor = Arc::clone(self);
        let work = cpu_pool.run(move || compressor.compress(&body, requested));
        tokio::time::timeout(wait, work).await.ok()??
    }

    /// Compresses in a scrape.
    fn compress(&self, body: &CompressedBody, current: Instant) -> Option<Member> {
        let began = std::time::Instant::now();
        let member = body.compressed();
        self.state.lock().in_scrapes += began.elapsed();
        self.keep(body, current);
        member
    }

    /// Keeps a body that was current at a time, if it is compressed.
    fn keep(&self, body: &CompressedBody, current: Instant) {
        let Some(member) = body.member() else { return };
        self.state.lock().keep(Compressed {
            format: body.format(),
            member,
            current,
        });
    }

    /// Notes a request, for which the task runs on, and returns a recent member.
    fn request(
        self: &Arc<Self>,
        store: &Arc<Store>,
        format: Format,
        now: Instant,
    ) -> Option<Member> {
        let mut state = self.state.lock();
        state.requested.retain(|(known, _)| *known != format);
        state.requested.push((format, now));
        if !state.running {
            state.running = true;
            tokio::spawn(run(Arc::downgrade(self), Arc::clone(store)));
        }
        state.recent(format)
    }

    /// The current bodies in the formats still requested, and what scrapes took
    /// since the last call; other bodies are dropped.
    fn requested_bodies(&self, store: &Store) -> (Vec<Arc<CompressedBody>>, Duration) {
        let mut state = self.state.lock();
        state.requested.retain(|(_, at)| at.elapsed() < IDLE);
        let formats: Vec<Format> = state.requested.iter().map(|(it, _)| *it).collect();
        for format in Format::ALL {
            if !formats.contains(&format) {
                state.blocks.drop_format(format);
            }
        }
        state.compressed.retain(|it| formats.contains(&it.format));
        state.running = !formats.is_empty();
        let bodies = formats
            .into_iter()
            .map(|format| state.current(store, format));
        (bodies.collect(), std::mem::take(&mut state.in_scrapes))
    }
}

/// Compresses in steps until no format is requested or the server is gone.
async fn run(compressor: Weak<Compressor>, store: Arc<Store>) {
    loop {
        let (began, current) = (std::time::Instant::now(), Instant::now());
        let Some((bodies, in_scrapes)) = compressor.upgrade().map(|it| it.requested_bodies(&store))
        else {
            return;
        };
        if bodies.is_empty() {
            return;
        }
        if bodies.iter().any(|body| body.member().is_none()) {
            let (bodies, server) = (bodies.clone(), Weak::clone(&compressor));
            let step = tokio::task::spawn_blocking(move || compress_step(&bodies, &server));
            let _stopping = step.await;
        }
        if let Some(compressor) = compressor.upgrade() {
            bodies
                .iter()
                .for_each(|body| compressor.keep(body, current));
        }
        drop(bodies);
        let took = began.elapsed() + in_scrapes;
        sleep((took * PAUSE_FACTOR).max(MIN_PAUSE)).await;
    }
}

/// Compresses up to `STEP_LENGTH` of what is missing. It ends where the server is
/// gone: a process that stops must not wait for it.
fn compress_step(bodies: &[Arc<CompressedBody>], server: &Weak<Compressor>) {
    let mut deflater = Deflater::default();
    let mut length = 0;
    for block in bodies.iter().flat_map(|body| body.missing()) {
        if length >= STEP_LENGTH || server.strong_count() == 0 {
            break;
        }
        block.compress(&mut deflater);
        length += block.len();
    }
    for body in bodies {
        let _cached = body.member();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::TenantState;
    use secure_score_exposition::{SeriesSet, render_health};
    use secure_score_model::{Api, TenantIdentity};

    /// Accepts both encodings.
    const EITHER: Representation = Representation::gzip(Format::Text, true);

    /// More than is compressed at once. All tenants have the same lines.
    fn large_store() -> Arc<Store> {
        let state = TenantState::new(TenantIdentity::new("contoso"));
        let lines = render_health(&state.identity, &state.health, SeriesSet::Full);
        let store = Store::default();
        for number in 0..=STEP_LENGTH / lines.len() {
            let mut state = TenantState::new(TenantIdentity::new(&format!("contoso-{number}")));
            state.health_lines = lines.clone();
            store.publish(state);
        }
        Arc::new(store)
    }

    /// Many tenants, whose body is compressed and requested for some minutes yet.
    async fn compressed_store() -> (Arc<Compressor>, Arc<Store>) {
        let (compressor, store) = (Arc::new(Compressor::default()), large_store());
        assert!(member(&compressor, &store, EITHER).await.is_none());
        sleep(IDLE / 2).await;
        (compressor, store)
    }

    async fn member(
        compressor: &Arc<Compressor>,
        store: &Arc<Store>,
        representation: Representation,
    ) -> Option<Member> {
        of(compressor, store, representation, Freshness::Current).await
    }

    async fn of(
        compressor: &Arc<Compressor>,
        store: &Arc<Store>,
        representation: Representation,
        freshness: Freshness,
    ) -> Option<Member> {
        let pool = CpuPool::default();
        compressor
            .member(store, representation, freshness, IDLE, &pool)
            .await
    }

    /// Publishes the tenants of a large store with other lines.
    fn refresh_all(store: &Store) {
        for state in &store.current().states {
            let mut state = TenantState::clone(state);
            state.health.of_mut(Api::Scores).refreshes += 1;
            state.health_lines = render_health(&state.identity, &state.health, SeriesSet::Full);
            store.publish(state);
        }
    }

    /// A body that the cache has.
    fn cached(compressor: &Compressor, store: &Store, format: Format) -> Arc<CompressedBody> {
        compressor.state.lock().current(store, format)
    }

    #[tokio::test(start_paused = true)]
    async fn a_scrape_compresses_what_a_refresh_changed() {
        let (compressor, store) = compressed_store().await;
        let before = member(&compressor, &store, EITHER).await.unwrap();
        let mut state = TenantState::new(TenantIdentity::new("contoso-7"));
        state.health.of_mut(Api::Scores).refreshes = 7;
        state.health_lines = render_health(&state.identity, &state.health, SeriesSet::Full);
        store.publish(state);
        let after = member(&compressor, &store, EITHER).await;
        assert!(!Arc::ptr_eq(&after.unwrap().parts, &before.parts));
    }

    #[tokio::test(start_paused = true)]
    async fn while_everything_changes_the_newest_compressed_body_is_sent() {
        let (compressor, store) = compressed_store().await;
        let before = member(&compressor, &store, EITHER).await.unwrap();
        refresh_all(&store);
        let recent = of(&compressor, &store, EITHER, Freshness::Recent).await;
        assert!(Arc::ptr_eq(&recent.unwrap().parts, &before.parts));
        assert!(
            member(&compressor, &store, EITHER).await.is_none(),
            "a scrape that refreshed the tenants gets nothing older"
        );
        sleep(MAX_AGE).await;
        let after = of(&compressor, &store, EITHER, Freshness::Recent).await;
        assert!(!Arc::ptr_eq(&after.unwrap().parts, &before.parts));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_too_old_is_not_sent() {
        let (compressor, store) = compressed_store().await;
        compressor.state.lock().compressed.clear();
        let body = cached(&compressor, &store, Format::Text);
        compressor.keep(&body, Instant::now() - MAX_AGE);
        refresh_all(&store);
        assert!(
            of(&compressor, &store, EITHER, Freshness::Recent)
                .await
                .is_none()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn few_tenants_are_compressed_in_their_scrapes() {
        let (compressor, store) = (Arc::new(Compressor::default()), Arc::new(Store::default()));
        let mut state = TenantState::new(TenantIdentity::new("contoso"));
        state.health_lines = render_health(&state.identity, &state.health, SeriesSet::Full);
        store.publish(state);
        let before = member(&compressor, &store, EITHER).await.unwrap();
        sleep(IDLE / 2).await;
        refresh_all(&store);
        let after = of(&compressor, &store, EITHER, Freshness::Recent).await;
        assert!(!Arc::ptr_eq(&after.unwrap().parts, &before.parts));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_accepts_only_gzip_gets_it_at_once() {
        let (compressor, store) = (Arc::new(Compressor::default()), large_store());
        let only = Representation::gzip(Format::Text, false);
        assert!(member(&compressor, &store, only).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn without_requests_everything_is_dropped() {
        let (compressor, store) = (Arc::new(Compressor::default()), large_store());
        assert!(member(&compressor, &store, EITHER).await.is_none());
        let body = Arc::downgrade(&cached(&compressor, &store, Format::Text));
        sleep(IDLE / 2).await;
        assert!(body.upgrade().is_some());
        let open = Representation::gzip(Format::OpenMetrics, true);
        member(&compressor, &store, open).await;
        sleep(IDLE * 3 / 4).await;
        assert!(
            body.upgrade().is_none(),
            "only the other format is requested"
        );
        assert!(compressor.state.lock().running);
        sleep(IDLE).await;
        assert!(!compressor.state.lock().running);

        assert!(
            member(&compressor, &store, EITHER).await.is_none(),
            "nothing is compressed any more"
        );
        sleep(IDLE / 2).await;
        assert!(
            member(&compressor, &store, EITHER).await.is_some(),
            "the next request starts the task again"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn compression_stops_when_the_server_is_gone() {
        let (compressor, store) = (Arc::new(Compressor::default()), large_store());
        assert!(member(&compressor, &store, EITHER).await.is_none());
        let body = cached(&compressor, &store, Format::Text);
        drop(compressor);
        sleep(MIN_PAUSE * 2).await;
        assert!(body.member().is_none());
        assert_eq!(Arc::strong_count(&store), 1, "the task has ended");
    }
}
