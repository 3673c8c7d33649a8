//! `demo`: the simulator and an exporter of its tenants in one process.

mod approved;

use super::exporter::Exporter;
use super::stdout::{line, tenants};
use super::{Failure, simulate};
use crate::cli::{DEFAULT_SEED, Demo};
use crate::config::{
    AcceptedBy, ClientSecret, Cloud, Config, Credential, LabelPolicy, PemFile, Refresh, Secret,
    SimulatorEndpoint, TargetLabels, Tenant,
};
use crate::refresh::Shard;
use graph_simulator::{Options, Simulator, TenantAccess, scenario};
use secure_score_model::Timestamp;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// The demo refreshes far more often than the default, so that a viewer sees
/// a change within seconds.
const PROFILES: Duration = Duration::from_secs(5);
const SCORES: Duration = Duration::from_secs(10);

/// The `target` of the demo's tenants.
const TARGET: f64 = 0.8;

/// Runs until a signal.
pub(super) async fn run(demo: &Demo) -> Result<(), Failure> {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options = simulate::options(&demo.simulation, any_port, any_port);
    let scenario = scenario(&options);
    let simulator = simulate::start(options).await?;
    let config = Config {
        exceptions: approved::exceptions(Timestamp::from(SystemTime::now())),
        ..config(&simulator)
    };
    let exporter = Exporter::start(config, &demo.web, Shard::WHOLE, None, None).await?;
    print_introduction(&simulator, &exporter, demo, &scenario)?;
    let result = exporter.serve(None).await;
    simulator.stop().await;
    result
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

/// A configuration of the simulator's tenants that shows all personal data,
/// since it is generated. It needs no file, so the demo runs on a read-only
/// file system.
pub(super) fn config(simulator: &Simulator) -> Config {
    let tenants = simulator.tenants();
    // A thousand tenants make as many refreshes per second as twenty.
    let stretch = u32::try_from(tenants.len() / 20).unwrap_or(u32::MAX).max(1);
    Config {
        refresh: Refresh {
            profiles: PROFILES * stretch,
            scores: SCORES * stretch,
            ..Refresh::default()
        },
        labels: LabelPolicy {
            accepted_by: AcceptedBy::Plain,
            comment: true,
        },
        simulator: Some(SimulatorEndpoint {
            url: simulator.url().to_owned(),
            ca: PemFile {
                path: PathBuf::new(),
                pem: simulator.ca_pem().as_bytes().to_vec(),
            },
        }),
        ..Config::of(tenants.into_iter().map(tenant).collect())
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
        labels: TargetLabels::new(),
    }
}

fn print_introduction(
    simulator: &Simulator,
    exporter: &Exporter,
    demo: &Demo,
    scenario: &[String],
) -> Result<(), Failure> {
    let prefix = demo.web.route_prefix();
    let path = demo.web.telemetry_path();
    let Some(address) = exporter.addresses().first() else {
        return Ok(());
    };
    line(format_args!(
        "Secure Score of {}, simulated; nothing leaves this machine.\n\n  \
         status page   http://{address}{prefix}/\n  \
         metrics       http://{address}{prefix}{path}\n  \
         control API   {}\n\n\
         Scrape it with Prometheus:\n\n  \
         scrape_configs:\n    \
         - job_name: secure-score\n      \
         scrape_interval: 15s\n      \
         metrics_path: {prefix}{path}\n      \
         static_configs:\n        \
         - targets: ['{address}']\n",
        tenants(simulator.tenants().len()),
        simulator.control_url().unwrap_or("off"),
    ))?;
    if demo.simulation.runs_scenario() {
        line(format_args!("Scheduled events:\n"))?;
        for event in scenario {
            line(format_args!("  - {event}"))?;
        }
        line(format_args!(""))?;
    }
    line(format_args!("Stop it with Ctrl-C."))
}
