//! What is sent as gzip, as every reader reads it, at any moment.

use crate::crowd;
use crate::process::{Process, free_port, program};
use bytes::Bytes;
use proptest::prelude::*;
use secure_score_exporter::http::{Closed, Options, PersonDetail, Site, bind, serve};
use secure_score_exporter::store::{Store, TenantState, Tenants};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::{Block, BlockCache, CompressedBody, Deflater, Format, assemble};
use secure_score_model::Persons;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How long anything may take before a test gives up: far more than it needs.
const PATIENCE: Duration = Duration::from_secs(60);

const TAIL: &[u8] = b"# HELP tail The end.\n# TYPE tail gauge\ntail 1\n# EOF\n";

fn edition(shelf: &mut BlockCache, format: Format, tenants: &Tenants) -> Arc<CompressedBody> {
    let states = tenants
        .states
        .iter()
        .map(|state| (&state.identity.alias, &state.data, &state.vitals));
    shelf.body(format, tenants.generation, states)
}

fn stream(edition: &CompressedBody) -> Vec<u8> {
    let member = edition.member();
    let stream = member.parts.concat();
    assert_eq!(stream.len(), member.length);
    [stream, edition.finish(TAIL).to_vec()].concat()
}

fn plain(format: Format, tenants: &Tenants) -> Vec<u8> {
    let chunks = tenants.states.iter().map(|s| (&s.data, &s.vitals));
    [assemble(format, chunks).concat(), TAIL.to_vec()].concat()
}

/// One member only: what follows it would be an error.
fn unpacked(stream: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(stream);
    decoder.read_to_end(&mut plain).unwrap();
    let rest = decoder.into_inner();
    assert!(rest.is_empty(), "{} bytes follow the member", rest.len());
    plain
}

/// What a program makes of bytes on its standard input.
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
    assert!(output.status.success(), "{name} refuses the stream");
    output.stdout
}

fn compress<'a>(blocks: impl Iterator<Item = &'a Arc<Block>>) {
    let mut deflater = Deflater::default();
    blocks.for_each(|block| block.compress(&mut deflater));
}

fn crowd(tenants: u64) -> Store {
    let store = Store::default();
    for number in 0..tenants {
        store.publish(crowd::tenant(number, 0, 0));
    }
    store
}

/// Tenants of the property below, each after three different refreshes: one
/// brings other vitals, one other scores, too.
static POOL: LazyLock<Vec<Vec<TenantState>>> = LazyLock::new(|| {
    let stages = [(0, 0), (0, 1), (1, 2)];
    let tenant = |number| {
        let stage = |(report, refreshes)| crowd::tenant(number, report, refreshes);
        stages.into_iter().map(stage).collect()
    };
    (0..5).map(tenant).collect()
});

