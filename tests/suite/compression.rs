//! The gzip body, read by several programs at any moment.

use crate::large_fleet;
use crate::process::{Process, free_port, program};
use crate::test_server::{options, start_with};
use bytes::Bytes;
use proptest::prelude::*;
use secure_score_exporter::store::{Store, TenantState, Tenants};
use secure_score_exposition::{
    Block, BlockCache, CompressedBody, Deflater, FamilyHeaders, Format, assemble,
};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Far more than a test needs.
const TIMEOUT: Duration = Duration::from_secs(60);

const TAIL: &[u8] = b"# HELP tail The end.\n# TYPE tail gauge\ntail 1\n# EOF\n";

fn compressed(cache: &mut BlockCache, format: Format, tenants: &Tenants) -> Arc<CompressedBody> {
    let states = tenants
        .states
        .iter()
        .map(|state| (&state.identity.alias, &state.data, &state.health_lines));
    cache.body(format, tenants.generation, states)
}

fn stream(body: &CompressedBody) -> Vec<u8> {
    let member = body.member().expect("every block is compressed");
    let stream = member.parts.concat();
    assert_eq!(stream.len(), member.length);
    [stream, member.finish(&Block::default(), TAIL).concat()].concat()
}

fn plain(format: Format, tenants: &Tenants) -> Vec<u8> {
    let chunks = tenants.states.iter().map(|s| (&s.data, &s.health_lines));
    [
        assemble(&FamilyHeaders::default(), format, chunks).concat(),
        TAIL.to_vec(),
    ]
    .concat()
}

/// The one gzip member; bytes after it are an error.
pub(crate) fn gunzipped(stream: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(stream);
    decoder.read_to_end(&mut plain).unwrap();
    let rest = decoder.into_inner();
    assert!(rest.is_empty(), "{} bytes follow the member", rest.len());
    plain
}

/// The output of a program for some input.
fn through(name: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program(name, name))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{name} rejects the stream");
    output.stdout
}

fn compress(body: &CompressedBody) {
    body.compress(&mut Deflater::default());
}

fn store_of(tenants: u64) -> Store {
    let store = Store::default();
    for number in 0..tenants {
        store.publish(large_fleet::tenant(number, 0, 0));
    }
    store
}

/// Tenants of the property below, each after three refreshes: one changes the
/// health lines, one the scores too.
static POOL: LazyLock<Vec<Vec<TenantState>>> = LazyLock::new(|| {
    let stages = [(0, 0), (0, 1), (1, 2)];
    let tenant = |number| {
        let stage = |(report, refreshes)| large_fleet::tenant(number, report, refreshes);
        stages.into_iter().map(stage).collect()
    };
    (0..5).map(tenant).collect()
});

#[derive(Debug, Clone)]
enum Step {
    Publish(usize, usize),
    Remove(u64),
    /// Compress every n-th block that is missing.
    Compress(Format, usize),
    /// Compress the rest, and send it.
    Scrape(Format),
}

