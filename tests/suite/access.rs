//! What a client with some tenants gets is what an exporter with only these tenants
//! gives, on every path of the site; the exporter's own metrics apart.

use crate::partner_pages::partners;
use crate::test_server::{change, entry, options, refreshed, report, site};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bcrypt::hash;
use bytes::Bytes;
use exporter_web_config::AccessControl;
use http_body_util::{BodyExt, Empty};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderMap};
use hyper::{Method, Request};
use proptest::prelude::*;
use proptest::sample::select;
use secure_score_exporter::access::{AccessGrant, AccessRules, Grantee};
use secure_score_exporter::config::{Config, Environment, Pattern, load};
use secure_score_exporter::http::{Site, SiteOptions};
use secure_score_exporter::store::{Store, TenantState};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::{Format, Policy, SeriesSet, render_data, render_health};
use secure_score_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use strict_yaml::Span;

/// The tenants of the whole exporter.
const TENANTS: [&str; 7] = [
    "adatum",
    "contoso",
    "contoso-emea",
    "contosolar",
    "fabrikam",
    "fabrikam-emea",
    "litware",
];

/// Those that a partner discovered.
const DISCOVERED: [&str; 2] = ["contosolar", "fabrikam-emea"];

/// Exceptions: what each names, for which tenants, and until when.
const EXCEPTIONS: [(&str, &[&str], &str); 8] = [
    ("control: AdminMFAV2", &["fabrikam"], "2020-01-31"),
    ("control: AdminMFAV2", &["contoso", "litware"], "2020-02-28"),
    ("control: 'Admin*'", &[], "2030-01-01"),
    ("control: DlpPolicy", &["adatum"], "2030-01-01"),
    (
        "control: AdminMFAV2",
        &["contoso", "fabrikam-emea"],
        "2026-12-01",
    ),
    (
        "control: NoSuchControl",
        &["contoso", "adatum", "litware"],
        "2030-06-01",
    ),
    ("control: NoSuchEither", &[], "2030-06-01"),
    (
        "recommendation: staleApps",
        &["contosolar", "contoso"],
        "2026-11-30",
    ),
];

/// Decisions: the file of each, if it is not in the configuration, what it names and
/// for which tenants.
const DECISIONS: [(Option<&str>, &str, &[&str]); 6] = [
    (None, "AdminMFAV2", &["litware", "contoso"]),
    (None, "'Control-of-*'", &[]),
    (Some("adatum.yml"), "AdminMFAV2", &["adatum", "fabrikam"]),
    (
        Some("adatum.yml"),
        "DlpPolicy",
        &["contoso-emea", "contoso"],
    ),
    (Some("fabrikam-and-litware.yml"), "DlpPolicy", &["litware"]),
    (
        Some("fabrikam-and-litware.yml"),
        "'*'",
        &["fabrikam", "contosolar"],
    ),
];

const PASSWORD: &str = "a password of the test";

/// 2026-11-20.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_132_800)
}

/// The tenants of a list that are among these, as written in a decision; `None` if it
/// is for others only.
fn named_tenants(named: &[&str], aliases: &[&str]) -> Option<String> {
    let kept = named.iter().copied().filter(|it| aliases.contains(it));
    let kept: Vec<&str> = kept.collect();
    match (named.is_empty(), kept.is_empty()) {
        (true, _) => Some("all".to_owned()),
        (false, true) => None,
        (false, false) => Some(format!("[{}]", kept.join(", "))),
    }
}

/// The decisions for these tenants, in the list of the configuration or in files.
fn decisions(folder: &Path, aliases: &[&str], in_files: bool) -> String {
    let mut lists: BTreeMap<Option<&str>, String> = BTreeMap::new();
    for (number, (file, control, named)) in DECISIONS.iter().enumerate() {
        let Some(tenants) = named_tenants(named, aliases) else {
            continue;
        };
        let list = lists.entry(file.filter(|_| in_files)).or_default();
        *list += &format!(
            "  - {{control: {control}, tenants: {tenants}, reference: DEC-{number}, expires: 2027-01-31}}\n"
        );
    }
    let listed = lists.remove(&None).unwrap_or_default();
    for (file, list) in &lists {
        fs::write(folder.join(file.unwrap()), list).unwrap();
    }
    let files = match in_files {
        true => "decision_files: ['adatum.yml', 'fabrikam*.yml']\n",
        false => "",
    };
    match listed.is_empty() {
        true => files.to_owned(),
        false => format!("{files}decisions:\n{listed}"),
    }
}