#[derive(Debug, Clone)]
enum Step {
    Publish(usize, usize),
    Remove(u64),
    /// Scrape, and let every n-th block that waits be compressed afterwards.
    Scrape(Format, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let format = prop::sample::select(Format::ALL.to_vec());
    prop_oneof![
        4 => (0..5_usize, 0..3_usize).prop_map(|(tenant, stage)| Step::Publish(tenant, stage)),
        1 => (0..5_u64).prop_map(Step::Remove),
        3 => (format, 1..4_usize).prop_map(|(format, every)| Step::Scrape(format, every)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happened_before_a_scrape_reads_as_what_is(steps in prop::collection::vec(step(), 8..24)) {
        let (store, mut shelf) = (Store::default(), BlockCache::default());
        for step in steps {
            match step {
                Step::Publish(tenant, stage) => store.publish(POOL[tenant][stage].clone()),
                Step::Remove(tenant) => store.remove(&crowd::alias(tenant)),
                Step::Scrape(format, every) => {
                    let tenants = store.current();
                    let edition = edition(&mut shelf, format, &tenants);
                    let stream = stream(&edition);
                    let expected = plain(format, &tenants);
                    prop_assert!(unpacked(&stream) == expected);
                    prop_assert!(through("gzip", &["-dc"], &stream) == expected);
                    let waiting = edition.blocks().filter(|block| !block.is_compressed());
                    compress(waiting.step_by(every));
                }
            }
        }
    }
}

#[test]
fn the_body_is_hardly_longer_than_gzip_would_make_it() {
    for tenants in [1, 5, 60] {
        let store = crowd(tenants);
        let current = store.current();
        let edition = edition(&mut BlockCache::default(), Format::Text, &current);
        compress(edition.blocks());
        let ours = stream(&edition).len();
        let whole = through("gzip", &["-6", "-c"], &plain(Format::Text, &current)).len();
        eprintln!("{tenants} tenants: {ours} bytes, gzip -6 {whole}");
        assert!(
            ours * 10 <= whole * 11,
            "{tenants} tenants: {ours} bytes, gzip -6 {whole}"
        );
    }
}

#[test]
fn one_tenants_refresh_leaves_the_blocks_of_others_alone() {
    let (store, mut shelf) = (crowd(60), BlockCache::default());
    let before = edition(&mut shelf, Format::Text, &store.current());
    compress(before.blocks());
    let all: usize = before.blocks().map(|block| block.len()).sum();
    let waiting = |edition: &CompressedBody| {
        let waiting = edition.blocks().filter(|block| !block.is_compressed());
        waiting.map(|block| block.len()).sum::<usize>()
    };

    // The same lines once more, in other buffers.
    store.publish(crowd::tenant(7, 0, 0));
    assert_eq!(
        waiting(&edition(&mut shelf, Format::Text, &store.current())),
        0
    );

    // Only the refresh itself is new.
    let known = store.current();
    let known = known.find(&crowd::alias(7)).unwrap();
    store.publish(crowd::refreshed(known, 7, 1));
    let vitals = waiting(&edition(&mut shelf, Format::Text, &store.current()));
    assert!(
        0 < vitals && vitals * 10 < all,
        "{vitals} of {all} bytes wait"
    );

    // New scores, too: a block of each family that has them, at the most.
    store.publish(crowd::tenant(7, 1, 2));
    let scores = waiting(&edition(&mut shelf, Format::Text, &store.current()));
    assert!(
        vitals < scores && scores * 2 < all,
        "{scores} of {all} bytes wait"
    );
}

#[test]
fn both_formats_share_what_is_compressed() {
    let (store, mut shelf) = (crowd(30), BlockCache::default());
    let text = edition(&mut shelf, Format::Text, &store.current());
    compress(text.blocks());
    let open = edition(&mut shelf, Format::OpenMetrics, &store.current());
    let shared = open.blocks().filter(|block| block.is_compressed()).count();
    assert!(shared * 2 > open.blocks().count());
    assert!(shared < open.blocks().count(), "some headers differ");
    assert_eq!(
        unpacked(&stream(&open)),
        plain(Format::OpenMetrics, &store.current())
    );
}

#[test]
fn an_old_edition_is_freed_when_there_is_a_new_one() {
    let (store, mut shelf) = (crowd(2), BlockCache::default());
    let old = Arc::downgrade(&edition(&mut shelf, Format::Text, &store.current()));
    store.publish(crowd::tenant(1, 1, 1));
    let _new = edition(&mut shelf, Format::Text, &store.current());
    assert!(old.upgrade().is_none());
}

/// Answers every request with the same bytes, as gzip.
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

/// Nothing compressed, something, and everything.
fn stages() -> Vec<(Vec<u8>, Vec<u8>, usize)> {
    let store = crowd(6);
    let tenants = store.current();
    let edition = edition(&mut BlockCache::default(), Format::OpenMetrics, &tenants);
    let expected = plain(Format::OpenMetrics, &tenants);
    let samples = expected.split(|byte| *byte == b'\n');
    let samples = samples
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .count();
    let mut stages = vec![stream(&edition)];
    compress(edition.blocks().step_by(2));
    stages.push(stream(&edition));
    compress(edition.blocks());
    stages.push(stream(&edition));
    assert!(stages[0].len() > stages[1].len() && stages[1].len() > stages[2].len());
    stages
        .into_iter()
        .map(|stream| (stream, expected.clone(), samples))
        .collect()
}

#[test]
fn gzip_python_curl_and_node_read_the_same_bytes() {
    for (stream, expected, _) in stages() {
        assert!(unpacked(&stream) == expected);
        assert!(through("gzip", &["-dc"], &stream) == expected, "gzip");
        assert!(
            through("python3", &["-c", PYTHON], &stream) == expected,
            "python3"
        );
        let url = format!("http://{}/metrics", replay(stream, Format::OpenMetrics));
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
    let samples = stages[0].2;
    let targets: Vec<String> = stages
        .into_iter()
        .map(|(stream, ..)| format!("\"{}\"", replay(stream, Format::OpenMetrics)))
        .collect();
    let (_prometheus, url) = prometheus(folder.path(), &targets.join(", "));
    let query = format!("{url}/api/v1/query?query=scrape_samples_scraped");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = match http.get(&query).send().await {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_not_yet) => String::new(),
        };
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap_or_default();
        let seen: Vec<usize> = answer["data"]["result"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|sample| sample["value"][1].as_str()?.parse().ok())
            .collect();
        if seen == [samples; 3] {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "{seen:?}, expected three times {samples}"
        );
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

/// A server over a crowd, on the runtime of who asks.
async fn serving(tenants: u64) -> (SocketAddr, Arc<Store>) {
    let store = Arc::new(crowd(tenants));
    let options = Options {
        telemetry_path: "/metrics".to_owned(),
        route_prefix: "/".to_owned(),
        external_url: None,
        persons: PersonDetail::Shown(Persons::Plain),
        exposed: false,
        access: Arc::default(),
        closed: Closed::default(),
        lifecycle: None,
        version: "1.2.3".to_owned(),
        started: SystemTime::now(),
    };
    let telemetry = Arc::new(Telemetry::new().unwrap());
    let site = Site::new(Arc::clone(&store), telemetry, options);
    let listeners = bind(&["127.0.0.1:0"]).await.unwrap();
    let address = listeners[0].local_addr().unwrap();
    tokio::spawn(serve(listeners, Arc::new(site), std::future::pending()));
    (address, store)
}

/// The body of a gzip scrape.
async fn scrape(address: SocketAddr) -> Bytes {
    let asking = async {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let answer = tokio::time::timeout(PATIENCE, asking)
        .await
        .expect("an answer");
    let end = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let body = Bytes::from(answer).slice(end + 4..);
    assert!(
        head.contains(&format!("content-length: {}\r\n", body.len())),
        "{head}"
    );
    assert!(head.contains("content-encoding: gzip"), "{head}");
    body
}

/// The tenants' part of a scrape.
fn lines(tenants: &Tenants) -> Vec<u8> {
    let chunks = tenants.states.iter().map(|s| (&s.data, &s.vitals));
    assemble(Format::Text, chunks).concat()
}

#[test]
fn a_scrape_does_not_wait_for_compression() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (address, store) = serving(4).await;
        // The one thread that could compress has other things to do.
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let closed = tokio::task::spawn_blocking(move || gate.recv());

        let first = scrape(address).await;
        assert!(unpacked(&first).starts_with(&lines(&store.current())));
        store.publish(crowd::tenant(2, 1, 1));
        let second = scrape(address).await;
        let current = lines(&store.current());
        assert!(unpacked(&second).starts_with(&current));
        assert!(second.len() > current.len(), "nothing is compressed yet");

        open.send(()).unwrap();
        closed.await.unwrap().unwrap();
        let waiting = async {
            while scrape(address).await.len() * 5 > first.len() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("it is compressed afterwards");
        assert!(unpacked(&scrape(address).await).starts_with(&current));
    });
}
