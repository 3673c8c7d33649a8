//! The paths, and what stands behind each.

use super::api::{self, Api};
use super::compressor::Compressor;
use super::discovery::{self, Targets};
use super::lifecycle;
use super::options::{Options, PersonDetail, Redaction};
use super::pages::{self, PageRoute};
use super::patience::patience;
use super::press::Press;
use super::probe::{self, Probes};
use super::query::BadQuery;
use super::reply::{self, Reply};
use super::scope::Scope;
use super::scrape::{narrowed, scrape};
use super::server::Certified;
use super::views::{self, Reader};
use super::{audience, health};
use crate::refresh::OnDemandRefresh;
use crate::store::Store;
use crate::telemetry::Telemetry;
use arc_swap::ArcSwap;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use secure_score_model::Timestamp;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

/// Nothing here reads a request's body. A small one is forgiven, since some
/// clients send one with everything; of a larger one not a byte is read.
pub(super) const MAX_REQUEST_BODY: u64 = 8 * 1024;

/// Everything that is served.
#[derive(Debug)]
pub struct Site {
    store: Arc<Store>,
    telemetry: Arc<Telemetry>,
    options: Options,
    compressor: Arc<Compressor>,
    /// Whether the pages show persons, until the next configuration.
    persons: ArcSwap<PersonDetail>,
    /// The labels of the tenants' targets, until the next configuration.
    targets: ArcSwap<Targets>,
    /// Who refreshes what a scrape finds overdue, once there is anybody.
    summons: OnceLock<Arc<OnDemandRefresh>>,
    probes: Arc<Probes>,
    press: Press,
    api: Api,
}

/// What stands behind a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Page(PageRoute),
    Style,
    Metrics,
    Probe,
    Discovery,
    Healthy,
    Ready,
    Api,
}

impl Site {
    /// A site over what the store shows.
    ///
    /// Paths are put in order first: a slash in front, none at the end.
    pub fn new(store: Arc<Store>, telemetry: Arc<Telemetry>, options: Options) -> Self {
        let options = Options {
            telemetry_path: match rooted(&options.telemetry_path) {
                root if root.is_empty() => "/".to_owned(),
                path => path,
            },
            route_prefix: rooted(&options.route_prefix),
            ..options
        };
        Self {
            persons: ArcSwap::from_pointee(options.persons.clone()),
            store,
            telemetry,
            options,
            compressor: Arc::default(),
            targets: ArcSwap::default(),
            summons: OnceLock::new(),
            probes: Arc::default(),
            press: Press::default(),
            api: Api::default(),
        }
    }

    /// Answers one request. It never fails: there is an answer for everything.
    pub async fn respond<B: hyper::body::Body>(
        &self,
        request: Request<B>,
        now: SystemTime,
    ) -> Reply {
        if request.body().size_hint().lower() > MAX_REQUEST_BODY {
            return reply::too_large();
        }
        let (parts, _) = request.into_parts();
        if !names_one_host(&parts) {
            return reply::no_host();
        }
        if self.is_reload(parts.uri.path()) {
            return lifecycle::answer(self.options.lifecycle.as_ref(), &parts).await;
        }
        let route = self.route(parts.uri.path());
        if let Some(flag) = route.and_then(|route| self.closed(route)) {
            return reply::switched_off(flag);
        }
        let is_look = matches!(parts.method, Method::GET | Method::HEAD);
        if !is_look && route != Some(Route::Api) {
            return reply::method_not_allowed(&parts.method);
        }
        let answer = match route {
            Some(route) => self.answer(route, &parts, now).await,
            None => self.elsewhere(parts.uri.path(), Timestamp::from(now)),
        };
        match parts.method {
            Method::HEAD => reply::head_only(answer),
            _ => answer,
        }
    }

    /// Shows persons as another configuration says.
    pub fn set_persons(&self, persons: PersonDetail) {
        self.persons.store(Arc::new(persons));
    }

    /// Labels the tenants' targets as another configuration says.
    pub fn set_targets(&self, targets: Targets) {
        self.targets.store(Arc::new(targets));
    }

    /// Lets scrapes have refreshed what is overdue; the first one told does it.
    pub fn summon(&self, summons: Arc<OnDemandRefresh>) {
        let _there_is_one = self.summons.set(summons);
    }