fn step() -> impl Strategy<Value = Step> {
    let format = prop::sample::select(Format::ALL.to_vec());
    prop_oneof![
        4 => (0..5_usize, 0..3_usize).prop_map(|(tenant, stage)| Step::Publish(tenant, stage)),
        1 => (0..5_u64).prop_map(Step::Remove),
        2 => (format.clone(), 1..4_usize).prop_map(|(format, every)| Step::Compress(format, every)),
        2 => format.prop_map(Step::Scrape),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_scrape_shows_the_current_state_after_any_history(steps in prop::collection::vec(step(), 8..24)) {
        let (store, mut cache) = (Store::default(), BlockCache::default());
        for step in steps {
            match step {
                Step::Publish(tenant, stage) => store.publish(POOL[tenant][stage].clone()),
                Step::Remove(tenant) => store.remove(&large_fleet::alias(tenant)),
                Step::Compress(format, every) => {
                    let body = compressed(&mut cache, format, &store.current());
                    let mut deflater = Deflater::default();
                    for block in body.missing().step_by(every) {
                        block.compress(&mut deflater);
                    }
                    prop_assert_eq!(body.member().is_some(), body.missing().count() == 0);
                }
                Step::Scrape(format) => {
                    let tenants = store.current();
                    let body = compressed(&mut cache, format, &tenants);
                    compress(&body);
                    let stream = stream(&body);
                    let expected = plain(format, &tenants);
                    prop_assert!(gunzipped(&stream) == expected);
                    prop_assert!(through("gzip", &["-dc"], &stream) == expected);
                }
            }
        }
    }
}

#[test]
fn the_body_is_hardly_longer_than_one_by_gzip() {
    for tenants in [1, 5, 60] {
        let store = store_of(tenants);
        let current = store.current();
        let body = compressed(&mut BlockCache::default(), Format::Text, &current);
        compress(&body);
        let size = stream(&body).len();
        let whole = through("gzip", &["-6", "-c"], &plain(Format::Text, &current)).len();
        eprintln!("{tenants} tenants: {size} bytes, gzip -6 {whole}");
        assert!(
            size * 10 <= whole * 11,
            "{tenants} tenants: {size} bytes, gzip -6 {whole}"
        );
    }
}

#[test]
fn the_body_grows_by_less_than_a_fifth_while_everything_changes() {
    let (store, mut cache) = (store_of(60), BlockCache::default());
    let mut length = |store: &Store| {
        let body = compressed(&mut cache, Format::Text, &store.current());
        compress(&body);
        body.member().unwrap().length
    };
    let at_rest = length(&store);
    for number in 0..60 {
        store.publish(large_fleet::tenant(number * 7 % 60, 1, 1));
        let changed = length(&store);
        assert!(
            changed * 5 <= at_rest * 6,
            "{changed} after {at_rest} bytes"
        );
    }
}

#[test]
fn a_refresh_of_one_tenant_keeps_the_blocks_of_the_others() {
    let (store, mut cache) = (store_of(60), BlockCache::default());
    let before = compressed(&mut cache, Format::Text, &store.current());
    compress(&before);
    let all: usize = before.blocks().map(|block| block.len()).sum();
    let missing = |body: &CompressedBody| body.missing().map(|block| block.len()).sum::<usize>();

    // The same lines in other buffers.
    store.publish(large_fleet::tenant(7, 0, 0));
    assert_eq!(
        missing(&compressed(&mut cache, Format::Text, &store.current())),
        0
    );

    // Only the health lines are new.
    let known = store.current();
    let known = known.find(&large_fleet::alias(7)).unwrap();
    store.publish(large_fleet::refreshed(known, 7, 1));
    let health = missing(&compressed(&mut cache, Format::Text, &store.current()));
    assert!(
        0 < health && health * 10 < all,
        "{health} of {all} bytes are missing"
    );

    // New scores too: in each family that has them the tenant's block and the next.
    store.publish(large_fleet::tenant(7, 1, 2));
    let scores = missing(&compressed(&mut cache, Format::Text, &store.current()));
    assert!(
        health < scores && scores * 10 < all,
        "{scores} of {all} bytes are missing"
    );
}

#[test]
fn both_formats_share_compressed_blocks() {
    let (store, mut cache) = (store_of(30), BlockCache::default());
    let text = compressed(&mut cache, Format::Text, &store.current());
    compress(&text);
    let open = compressed(&mut cache, Format::OpenMetrics, &store.current());
    let shared = open.blocks().filter(|block| block.is_compressed()).count();
    assert!(shared * 2 > open.blocks().count());
    assert!(shared < open.blocks().count(), "some headers differ");
    compress(&open);
    assert_eq!(
        gunzipped(&stream(&open)),
        plain(Format::OpenMetrics, &store.current())
    );
}

#[test]
fn an_old_body_is_freed_when_there_is_a_new_one() {
    let (store, mut cache) = (store_of(2), BlockCache::default());
    let old = Arc::downgrade(&compressed(&mut cache, Format::Text, &store.current()));
    store.publish(large_fleet::tenant(1, 1, 1));
    let _new = compressed(&mut cache, Format::Text, &store.current());
    assert!(old.upgrade().is_none());
}

/// Answers every request with the same gzip bytes.
fn replay(stream: Vec<u8>, format: Format) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap_or(0) > 0 {
                head.push(byte[0]);
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                format.content_type(),
                stream.len()
            );
            let _gone = client
                .write_all(head.as_bytes())
                .and_then(|()| client.write_all(&stream));
        }
    });
    address
}

