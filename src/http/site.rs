//! The routes, and what answers each.

use super::client::Client;
use super::compressor::{Compressor, Freshness};
use super::cpu_pool::CpuPool;
use super::discovery::{self, TargetLabels};
use super::evidence;
use super::health;
use super::lifecycle;
use super::metrics_filter::MetricsFilter;
use super::options::SiteOptions;
use super::page_error::page_error;
use super::probe::{self, ProbeCache};
use super::route::Route;
use super::scrape::{self, Scrape, scrape_timeout};
use super::visibility::Visibility;
use crate::access::AccessRules;
use crate::api::Api;
use crate::http_types::{Body, PersonDetail, PersonPolicy, QueryError, Response, response};
use crate::refresh::OnDemandRefresh;
use crate::store::{Store, VisibleStore};
use crate::telemetry::Telemetry;
use crate::views::{self, Page, PageCsv, PageError, PageQuery, ViewContext};
use arc_swap::ArcSwap;
use hyper::header::{CONNECTION, HOST, HeaderValue, REFRESH};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode, Version};
use maud::Markup;
use secure_score_exposition::FamilyHeaders;
use secure_score_model::Timestamp;
use std::ops::ControlFlow::{Break, Continue};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

/// No route reads a request's body. A small one is ignored, since some clients
/// always send one; a larger one is rejected unread.
pub(super) const MAX_REQUEST_BODY: u64 = 8 * 1024;

/// Everything that the exporter serves.
#[derive(Debug)]
pub struct Site {
    /// What each client sees of the store.
    visibility: Visibility,
    telemetry: Arc<Telemetry>,
    options: SiteOptions,
    family_headers: FamilyHeaders,
    compressor: Arc<Compressor>,
    /// Which clients see persons; replaced by a reload.
    persons: ArcSwap<PersonPolicy>,
    /// The labels of the tenants' targets; replaced by a reload.
    target_labels: ArcSwap<TargetLabels>,
    /// Refreshes what a scrape finds overdue, once the fleet has started.
    on_demand_refresh: OnceLock<Arc<OnDemandRefresh>>,
    probes: Arc<ProbeCache>,
    cpu_pool: CpuPool,
    api: Api,
}

impl Site {
    /// A site that shows what the store holds.
    pub fn new(store: Arc<Store>, telemetry: Arc<Telemetry>, options: SiteOptions) -> Self {
        let options = SiteOptions {
            telemetry_path: match normalized(&options.telemetry_path) {
                root if root.is_empty() => "/".to_owned(),
                path => path,
            },
            route_prefix: normalized(&options.route_prefix),
            ..options
        };
        Self {
            persons: ArcSwap::from_pointee(options.persons.clone()),
            visibility: Visibility::new(store, Arc::clone(&telemetry)),
            telemetry,
            options,
            family_headers: FamilyHeaders::default(),
            compressor: Arc::default(),
            target_labels: ArcSwap::default(),
            on_demand_refresh: OnceLock::new(),
            probes: Arc::default(),
            cpu_pool: CpuPool::default(),
            api: Api::default(),
        }
    }

    /// Answers one request; every error is a response too.
    pub async fn respond<B: hyper::body::Body>(
        &self,
        request: Request<B>,
        now: SystemTime,
    ) -> Response {
        if request.body().size_hint().lower() > MAX_REQUEST_BODY {
            let line = "request bodies are not accepted\n";
            let response = response::text(StatusCode::PAYLOAD_TOO_LARGE, line);
            return response::with(response, CONNECTION, HeaderValue::from_static("close"));
        }
        let (parts, _) = request.into_parts();
        if !names_one_host(&parts) {
            let line = "HTTP/1.1 requires exactly one Host header\n";
            return response::text(StatusCode::BAD_REQUEST, line);
        }
        let route = self.route(parts.uri.path());
        if let Some(flag) = route.and_then(|route| self.disabled_by(route)) {
            return response::text(StatusCode::NOT_FOUND, format!("disabled by {flag}\n"));
        }
        let is_read = matches!(parts.method, Method::GET | Method::HEAD);
        if !is_read && !route.is_some_and(Route::checks_method) {
            return response::method_not_allowed(&parts.method, "GET, HEAD");
        }
        let now = Timestamp::from(now);
        let visible = self.visibility.of(&parts, &self.options.access);
        let response = match (route, visible) {
            (Some(route), Some(visible)) => self.answer(route, &parts, &visible, now).await,
            (None, Some(visible)) => self.not_found(&parts, &visible, now),
            (route, None) => self.answer_without_tenants(route, &parts),
        };
        match parts.method {
            // The headers stay, the length included.
            Method::HEAD => response.map(|_| Body::empty()),
            _ => response,
        }
    }