    /// What a request may see of persons: all that is configured where everybody
    /// who is let in is known, else only this machine.
    fn persons(&self, parts: &hyper::http::request::Parts) -> PersonDetail {
        let configured = self.persons.load();
        let config = self.options.access.config();
        let certified = parts.extensions.get() == Some(&Certified(true));
        if config.is_some_and(|config| config.is_authenticated(certified)) {
            return configured.as_ref().clone();
        }
        match configured.as_ref() {
            PersonDetail::Shown(_) if self.options.exposed => {
                PersonDetail::Redacted(Redaction::Unprotected)
            }
            PersonDetail::Shown(_) if self.options.external_url.is_some() => {
                PersonDetail::Redacted(Redaction::Published)
            }
            configured => audience::persons(configured, parts),
        }
    }

    /// Whether a path only asks how we are. Whoever asks may end us if no answer
    /// comes, so it comes however many others ask for something.
    pub(super) fn is_probe(&self, path: &str) -> bool {
        matches!(self.route(path), Some(Route::Healthy | Route::Ready))
    }

    fn is_reload(&self, path: &str) -> bool {
        let path = path.strip_prefix(&self.options.route_prefix);
        path == Some(lifecycle::RELOAD_PATH)
    }

    fn route(&self, path: &str) -> Option<Route> {
        let path = path.strip_prefix(&self.options.route_prefix)?;
        match path {
            metrics if metrics == self.options.telemetry_path => Some(Route::Metrics),
            probe::PATH => Some(Route::Probe),
            discovery::PATH => Some(Route::Discovery),
            views::STYLE_PATH => Some(Route::Style),
            "/-/healthy" | "/livez" | "/healthz" => Some(Route::Healthy),
            "/-/ready" | "/readyz" => Some(Route::Ready),
            api if api.starts_with(api::ROOT) => Some(Route::Api),
            page => PageRoute::of(page).map(Route::Page),
        }
    }

    /// The flag that switches off what is behind a path.
    fn closed(&self, route: Route) -> Option<&'static str> {
        let closed = self.options.closed;
        match route {
            Route::Page(_) | Route::Style if closed.pages => Some("--web.disable-pages"),
            Route::Api if closed.api => Some("--web.disable-api"),
            _ => None,
        }
    }

    /// Refuses in its own words, a wrong method included: who asks is a program.
    async fn api(&self, parts: &Parts, now: SystemTime) -> Reply {
        let path = parts.uri.path();
        let path = path.strip_prefix(&self.options.route_prefix);
        let path = path.unwrap_or_default();
        let tenants = self.store.current();
        let persons = self.persons(parts);
        self.api
            .respond(path, parts, tenants, &persons, Timestamp::from(now))
            .await
    }

    async fn answer(&self, route: Route, parts: &Parts, now: SystemTime) -> Reply {
        match route {
            Route::Metrics => self.metrics(parts).await.unwrap_or_else(refused),
            Route::Probe => self.probe(parts).await.unwrap_or_else(refused),
            Route::Discovery => {
                let (tenants, targets) = (self.store.current(), self.targets.load());
                discovery::answer(parts, &tenants, &targets, &self.options)
            }
            Route::Api => self.api(parts, now).await,
            Route::Healthy => health::healthy(),
            Route::Ready => health::ready(&self.store.current()),
            Route::Style => reply::stylesheet(views::STYLE),
            Route::Page(page) => {
                let options = Options {
                    persons: self.persons(parts),
                    ..self.options.clone()
                };
                let tenants = self.store.current();
                pages::show(page, parts, &tenants, &options, Timestamp::from(now))
            }
        }
    }

    async fn metrics(&self, parts: &Parts) -> Result<Reply, BadQuery> {
        let scope = Scope::read(parts.uri.query(), &self.store.current())?;
        self.refreshed(|alias| scope.wants(alias), parts).await;
        let (store, telemetry) = (&self.store, &self.telemetry);
        Ok(match scope.is_everything() {
            true => scrape(&self.compressor, store, telemetry, &parts.headers).await,
            false => narrowed(&self.press, scope, store, telemetry, &parts.headers).await,
        })
    }

    async fn probe(&self, parts: &Parts) -> Result<Reply, BadQuery> {
        let tenant = probe::asked(parts.uri.query())?;
        self.refreshed(|alias| alias == tenant, parts).await;
        let (store, telemetry) = (&self.store, &self.telemetry);
        let probes = &self.probes;
        Ok(probes
            .answer(&tenant, store, telemetry, &self.press, &parts.headers)
            .await)
    }

    /// Has refreshed what is overdue, for as long as the scrape can wait;
    /// afterwards it is shown what there is.
    async fn refreshed(&self, wanted: impl Fn(&str) -> bool, parts: &Parts) {
        if let Some(summons) = self.summons.get() {
            let patience = patience(&parts.headers);
            let _too_long = tokio::time::timeout(patience, summons.refreshed(wanted)).await;
        }
    }

    /// A path that is none of ours: the root leads to the prefix, the rest to
    /// a page that names the paths there are.
    fn elsewhere(&self, path: &str, now: Timestamp) -> Reply {
        let prefix = &self.options.route_prefix;
        if path == "/" || path == prefix {
            reply::redirect(&format!("{prefix}/"))
        } else if self.options.closed.pages {
            reply::text(StatusCode::NOT_FOUND, "there is nothing here\n".to_owned())
        } else {
            let reader = Reader {
                options: &self.options,
                now,
            };
            reply::page(StatusCode::NOT_FOUND, views::missing(path, &reader))
        }
    }
}