const PYTHON: &str =
    "import gzip,sys;sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))";
const NODE: &str = "fetch(process.argv[1]).then(r => r.arrayBuffer()).then(b => process.stdout.write(Buffer.from(b)))";

/// Every tenant compressed at once, after one of them changed, and in the other
/// format, whose blocks are partly those of the first.
fn stages() -> Vec<(Vec<u8>, Vec<u8>, Format)> {
    let (store, mut cache) = (store_of(6), BlockCache::default());
    let mut stage = |store: &Store, format| {
        let tenants = store.current();
        let body = compressed(&mut cache, format, &tenants);
        compress(&body);
        (stream(&body), plain(format, &tenants), format)
    };
    let first = stage(&store, Format::OpenMetrics);
    store.publish(large_fleet::tenant(2, 1, 1));
    let changed = stage(&store, Format::OpenMetrics);
    assert!(first.1 != changed.1);
    // It ends as OpenMetrics does, which is a comment in the older format.
    vec![first, changed, stage(&store, Format::Text)]
}

/// How many samples there are.
fn samples(body: &[u8]) -> usize {
    let lines = body.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .count()
}

#[test]
fn gzip_python_curl_and_node_read_the_same_bytes() {
    for (stream, expected, format) in stages() {
        assert!(gunzipped(&stream) == expected);
        assert!(through("gzip", &["-dc"], &stream) == expected, "gzip");
        assert!(
            through("python3", &["-c", PYTHON], &stream) == expected,
            "python3"
        );
        let url = format!("http://{}/metrics", replay(stream, format));
        let curl = [
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--compressed",
            &url,
        ];
        assert!(through("curl", &curl, b"") == expected, "curl");
        let node = Command::new(program("node", "nodejs"))
            .args(["-e", NODE, &url])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&node.stderr);
        assert!(node.stdout == expected, "node: {said}");
    }
}

#[tokio::test]
async fn prometheus_reads_every_sample() {
    let folder = tempfile::tempdir().unwrap();
    let stages = stages();
    let expected: BTreeSet<usize> = stages.iter().map(|(_, it, _)| samples(it)).collect();
    let targets: Vec<String> = stages
        .into_iter()
        .map(|(stream, _, format)| format!("\"{}\"", replay(stream, format)))
        .collect();
    let (_prometheus, url) = prometheus(folder.path(), &targets.join(", "));
    let query = format!("{url}/api/v1/query?query=scrape_samples_scraped");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let response = match http.get(&query).send().await {
            Ok(response) => response.text().await.unwrap_or_default(),
            Err(_not_yet) => String::new(),
        };
        let response: serde_json::Value = serde_json::from_str(&response).unwrap_or_default();
        let seen: Vec<usize> = response["data"]["result"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|sample| sample["value"][1].as_str()?.parse().ok())
            .collect();
        if seen.len() == 3 && seen.iter().copied().collect::<BTreeSet<_>>() == expected {
            break;
        }
        assert!(Instant::now() < deadline, "{seen:?}, expected {expected:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn prometheus(folder: &Path, targets: &str) -> (Process, String) {
    let port = free_port();
    let config = folder.join("prometheus.yml");
    let text = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: test, static_configs: [{{targets: [{targets}]}}]}}]\n"
    );
    fs::write(&config, text).unwrap();
    let process = Process::start(
        Command::new(program("prometheus", "prometheus"))
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}")),
    );
    (process, format!("http://127.0.0.1:{port}"))
}

/// The answer to a request with these headers: its head in small letters, and its
/// body.
async fn answer(address: SocketAddr, method: &str, headers: &str) -> (String, Bytes) {
    let asking = async {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!(
            "{method} /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).await.unwrap();
        response
    };
    let response = tokio::time::timeout(TIMEOUT, asking)
        .await
        .expect("a response");
    let end = response
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&response[..end + 2]).to_lowercase();
    assert!(head.contains("vary: accept, accept-encoding\r\n"), "{head}");
    (head, Bytes::from(response).slice(end + 4..))
}