    /// The exporter's own metrics.
    pub(super) fn telemetry(&self) -> Arc<Telemetry> {
        Arc::clone(&self.telemetry)
    }

    /// Replaces which clients see persons.
    pub fn set_persons(&self, persons: PersonPolicy) {
        self.persons.store(Arc::new(persons));
    }

    /// Replaces the labels of the tenants' targets.
    pub fn set_target_labels(&self, labels: TargetLabels) {
        self.target_labels.store(Arc::new(labels));
    }

    /// Replaces which tenants each client sees; without rules, all.
    pub fn set_access(&self, rules: Option<AccessRules>) {
        self.visibility.set_rules(rules);
    }

    /// Shows each client only what these rules grant too, until
    /// [`set_access`](Self::set_access). While the tenants of a reload are applied, an
    /// alias may stand for the tenant of before or for another one.
    pub fn restrict_access(&self, rules: Option<AccessRules>) {
        self.visibility.add_rules(rules);
    }

    /// Logs once each of these tenants that a pattern of the rules would grant if a
    /// partner had not discovered it.
    pub fn log_ungranted<'a>(&self, aliases: impl Iterator<Item = &'a str>) {
        self.visibility.log_ungranted(aliases);
    }

    /// Every path of this site; `{alias}` stands for any tenant, `{control}` for any
    /// control, `{alert}` for any alert.
    pub fn paths(&self) -> Vec<String> {
        let prefix = &self.options.route_prefix;
        let paths = Route::paths(&self.options.telemetry_path);
        paths.map(|path| format!("{prefix}{path}")).collect()
    }

    /// Lets scrapes refresh what is overdue. Only the first call has an effect.
    pub fn set_on_demand_refresh(&self, refresh: Arc<OnDemandRefresh>) {
        let _already_set = self.on_demand_refresh.set(refresh);
    }

    /// What the client of a request sees of persons.
    fn persons(&self, parts: &Parts) -> PersonDetail {
        let client = parts.extensions.get::<Client>();
        let verified = client.is_some_and(|client| client.verified_certificate.is_some());
        let rules = self.options.access.config();
        let is_authenticated = rules.is_some_and(|rules| rules.is_authenticated(verified));
        self.persons.load().of_client(is_authenticated)
    }

    /// Whether a path is a health check. An orchestrator restarts the process
    /// when none answers, so it is served however many other requests there are.
    pub(super) fn is_health_check(&self, path: &str) -> bool {
        matches!(self.route(path), Some(Route::Healthy | Route::Ready))
    }

    /// The path below the prefix.
    fn below_prefix<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(&self.options.route_prefix)
    }

    fn route(&self, path: &str) -> Option<Route> {
        Route::find(self.below_prefix(path)?, &self.options.telemetry_path)
    }

    /// The flag that disables a route.
    fn disabled_by(&self, route: Route) -> Option<&'static str> {
        let disabled = self.options.disabled;
        match route {
            Route::Page(_) | Route::Evidence | Route::Stylesheet if disabled.pages => {
                Some("--web.disable-pages")
            }
            Route::Api if disabled.api => Some("--web.disable-api"),
            _ => None,
        }
    }

    async fn answer(
        &self,
        route: Route,
        parts: &Parts,
        visible: &VisibleStore,
        now: Timestamp,
    ) -> Response {
        match route {
            Route::Metrics => self
                .metrics(parts, visible)
                .await
                .unwrap_or_else(bad_request),
            Route::Probe => self.probe(parts, visible).await.unwrap_or_else(bad_request),
            Route::Discovery => {
                let (tenants, labels) = (visible.tenants(), self.target_labels.load());
                discovery::respond(parts, &tenants, &labels, &self.options)
            }
            Route::Api => {
                let path = self.below_prefix(parts.uri.path()).unwrap_or_default();
                let (tenants, persons) = (visible.tenants(), self.persons(parts));
                self.api.respond(path, parts, tenants, persons, now).await
            }
            Route::Healthy => health::healthy(),
            Route::Ready => health::ready(&visible.tenants_with_lines()),
            Route::Reload if visible.whole().is_none() => self.visibility.refuse_reload(parts),
            Route::Reload => lifecycle::respond(self.options.lifecycle.as_ref(), parts).await,
            Route::Stylesheet => response::stylesheet(views::STYLE),
            Route::Page(page) => self.page(page, parts, visible, now).await,
            Route::Evidence => self.with_view(parts, visible, now, |path, context| {
                evidence::respond(path, parts.uri.query(), context)
            }),
        }
    }

    /// Answers a client to whom rules grant no tenant: health checks, for
    /// orchestrators, and nothing else.
    fn answer_without_tenants(&self, route: Option<Route>, parts: &Parts) -> Response {
        match route {
            Some(Route::Healthy) => health::healthy(),
            Some(Route::Ready) => self.visibility.readiness(),
            _ => self.visibility.refuse(route, parts),
        }
    }

    async fn metrics(&self, parts: &Parts, visible: &VisibleStore) -> Result<Response, QueryError> {
        let filter = MetricsFilter::parse(parts.uri.query(), &visible.tenants_with_lines())?;
        let selected = |alias: &str| filter.selects(alias);
        let freshness = self.refresh(selected, visible, parts).await;
        let scrape = Scrape {
            filter,
            visible,
            freshness,
            headers: &parts.headers,
        };
        let (family_headers, telemetry) = (&self.family_headers, &self.telemetry);
        let (compressor, cpu_pool) = (&self.compressor, &self.cpu_pool);
        Ok(scrape::respond(scrape, family_headers, compressor, cpu_pool, telemetry).await)
    }

    async fn probe(&self, parts: &Parts, visible: &VisibleStore) -> Result<Response, QueryError> {
        let tenant = probe::tenant_parameter(parts.uri.query())?;
        self.refresh(|alias| alias == tenant, visible, parts).await;
        let (telemetry, headers) = (&self.telemetry, &parts.headers);
        let probes = &self.probes;
        Ok(probes
            .respond(&tenant, visible, telemetry, &self.cpu_pool, headers)
            .await)
    }

    /// In `refresh.mode: scrape`, refreshes what is overdue and visible, for as long
    /// as the scrape can wait; afterwards the scrape shows the data there is.
    async fn refresh(
        &self,
        selected: impl Fn(&str) -> bool,
        visible: &VisibleStore,
        parts: &Parts,
    ) -> Freshness {
        let on_demand = self.on_demand_refresh.get();
        let Some(refresh) = on_demand.filter(|it| it.is_used()) else {
            return Freshness::Recent;
        };
        let timeout = scrape_timeout(&parts.headers);
        let selected = |alias: &str| selected(alias) && visible.includes(alias);
        let _timed_out = tokio::time::timeout(timeout, refresh.refreshed(selected)).await;
        Freshness::Current
    }

    /// A page, or its table as CSV.
    async fn page(
        &self,
        page: &Page,
        parts: &Parts,
        visible: &VisibleStore,
        now: Timestamp,
    ) -> Response {
        let found = self.with_view(parts, visible, now, |path, context| {
            match page.csv(path, context) {
                Ok(Some(csv)) => Continue(csv),
                other => {
                    let rendered = other.and_then(|_| page.render(path, context));
                    let refresh = page.refresh_seconds(&context.query);
                    Break(page_response(rendered, refresh, context))
                }
            }
        });
        let persons = self.persons(parts);
        match found {
            Continue(PageCsv::List(list, tenants)) => {
                self.api.csv(list, tenants, persons, now).await
            }
            Continue(PageCsv::Controls(name, bytes)) => response::csv(&name, bytes),
            Break(page) => page,
        }
    }

    /// Redirects the root to the prefix; any other path gets a page that lists
    /// the routes.
    fn not_found(&self, parts: &Parts, visible: &VisibleStore, now: Timestamp) -> Response {
        let (path, prefix) = (parts.uri.path(), &self.options.route_prefix);
        if path == "/" || path == prefix {
            return response::redirect(&format!("{prefix}/"));
        }
        if self.options.disabled.pages {
            return response::text(StatusCode::NOT_FOUND, "not found\n");
        }
        self.with_view(parts, visible, now, |_, context| {
            response::html(StatusCode::NOT_FOUND, views::not_found(path, context))
        })
    }

    /// Renders with the path below the prefix and what every page depends on.
    fn with_view<R>(
        &self,
        parts: &Parts,
        visible: &VisibleStore,
        now: Timestamp,
        render: impl FnOnce(&str, &ViewContext<'_>) -> R,
    ) -> R {
        let (options, path) = (&self.options, parts.uri.path());
        let path = self.below_prefix(path).unwrap_or(path);
        let link_prefix = options.link_prefix();
        let context = ViewContext {
            tenants: &visible.tenants(),
            partners: &visible.partners(),
            query: PageQuery::new(format!("{link_prefix}{path}"), parts.uri.query()),
            link_prefix,
            telemetry_path: &options.telemetry_path,
            version: &options.version,
            started: Timestamp::from(options.started),
            api_enabled: !options.disabled.api,
            is_shard: options.is_shard,
            persons: &self.persons(parts),
            now,
        };
        render(path, &context)
    }
}

