//! `demo`: the simulator and an exporter of its tenants in one process.

mod alert_files;
mod alert_programs;
mod alerting;
mod introduction;
mod partner;
mod server_process;
mod users;

use super::exporter::Exporter;
use super::healthcheck::reachable;
use super::web_config::ServedWebConfig;
use super::{Failure, now, simulate};
use crate::cli::{DEFAULT_SEED, Demo};
use crate::config::{
    AcceptedBy, ClientSecret, Cloud, Config, Credential, Decisions, Environment, EventDetail,
    LabelPolicy, PageAudience, PemFile, PrivacyPolicy, Recommendations, Refresh, Secret,
    SimulatorEndpoint, TargetLabels, Tenant,
};
use crate::refresh::Shard;
use alert_files::ScrapeTarget;
use alert_programs::AlertPrograms;
use alerting::Alerting;
use anyhow::Context as _;
use exporter_web_config::certificates;
use graph_simulator::{Options, RecommendationsAccess, Simulator, TenantAccess, scenario};
use introduction::Introduction;
use secure_score_model::{Decision, DecisionSource, DecisionState, Timestamp};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The demo refreshes far more often than the default, so that a viewer sees
/// a change within seconds.
const PROFILES: Duration = Duration::from_secs(5);
const SCORES: Duration = Duration::from_secs(10);

/// The tenant that does not grant the permission for Entra's recommendations, so that the
/// demo shows both cases.
const WITHOUT_ENTRA: &str = "litware";

/// The `target` of the demo's tenants.
const TARGET: f64 = 0.8;

/// Runs until a signal.
pub(super) async fn run(demo: &Demo, environment: &Environment) -> Result<(), Failure> {
    let programs = demo.full.then(|| AlertPrograms::find(environment));
    let programs = programs.transpose()?;
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options = Options {
        recommendations: RecommendationsAccess::GrantedExcept(vec![WITHOUT_ENTRA.to_owned()]),
        ..simulate::options(&demo.simulation, any_port, any_port)
    };
    let scenario = scenario(&options);
    let simulator = simulate::start(options).await?;
    let config = Config {
        decisions: decisions(now()),
        access: demo.with_users.then(users::access),
        ..config(&simulator)
    };
    let refresh = config.refresh.profiles;
    let web_config = match demo.with_users {
        true => ServedWebConfig::fixed(users::web_config()?),
        false => ServedWebConfig::load(&demo.web)?,
    };
    let (flags, shard) = (&demo.web, Shard::WHOLE);
    let exporter = Exporter::start(config, flags, web_config, shard, None, None).await?;
    let address = exporter.addresses().first().copied();
    let address = address.context("the exporter has no address")?;
    let mut alerting = match programs {
        Some(programs) => {
            let target = scrape_target(demo, address);
            Some(Alerting::start(&programs, &target, simulator.handle()).await?)
        }
        None => None,
    };
    let introduction = Introduction {
        demo,
        simulator: &simulator,
        address,
        scenario: &scenario,
        alerting: alerting.as_ref(),
    };
    if let Some(alerting) = &alerting {
        let (status_page, story) = (introduction.status_page(), introduction.story());
        alerting.introduce(&status_page, refresh, story);
    }
    introduction.print()?;
    let result = tokio::select! {
        result = exporter.serve(None) => result,
        never = watch(alerting.as_mut()) => match never {},
    };
    drop(alerting);
    simulator.stop().await;
    result
}

/// Watches the programs, if there are any.
async fn watch(alerting: Option<&mut Alerting>) -> Infallible {
    match alerting {
        Some(alerting) => alerting.watch().await,
        None => std::future::pending().await,
    }
}

/// The exporter at an address, for the demo's Prometheus.
fn scrape_target(demo: &Demo, address: SocketAddr) -> ScrapeTarget {
    let [(all_tenants, _), _] = users::USERS;
    ScrapeTarget {
        address: reachable(address),
        path: demo.web.metrics_path(),
        user: demo.with_users.then_some((all_tenants, users::PASSWORD)),
    }
}