/// The configuration of an exporter with these tenants, with decisions in files or in
/// one list.
fn config(aliases: &[&str], in_files: bool) -> Config {
    let tenant = |alias: &&str| {
        format!(
            "  - {{name: {alias}, tenant_id: {alias}.example, credential: {{type: azure_cli}}}}\n"
        )
    };
    let tenants: String = aliases.iter().map(tenant).collect();
    let exceptions = EXCEPTIONS.iter().enumerate().filter_map(|(number, it)| {
        let (subject, named, expires) = it;
        let tenants = named_tenants(named, aliases)?;
        Some(format!(
            "    - {{{subject}, tenants: {tenants}, reference: SEC-{number}, expires: {expires}}}\n"
        ))
    });
    let exceptions: String = exceptions.collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secure-score.yml");
    let decisions = decisions(folder.path(), aliases, in_files);
    let text = format!("tenants:\n{tenants}risk_accepted:\n  exceptions:\n{exceptions}{decisions}");
    fs::write(&file, text).unwrap();
    load(&file, &Environment::default()).unwrap().config
}

/// A tenant whose data depend on its alias: each has other controls, persons and
/// failures.
fn tenant(alias: &str, config: &Config) -> TenantState {
    use ControlState::{RiskAccepted, ToAddress};
    let number = TENANTS.iter().position(|it| *it == alias).unwrap();
    let at = 1_790_000_000 + i64::try_from(number).unwrap() * 86_400;
    let person = format!("admin@{alias}.example");
    let accepted = change(RiskAccepted, at, &person, &format!("a reason of {alias}"));
    let reverted = change(ToAddress, at + 60, &person, "");
    let own = format!("Control-of-{alias}");
    let entries = [
        entry("AdminMFAV2", Category::Identity, vec![accepted.clone()]),
        entry("DlpPolicy", Category::Data, vec![accepted, reverted]),
        entry(&own, Category::Apps, Vec::new()),
    ];
    let catalogue = Catalogue {
        entries: entries.map(Arc::new).into(),
        ..Catalogue::default()
    };
    let list = RecommendationList {
        entries: vec![Arc::new(RecommendationEntry {
            status: RecommendationStatus::Dismissed,
            last_modified_by: Some(person.as_str().into()),
            ..RecommendationEntry::new("staleApps")
        })],
        ..RecommendationList::default()
    };
    let mut state = TenantState::new(TenantIdentity {
        target: Some(0.1 * number as f64),
        ..TenantIdentity::new(alias)
    });
    let has_catalogue = alias != "litware";
    let rules = config.rules(alias);
    let snapshot = TenantSnapshot::join(
        has_catalogue.then_some(&catalogue),
        Some(Arc::new(Report {
            as_of: Some(Timestamp::from(now())),
            ..report()
        })),
        &CategoryPins::default(),
        &rules,
    );
    let list = (number % 2 == 1).then_some(&list);
    let histories = StatusHistories::default();
    let snapshot = snapshot.with_recommendations(list, &histories, None, &rules);
    state.health = refreshed();
    for list in [&mut state.health.profiles, &mut state.health.scores] {
        list.last_success = Some(Timestamp::from(now() - Duration::from_secs(60)));
    }
    state.health.recommendations.has_series = true;
    if alias == "contosolar" {
        let message = "the catalogue is not used: contosolar-old is the same Entra tenant";
        let trouble = Trouble::new(Reason::Permission, message);
        state.health.profiles.trouble = Some(trouble);
    }
    state.data = render_data(&state.identity, &snapshot, &Policy::default());
    state.health_lines = render_health(&state.identity, &state.health, SeriesSet::Full);
    state.snapshot = Arc::new(snapshot);
    state
}

/// An exporter with all tenants and a partner, of which alice sees those that the
/// patterns match.
fn whole_exporter(patterns: &[&str]) -> Site {
    let store = Arc::<Store>::default();
    store.publish_partners(partners());
    let site = exporter(store, &TENANTS);
    site.set_access(Some(rules(patterns)));
    site
}