/// A page, which the browser requests again after the seconds of `refresh`, or why there
/// is none.
fn page_response(
    page: Result<Markup, PageError>,
    refresh: Option<u64>,
    context: &ViewContext<'_>,
) -> Response {
    match page {
        Ok(markup) => {
            let page = response::html(StatusCode::OK, markup);
            match refresh {
                Some(seconds) => response::with(page, REFRESH, seconds.into()),
                None => page,
            }
        }
        Err(error) => page_error(&error, context),
    }
}

fn bad_request(error: QueryError) -> Response {
    response::text(StatusCode::BAD_REQUEST, format!("{error}\n"))
}

/// Whether a request of HTTP/1.1 has exactly one `Host`, as RFC 9112 requires:
/// of two, a cache or proxy in between might use the other.
fn names_one_host(parts: &Parts) -> bool {
    let hosts = parts.headers.get_all(HOST).iter().count();
    match parts.version {
        Version::HTTP_11 => hosts == 1,
        _ => hosts <= 1,
    }
}

/// A path with one leading slash and none at the end; empty for the root.
fn normalized(path: &str) -> String {
    match path.trim_matches('/') {
        "" => String::new(),
        inner => format!("/{inner}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exporter_web_config::{AccessControl, VerifiedCertificates, WebConfig};
    use secure_score_model::Persons;
    use std::net::Ipv4Addr;

    fn site(prefix: &str, telemetry_path: &str) -> Site {
        let options = SiteOptions {
            telemetry_path: telemetry_path.to_owned(),
            route_prefix: prefix.to_owned(),
            persons: PersonPolicy {
                persons: Persons::Plain,
                without_authentication: false,
            },
            ..SiteOptions::default()
        };
        let telemetry = Arc::new(Telemetry::new().unwrap());
        Site::new(Arc::default(), telemetry, options)
    }

    fn found(prefix: &str, path: &str) -> Option<&'static str> {
        let route = site(prefix, "metrics/").route(path);
        route.map(|route| match route {
            Route::Page(page) if page.path == "/" => "status page",
            Route::Metrics => "metrics",
            _ => "another route",
        })
    }

    #[test]
    fn a_prefix_may_be_written_with_or_without_slashes() {
        for prefix in ["secure", "/secure", "/secure/"] {
            assert_eq!(found(prefix, "/secure/metrics"), Some("metrics"));
            assert_eq!(found(prefix, "/secure/"), Some("status page"));
            assert_eq!(found(prefix, "/metrics"), None);
            assert_eq!(found(prefix, "/secured/metrics"), None);
        }
        for prefix in ["", "/"] {
            assert_eq!(found(prefix, "/"), Some("status page"));
        }
    }

    #[tokio::test]
    async fn stricter_rules_show_persons_only_to_connections_with_a_verified_certificate() {
        let mut site = site("", "/metrics");
        site.options.access = Arc::new(AccessControl::new(WebConfig {
            verified_certificates: VerifiedCertificates::Required,
            ..WebConfig::default()
        }));
        for (verified, shown) in [(Some(true), true), (Some(false), false), (None, false)] {
            let mut request = Request::get("/").body(()).unwrap();
            if let Some(certificate_verified) = verified {
                request.extensions_mut().insert(Client {
                    address: Ipv4Addr::LOCALHOST.into(),
                    verified_certificate: certificate_verified.then(Arc::default),
                });
            }
            let persons = site.persons(&request.into_parts().0);
            assert_eq!(!persons.persons().are_hidden(), shown, "{verified:?}");
        }
    }

    #[test]
    fn links_begin_with_the_path_of_the_external_url() {
        for (url, expected) in [
            (None, "/secure"),
            (Some("https://mon.example"), ""),
            (Some("https://mon.example/"), ""),
            (Some("https://mon.example/score/"), "/score"),
            (Some("nonsense"), "/secure"),
        ] {
            let mut site = site("/secure", "/metrics");
            site.options.external_url = url.map(str::to_owned);
            assert_eq!(site.options.link_prefix(), expected, "{url:?}");
        }
    }
}