fn refused(bad: BadQuery) -> Reply {
    reply::text(StatusCode::BAD_REQUEST, format!("{bad}\n"))
}

/// Whether a request of HTTP/1.1 says exactly once whom it means, as RFC 9112
/// demands: a cache or proxy in between might read another one of two.
fn names_one_host(parts: &Parts) -> bool {
    let hosts = parts.headers.get_all(hyper::header::HOST).iter().count();
    match parts.version {
        hyper::Version::HTTP_11 => hosts == 1,
        _ => hosts <= 1,
    }
}

fn rooted(path: &str) -> String {
    match path.trim_matches('/') {
        "" => String::new(),
        inner => format!("/{inner}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::Closed;
    use super::*;
    use exporter_web_config::{AccessControl, WebConfig};
    use secure_score_model::Persons;

    fn site(prefix: &str, telemetry_path: &str) -> Site {
        let options = Options {
            telemetry_path: telemetry_path.to_owned(),
            route_prefix: prefix.to_owned(),
            external_url: None,
            persons: PersonDetail::Shown(Persons::Plain),
            exposed: false,
            access: Arc::default(),
            lifecycle: None,
            closed: Closed::default(),
            version: "0.0.0".to_owned(),
            started: SystemTime::UNIX_EPOCH,
        };
        let telemetry = Arc::new(Telemetry::new().unwrap());
        Site::new(Arc::default(), telemetry, options)
    }

    #[test]
    fn a_prefix_may_be_written_with_or_without_slashes() {
        for prefix in ["secure", "/secure", "/secure/"] {
            let site = site(prefix, "metrics/");
            assert_eq!(site.route("/secure/metrics"), Some(Route::Metrics));
            assert_eq!(site.route("/secure/"), Some(Route::Page(PageRoute::Status)));
            assert_eq!(site.route("/metrics"), None);
            assert_eq!(site.route("/secured/metrics"), None);
        }
    }

    #[test]
    fn without_a_prefix_the_root_is_the_status_page() {
        for prefix in ["", "/"] {
            assert_eq!(
                site(prefix, "/metrics").route("/"),
                Some(Route::Page(PageRoute::Status))
            );
        }
    }

    #[tokio::test]
    async fn a_connection_that_began_without_a_certificate_gains_nothing_by_stricter_rules() {
        let mut site = site("", "/metrics");
        site.options.exposed = true;
        site.options.access = Arc::new(AccessControl::new(WebConfig {
            verifies_clients: true,
            ..WebConfig::default()
        }));
        for (certified, shown) in [(Some(true), true), (Some(false), false), (None, false)] {
            let mut request = Request::get("/").body(()).unwrap();
            if let Some(certified) = certified {
                request.extensions_mut().insert(Certified(certified));
            }
            let persons = site.persons(&request.into_parts().0);
            assert_eq!(!persons.persons().are_hidden(), shown, "{certified:?}");
        }
    }

    #[test]
    fn links_begin_with_the_path_others_reach_us_by() {
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