/// An exporter with these tenants.
fn exporter(store: Arc<Store>, aliases: &[&str]) -> Site {
    if !aliases.is_empty() {
        // What is in files for all tenants is in one list for some.
        let config = config(aliases, aliases == TENANTS);
        for alias in aliases {
            store.publish(tenant(alias, &config));
        }
    }
    let telemetry = Arc::new(Telemetry::new().unwrap());
    telemetry.external_url("https://score.example").unwrap();
    let options = SiteOptions {
        started: now() - Duration::from_secs(3_600),
        ..options()
    };
    let site = site(&store, &telemetry, options);
    let labels = aliases.iter().map(|alias| {
        let team = ("team".to_owned(), format!("team of {alias}"));
        ((*alias).to_owned(), [team].into())
    });
    site.set_target_labels(labels.collect());
    site
}

/// A web configuration with one user, `alice`.
pub(crate) fn web_config() -> AccessControl {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("web.yml");
    let hash = hash(PASSWORD, 4).unwrap();
    fs::write(&file, format!("basic_auth_users: {{alice: '{hash}'}}\n")).unwrap();
    AccessControl::new(exporter_web_config::load(&file).unwrap().0)
}

/// The header by which alice authenticates.
pub(crate) fn authorization() -> String {
    let pair = STANDARD.encode(format!("alice:{PASSWORD}"));
    format!("Basic {pair}")
}

/// A request, with `{alias}` and `{control}` of its path replaced.
#[derive(Debug, Clone, Default)]
struct Sent {
    method: Method,
    alias: &'static str,
    control: &'static str,
    query: Vec<(&'static str, &'static str)>,
    accept: &'static str,
    gzip: bool,
    /// A header by which a client may try to be someone else, or to learn what others
    /// received.
    header: Option<(&'static str, &'static str)>,
}

