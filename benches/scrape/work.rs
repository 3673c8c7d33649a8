//! What a refresh costs beside its rendering.

use crate::memory::{megabytes, resident};
use crate::{large_fleet, site};
use secure_score_exporter::store::Store;
use secure_score_exposition::{
    BlockCache, CompressedBody, Deflater, FamilyHeaders, Format, assemble,
};
use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: u64 = 21;

pub(crate) fn measure(tenants: u64) {
    let store = site::store_of(tenants);
    let mut cache = BlockCache::default();
    let headers = FamilyHeaders::default();
    let (first, built) = timed(|| render(&mut cache, &store));
    let identity: usize = first.blocks().map(|block| block.len()).sum();
    let before = resident();
    let ((), all) = timed(|| first.compress(&mut Deflater::default()));
    let (member, joined) = timed(|| first.member().unwrap());
    let body = member.length;
    let blocks = first.blocks().count();
    println!(
        "{tenants} tenants, {:.1} MB in {blocks} blocks",
        megabytes(identity)
    );
    println!("compressed: {:.2} MB", megabytes(body));
    println!(
        "resident: {:.1} MB, {:.1} MB before compression; {:.3} of plain and compressed bytes",
        megabytes(resident()),
        megabytes(before),
        resident() as f64 / (identity + body) as f64
    );
    println!("first body {built:.1?}, compression {all:.1?}, joining {joined:.1?}");
    whole(&store, body);

    after(&store, &mut cache, "health", |number, round| {
        let known = store.current();
        let known = known.find(&large_fleet::alias(number)).unwrap();
        large_fleet::refreshed(known, number, round)
    });
    after(&store, &mut cache, "health and scores", |number, round| {
        large_fleet::tenant(number, round, round)
    });
    let plain = median(ROUNDS, |_| {
        let tenants = store.current();
        let chunks = tenants.states.iter().map(|s| (&s.data, &s.health_lines));
        timed(|| black_box(assemble(&headers, Format::Text, chunks))).1
    });
    println!("a plain body assembled: {plain:.1?}");
}

/// One tenant's refresh, again and again.
fn after(
    store: &Store,
    cache: &mut BlockCache,
    what: &str,
    refresh: impl Fn(u64, u64) -> secure_score_exporter::store::TenantState,
) {
    let tenants = store.current().states.len() as u64;
    let mut dice = fastrand::Rng::with_seed(7);
    let (mut builds, mut packs, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    let mut joins = Vec::new();
    for round in 1..=ROUNDS {
        store.publish(refresh(dice.u64(..tenants), round));
        let (body, built) = timed(|| render(cache, store));
        bytes.push(body.missing().map(|block| block.len()).sum::<usize>());
        packs.push(timed(|| body.compress(&mut Deflater::default())).1);
        joins.push(timed(|| body.member().unwrap()).1);
        builds.push(built);
    }
    println!(
        "one tenant refreshed ({what}): body {:.1?}, {:.2} MB of blocks compressed in {:.1?}, joined in {:.1?}",
        middle(builds),
        megabytes(middle(bytes)),
        middle(packs),
        middle(joins)
    );
}

fn render(cache: &mut BlockCache, store: &Store) -> Arc<CompressedBody> {
    let tenants = store.current();
    let states = tenants
        .states
        .iter()
        .map(|state| (&state.identity.alias, &state.data, &state.health_lines));
    cache.body(Format::OpenMetrics, tenants.generation, states)
}

/// The same bytes by one run of `gzip -6`.
fn whole(store: &Store, body: usize) {
    let tenants = store.current();
    let chunks = tenants.states.iter().map(|s| (&s.data, &s.health_lines));
    let parts = assemble(&FamilyHeaders::default(), Format::OpenMetrics, chunks);
    let mut gzip = Command::new("gzip")
        .args(["-6", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = gzip.stdin.take().unwrap();
    let writer =
        std::thread::spawn(move || parts.iter().for_each(|it| input.write_all(it).unwrap()));
    let output = gzip.wait_with_output().unwrap().stdout.len();
    writer.join().unwrap();
    let ratio = body as f64 / output as f64;
    println!(
        "gzip -6: {:.2} MB; compressed {ratio:.3} of it",
        megabytes(output)
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}

fn median(rounds: u64, work: impl FnMut(u64) -> Duration) -> Duration {
    middle((0..rounds).map(work).collect())
}

fn middle<T: Ord + Copy>(mut figures: Vec<T>) -> T {
    figures.sort_unstable();
    figures[figures.len() / 2]
}