/// The lines of a scrape that accepts gzip, and whether they came compressed. What
/// says that it is gzip is, as a whole.
async fn scrape(address: SocketAddr, headers: &str) -> (Vec<u8>, bool) {
    let (head, body) = answer(address, "GET", headers).await;
    let length = format!("content-length: {}\r\n", body.len());
    assert!(head.contains(&length), "{head}");
    match head.contains("content-encoding: gzip\r\n") {
        true => {
            let lines = gunzipped(&body);
            assert!(body.len() * 5 < lines.len(), "{} bytes", body.len());
            (lines, true)
        }
        false => {
            assert!(!head.contains("content-encoding"), "{head}");
            (body.to_vec(), false)
        }
    }
}

const GZIP: &str = "Accept-Encoding: gzip\r\n";

/// A client that waits as long as this, and half of it for compression.
const HURRIED: &str = "Accept-Encoding: gzip\r\nX-Prometheus-Scrape-Timeout-Seconds: 0.2\r\n";

/// The tenants' part of a scrape.
fn lines(tenants: &Tenants) -> Vec<u8> {
    let chunks = tenants.states.iter().map(|s| (&s.data, &s.health_lines));
    assemble(&FamilyHeaders::default(), Format::Text, chunks).concat()
}

/// Scrapes until the answer is compressed.
async fn until_compressed(address: SocketAddr) -> Vec<u8> {
    let compressed = async {
        loop {
            if let (lines, true) = scrape(address, GZIP).await {
                return lines;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, compressed)
        .await
        .expect("it is compressed afterwards")
}

#[test]
fn a_scrape_that_cannot_be_compressed_in_time_is_uncompressed_and_says_so() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = start_with(Arc::new(store_of(4)), options()).await;
        let (address, store) = (server.address, &server.store);
        // Block the one thread that could compress.
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let blocking = tokio::task::spawn_blocking(move || blocked.recv());

        let (first, gzip) = scrape(address, HURRIED).await;
        assert!(!gzip && first.starts_with(&lines(&store.current())));
        store.publish(large_fleet::tenant(2, 1, 1));
        let current = lines(&store.current());
        let (second, gzip) = scrape(address, HURRIED).await;
        assert!(!gzip && second.starts_with(&current));

        release.send(()).unwrap();
        blocking.await.unwrap().unwrap();
        assert!(until_compressed(address).await.starts_with(&current));
    });
}

/// More lines than a scrape compresses. Every tenant has those of the first one:
/// to render each would take longer.
fn large_store() -> Arc<Store> {
    let first = large_fleet::tenant(0, 0, 0);
    let store = Store::default();
    for number in 0..60 {
        store.publish(TenantState {
            identity: large_fleet::identity(number),
            ..first.clone()
        });
    }
    Arc::new(store)
}

#[tokio::test]
async fn the_first_scrape_of_many_tenants_is_uncompressed_and_later_ones_are_compressed() {
    let store = large_store();
    let current = lines(&store.current());
    let server = start_with(Arc::clone(&store), options()).await;
    let (first, gzip) = scrape(server.address, GZIP).await;
    assert!(!gzip && first.starts_with(&current));
    assert!(until_compressed(server.address).await.starts_with(&current));

    let server = start_with(Arc::clone(&store), options()).await;
    let (head, body) = answer(server.address, "HEAD", GZIP).await;
    assert!(
        body.is_empty() && !head.contains("content-encoding"),
        "{head}"
    );
    let length = head.split("content-length: ").nth(1).unwrap();
    let length: usize = length.lines().next().unwrap().parse().unwrap();
    assert!(length > current.len(), "{length}");
    until_compressed(server.address).await;
    let (head, _) = answer(server.address, "HEAD", GZIP).await;
    assert!(head.contains("content-encoding: gzip\r\n"), "{head}");

    let server = start_with(store, options()).await;
    let only =
        "Accept-Encoding: gzip, identity;q=0\r\nX-Prometheus-Scrape-Timeout-Seconds: 100\r\n";
    let (first, gzip) = scrape(server.address, only).await;
    assert!(gzip && first.starts_with(&current));
}