impl Sent {
    fn to(&self, path: &str) -> Request<Empty<Bytes>> {
        let path = path.replace("{alias}", self.alias);
        let path = path.replace("{control}", self.control);
        let path = path.replace("{alert}", "SecureScoreRiskAccepted");
        let query = self.query.iter();
        let query: Vec<String> = query
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let target = match query.is_empty() {
            true => path,
            false => format!("{path}?{}", query.join("&")),
        };
        let request = Request::builder()
            .method(self.method.clone())
            .uri(target)
            .header(HOST, "score.example")
            .header(AUTHORIZATION, authorization())
            .header(ACCEPT, self.accept);
        let request = match self.gzip {
            true => request.header(ACCEPT_ENCODING, "gzip"),
            false => request,
        };
        let request = match self.header {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        request.body(Empty::new()).unwrap()
    }
}

/// What a client receives.
#[derive(Debug, PartialEq)]
struct Received {
    status: u16,
    headers: HeaderMap,
    body: String,
}

async fn received(site: &Site, access: &AccessControl, request: Request<Empty<Bytes>>) -> Received {
    let refuse = |_| panic!("the password is right");
    let respond = |request| site.respond(request, now());
    let client = Ipv4Addr::LOCALHOST.into();
    let response = access.guard(request, client, refuse, respond).await;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let mut text = String::new();
    let is_gzip = parts.headers.get("content-encoding").is_some();
    match is_gzip && !bytes.is_empty() {
        true => flate2::bufread::GzDecoder::new(&*bytes).read_to_string(&mut text),
        false => (&*bytes).read_to_string(&mut text),
    }
    .unwrap();
    Received {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: text,
    }
}

/// Without what is the exporter's own, and without the length, which depends on it
/// and on how far the body was compressed.
fn without_own_metrics(mut received: Received) -> Received {
    let own = Telemetry::new().unwrap();
    own.external_url("https://score.example").unwrap();
    let own = own.describe();
    let own: BTreeSet<String> = own.into_iter().map(|(name, ..)| name).collect();
    let is_own = |line: &&str| {
        let name = line
            .trim_start_matches("# HELP ")
            .trim_start_matches("# TYPE ");
        let name = name.split([' ', '{']).next().unwrap_or_default();
        own.iter().any(|own| {
            own == name
                || own.trim_end_matches("_total").trim_end_matches("_info") == name
                || ["_bucket", "_sum", "_count"]
                    .iter()
                    .any(|end| format!("{own}{end}") == name)
        })
    };
    let kept = received.body.lines().filter(|line| !is_own(line));
    received.body = kept.flat_map(|line| [line, "\n"]).collect();
    received.headers.remove(CONTENT_LENGTH);
    received
}

fn sent() -> impl Strategy<Value = Sent> {
    const NAMES: [&str; 18] = [
        "show",
        "tenant",
        "tenant[]",
        "category",
        "category[]",
        "control",
        "since",
        "approved",
        "in_force",
        "where",
        "sort",
        "page",
        "state",
        "find",
        "watched",
        "refresh",
        "format",
        "nonsense",
    ];
    const VALUES: [&str; 26] = [
        "accepted",
        "unapproved",
        "",
        "contoso",
        "Contoso",
        "contoso-eme",
        "fabrikam",
        "fabrikan",
        "fabrikam-emea",
        "adatum",
        "litwar",
        "contosolar",
        "Identity",
        "Apps",
        "AdminMFAV2",
        "staleApps",
        "true",
        "false",
        "entra",
        "-tenant",
        "1",
        "2",
        "2026-01-01",
        "csv",
        "off",
        "%00%FF",
    ];
    const OTHERS: [&str; 5] = ["contosol", "fabrikan-emea", "litwar", "", "%2e%2e"];
    let aliases = [&TENANTS[..], &OTHERS].concat();
    const CONTROLS: [&str; 9] = [
        "AdminMFAV2",
        "adminmfav2",
        "DlpPolicy",
        "staleApps",
        "Control-of-contoso",
        "Control-of-fabrikam",
        "Control-of-litware",
        "Control-of-fabrikan",
        "",
    ];
    const ACCEPTS: [&str; 6] = [
        "*/*",
        "text/html",
        "application/json",
        "text/csv",
        "application/openmetrics-text;version=1.0.0",
        "application/xml",
    ];
    const HEADERS: [(&str, &str); 10] = [
        ("x-forwarded-user", "provider"),
        ("x-remote-user", "fabrikam"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-original-url", "/tenants/fabrikam"),
        ("x-http-method-override", "GET"),
        ("x-prometheus-scrape-timeout-seconds", "1"),
        ("range", "bytes=0-100"),
        ("if-none-match", "*"),
        ("if-modified-since", "Fri, 20 Nov 2026 00:00:00 GMT"),
        ("cookie", "tenant=fabrikam"),
    ];
    let method =
        prop_oneof![8 => Just(Method::GET), 1 => Just(Method::HEAD), 1 => Just(Method::POST)];
    let pair = (select(&NAMES[..]), select(&VALUES[..]));
    let query = prop_oneof![
        3 => Just(Vec::new()),
        2 => (select(&["tenant", "tenant[]", "find"][..]), select(&VALUES[..])).prop_map(|it| vec![it]),
        1 => Just(vec![("format", "csv")]),
        2 => prop::collection::vec(pair, 1..3),
    ];
    (
        method,
        select(aliases),
        select(&CONTROLS[..]),
        query,
        select(&ACCEPTS[..]),
        any::<bool>(),
        prop::option::of(select(&HEADERS[..])),
    )
        .prop_map(
            |(method, alias, control, query, accept, gzip, header)| Sent {
                method,
                alias,
                control,
                query,
                accept,
                gzip,
                header,
            },
        )
}

fn patterns() -> impl Strategy<Value = Vec<&'static str>> {
    const PATTERNS: [&str; 12] = [
        "adatum",
        "contoso",
        "CONTOSO-emea",
        "contosolar",
        "fabrikam",
        "litware",
        "contoso*",
        "contoso-*",
        "*-emea",
        "fabrika?",
        "unknown-*",
        "**",
    ];
    prop::collection::vec(select(&PATTERNS[..]), 1..4)
}

pub(crate) fn rules(patterns: &[&str]) -> AccessRules {
    let patterns = patterns.iter().map(|it| Pattern::new(it).unwrap());
    let grant = AccessGrant {
        grantee: Grantee::User("alice".to_owned()),
        tenants: patterns.collect(),
        path: "access[0].user".to_owned(),
        span: Span::Nowhere,
    };
    let configured = TENANTS.iter().filter(|it| !DISCOVERED.contains(it));
    AccessRules::new(vec![grant], configured.map(|it| (*it).to_owned()))
}

/// The tenants that patterns grant, by the patterns' own definition.
fn granted(patterns: &[&str]) -> Vec<&'static str> {
    let expression = |pattern: &&str| {
        let escaped = regex::escape(pattern);
        let expression = escaped.replace("\\*", ".*").replace("\\?", ".");
        regex::Regex::new(&format!("(?i)^{expression}$")).unwrap()
    };
    let expressions: Vec<_> = patterns.iter().map(expression).collect();
    let matches = |alias: &str| expressions.iter().any(|it| it.is_match(alias));
    let is_named = |alias: &str| patterns.iter().any(|it| it.eq_ignore_ascii_case(alias));
    let is_granted = |alias: &&str| match DISCOVERED.contains(alias) {
        true => is_named(alias),
        false => matches(alias),
    };
    TENANTS.into_iter().filter(is_granted).collect()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_client_gets_what_an_exporter_with_only_its_tenants_gives(
        patterns in patterns(),
        sent in prop::collection::vec(sent(), 48),
    ) {
        block_on(async {
            let access = web_config();
            let whole = whole_exporter(&patterns);
            let only = exporter(Arc::default(), &granted(&patterns));
            let mut paths = whole.paths();
            paths.extend(["/nothing", "/api/v1/nothing", "/tenants"].map(str::to_owned));
            let mut sent = sent.iter().cycle();
            for path in paths.iter().flat_map(|path| [path; 3]) {
                let sent = sent.next().unwrap();
                let mapped = received(&whole, &access, sent.to(path)).await;
                let alone = received(&only, &access, sent.to(path)).await;
                if path == "/-/reload" {
                    prop_assert_eq!(mapped.status, 403);
                    continue;
                }
                let (mapped, alone) = match path == "/metrics" {
                    true => (without_own_metrics(mapped), without_own_metrics(alone)),
                    false => (mapped, alone),
                };
                prop_assert_eq!(mapped, alone, "{} {:?}", path, sent);
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn the_own_metrics_of_a_client_with_some_tenants_count_no_other() {
    let access = web_config();
    let whole = whole_exporter(&["contoso"]);
    let sent = Sent {
        accept: "text/plain",
        ..Sent::default()
    };
    let metrics = received(&whole, &access, sent.to("/metrics")).await.body;
    let own = Telemetry::new().unwrap();
    own.external_url("https://score.example").unwrap();
    let own = String::from_utf8(own.encode_for_some_tenants(Format::Text)).unwrap();
    assert_eq!(own.matches("# TYPE").count(), 3, "{own}");
    assert!(metrics.ends_with(&own), "{metrics}");
    assert!(!metrics.contains("secure_score_partner_"), "{metrics}");
    let all = rules(&["*"]);
    whole.set_access(Some(all));
    let metrics = received(&whole, &access, sent.to("/metrics")).await.body;
    for family in ["secure_score_partner_", "secure_score_exporter_tenants "] {
        assert!(metrics.contains(family), "{family}\n{metrics}");
    }
}

#[tokio::test]
async fn a_control_of_another_tenant_is_as_unknown_as_one_of_none() {
    let access = web_config();
    let whole = whole_exporter(&["contoso"]);
    let page = async |control: &'static str| {
        let sent = Sent {
            control,
            accept: "text/html",
            ..Sent::default()
        };
        let received = received(&whole, &access, sent.to("/controls/{control}")).await;
        let body = received.body.replace(control, "NAME");
        (received.status, body)
    };
    assert_eq!(page("Control-of-contoso").await.0, 200);
    let (status, other) = page("Control-of-fabrikam").await;
    assert_eq!(status, 404, "{other}");
    assert_eq!(page("Control-of-fabrikaX").await, (404, other));
}

#[tokio::test]
async fn while_a_reload_is_applied_a_client_sees_what_both_rules_grant() {
    let access = web_config();
    let whole = whole_exporter(&["contoso", "fabrikam"]);
    let seen = async || {
        let mut seen = Vec::new();
        for tenant in TENANTS {
            let request = Request::get(format!("/probe?tenant={tenant}"))
                .header(HOST, "score.example")
                .header(AUTHORIZATION, authorization())
                .body(Empty::new())
                .unwrap();
            if received(&whole, &access, request).await.status == 200 {
                seen.push(tenant);
            }
        }
        seen
    };
    assert_eq!(seen().await, ["contoso", "fabrikam"]);
    let after = rules(&["contoso", "adatum"]);
    whole.restrict_access(Some(after.clone()));
    assert_eq!(seen().await, ["contoso"]);
    whole.set_access(Some(after.clone()));
    assert_eq!(seen().await, ["adatum", "contoso"]);
    whole.set_access(None);
    assert_eq!(seen().await, TENANTS);
    whole.restrict_access(Some(after));
    assert_eq!(seen().await, ["adatum", "contoso"]);
    let without_grants = AccessRules::new(Vec::new(), []);
    whole.restrict_access(Some(without_grants));
    assert!(seen().await.is_empty());
}