/// Starts a simulator with the seed that `demo` has by default, so that the
/// series of `backfill --demo` and `demo` join.
pub(super) async fn simulator_of_default_seed() -> Result<Simulator, Failure> {
    simulate::start(Options {
        seed: DEFAULT_SEED,
        ..Options::default()
    })
    .await
}

/// A configuration of the simulator's tenants and partners. All personal data are shown to
/// every client, since they are generated. It needs no file, so the demo runs on
/// a read-only file system.
pub(super) fn config(simulator: &Simulator) -> Config {
    let tenants = simulator.tenants();
    // A thousand tenants make as many refreshes per second as twenty.
    let stretch = u32::try_from(tenants.len() / 20).unwrap_or(u32::MAX).max(1);
    let partners = partner::partners(simulator, TARGET, stretch);
    let customers = partner::tenants(simulator, &partners);
    let tenants = tenants.into_iter().map(tenant).chain(customers);
    Config {
        partners,
        refresh: Refresh {
            profiles: PROFILES * stretch,
            scores: SCORES * stretch,
            recommendations: PROFILES * stretch,
            identity_scores: SCORES * stretch,
            ..Refresh::default()
        },
        labels: LabelPolicy {
            accepted_by: AcceptedBy::Plain,
            comment: true,
        },
        privacy: PrivacyPolicy {
            events: EventDetail::Full,
            pages: PageAudience::Everyone,
        },
        simulator: Some(SimulatorEndpoint {
            url: simulator.url().to_owned(),
            ca: PemFile {
                path: PathBuf::new(),
                // The simulator writes a valid one.
                certificates: certificates(simulator.ca_pem().as_bytes()).unwrap_or_default(),
            },
        }),
        ..Config::of(tenants.collect())
    }
}

fn tenant(access: TenantAccess) -> Tenant {
    Tenant {
        alias: access.name,
        tenant_id: access.entra_id,
        display_name: access.display_name,
        cloud: Cloud::Simulator,
        credential: Credential::ClientSecret(ClientSecret {
            client_id: access.client_id,
            secret: Secret::new(access.client_secret),
            expires: None,
        }),
        target: Some(TARGET),
        recommendations: Recommendations::default(),
        labels: TargetLabels::new(),
    }
}

/// The decisions of the demo, relative to its start: one in force, one that
/// expires soon and whose approver accepted the risk, one that has expired, and one
/// about a claim. The claims of other tenants have none.
fn decisions(now: Timestamp) -> Decisions {
    const DAY: i64 = 24 * 60 * 60;
    let today = now.nanos().div_euclid(1_000_000_000).div_euclid(DAY);
    let end_of_day = |days_left: i64| Timestamp::from_seconds((today + 1 + days_left) * DAY);
    let decisions = [
        (
            ("IntegratedApps", "contoso", "SEC-1234", 120),
            ("Risk committee", "The CRM vendor is being verified"),
        ),
        (
            ("PWAgePolicyNew", "litware", "INS-77", 12),
            (
                "Mei Tanaka <mei.tanaka@litware.example>",
                "The insurer changes its terms in spring",
            ),
        ),
        (
            ("SelfServicePasswordReset", "fabrikam", "SEC-1190", -9),
            ("Plant management", "Until the kiosks are replaced"),
        ),
    ];
    let exceptions = decisions.into_iter().enumerate().map(
        |(number, ((control, tenant, reference, days_left), (approver, reason)))| Decision {
            place: DecisionSource::Exceptions.at(number),
            tenants: vec![tenant.into()],
            approver: Some(approver.into()),
            reason: Some(reason.into()),
            ..Decision::new(control, reference, end_of_day(days_left))
        },
    );
    let proven = Decision {
        place: DecisionSource::Decisions.at(0),
        tenants: vec!["contoso".into()],
        states: vec![DecisionState::ThirdParty],
        approver: Some("Diego Siciliani".into()),
        reason: Some("The contract names the decoys and their monthly test".into()),
        evidence: Some("https://tickets.contoso.example/SEC-1203".into()),
        ..Decision::new("AATP_HoneyToken", "SEC-1203", end_of_day(60))
    };
    // Only an invalid pattern is an error, and each control id is a valid one.
    let all = exceptions.chain([proven]);
    Decisions::of(all.collect()).unwrap_or_default()
}
