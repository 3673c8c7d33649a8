//! The simulator's partner and the exporter's discovery in one process, with real
//! HTTPS.

use crate::world;
use graph_simulator::{
    Options, PartnerHandle, PartnerOptions, RecordedRequest, Simulator, SimulatorHandle,
    TenantAccess,
};
use secure_score_exporter::config::{
    ClientSecret, Cloud, Config, Credential, CustomerDefaults, CustomerSource, DisplayNames,
    NewCustomers, Partner, Secret,
};
use secure_score_exporter::events::{DeliveryQueue, Events};
use secure_score_exporter::partners::Discovery;
use secure_score_exporter::refresh::{Clock, FleetOptions, Shard, StateWriter};
use secure_score_exporter::store::state_directory::StateDirectory;
use secure_score_exporter::store::{PartnerState, Store};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::Format;
use secure_score_model::{CustomerState, Persons, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;

/// How long a test waits; far longer than needed.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The partner's name, here and in the simulator.
pub(crate) const PARTNER: &str = "partner";

/// The simulated partner, and a configuration that names some of its customers.
pub(crate) struct PartnerWorld {
    pub(crate) simulator: Simulator,
    pub(crate) config: Config,
    pub(crate) shard: Shard,
    pub(crate) clock: Clock,
}

/// A running exporter.
pub(crate) struct Exporter {
    pub(crate) store: Arc<Store>,
    pub(crate) queue: Arc<DeliveryQueue>,
    telemetry: Arc<Telemetry>,
    events: Arc<Events>,
    discovery: Arc<Mutex<Discovery>>,
    writer: Option<Arc<StateWriter>>,
    follow: AbortOnDropHandle<()>,
}

impl PartnerWorld {
    /// The five tenants of the simulator are configured, its seven further customers
    /// are not.
    pub(crate) async fn start() -> Self {
        Self::start_with(Vec::new()).await
    }

    /// The same with further partners, which the configuration has too.
    pub(crate) async fn start_with(further: Vec<PartnerOptions>) -> Self {
        let first = PartnerOptions::default();
        let names: Vec<String> = further.iter().map(|it| it.name.clone()).collect();
        let options = Options {
            partners: [vec![first], further].concat(),
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let mut config = world::config(&simulator);
        let access = simulator.handle().partner(PARTNER).unwrap().access();
        config.partners = vec![partner(&access)];
        for name in names {
            let access = simulator.handle().partner(&name).unwrap().access();
            config.partners.push(Partner {
                name,
                ..partner(&access)
            });
        }
        Self {
            simulator,
            config,
            shard: Shard::WHOLE,
            clock: Arc::new(|| Timestamp::from(SystemTime::now())),
        }
    }

    pub(crate) fn configure(mut self, change: impl FnOnce(&mut Partner)) -> Self {
        change(&mut self.config.partners[0]);
        self
    }

    pub(crate) fn handle(&self) -> SimulatorHandle {
        self.simulator.handle()
    }

    pub(crate) fn partner(&self) -> PartnerHandle {
        self.handle().partner(PARTNER).unwrap()
    }

    /// The GUID of a customer, by its name in the simulator.
    pub(crate) fn id(&self, name: &str) -> String {
        let customers = self.partner().customers();
        let customer = customers.iter().find(|it| it.name == name);
        customer.unwrap().tenant_id.clone().unwrap()
    }

    /// The requests for the lists of the partner.
    pub(crate) fn list_requests(&self) -> Vec<RecordedRequest> {
        let is_list = |it: &RecordedRequest| it.path_and_query.contains("/tenantRelationships/");
        let requests = self.handle().requests().into_iter();
        requests.filter(is_list).collect()
    }

    pub(crate) fn run(&self) -> Exporter {
        self.run_in(None)
    }

    /// Runs the exporter with a state directory.
    pub(crate) fn run_in(&self, state: Option<&Path>) -> Exporter {
        let telemetry = Arc::new(Telemetry::new().unwrap());
        let queue = Arc::<DeliveryQueue>::default();
        let events = Arc::new(Events {
            persons: Persons::Plain,
            telemetry: Arc::clone(&telemetry),
            exporter: None,
            queue: Some(Arc::clone(&queue)),
        });
        let writer = state.map(|path| {
            let directory = Arc::new(open(path));
            let (queue, telemetry) = (Arc::clone(&queue), Arc::clone(&telemetry));
            Arc::new(StateWriter::new(directory, queue, telemetry))
        });
        let store = Arc::<Store>::default();
        let options = FleetOptions {
            config: Arc::new(self.config.clone()),
            policy: Arc::default(),
            store: Arc::clone(&store),
            telemetry: Arc::clone(&telemetry),
            events: Some(Arc::clone(&events)),
            clock: Arc::clone(&self.clock),
            state_writer: writer.clone(),
        };
        let discovery = Discovery::start(options, self.shard).unwrap();
        let discovery = Arc::new(Mutex::new(discovery));
        let follow = tokio::spawn(follow(Arc::clone(&discovery)));
        Exporter {
            store,
            queue,
            telemetry,
            events,
            discovery,
            writer,
            follow: AbortOnDropHandle::new(follow),
        }
    }
}

/// Opens a state directory, which the exporter before may not have left yet.
fn open(path: &Path) -> StateDirectory {
    for _ in 0..1_000 {
        if let Ok(directory) = StateDirectory::open(path) {
            return directory;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    StateDirectory::open(path).unwrap()
}

async fn follow(discovery: Arc<Mutex<Discovery>>) {
    loop {
        let mut discovery = discovery.lock().await;
        // The lock is free from time to time, for a reload. A comparison that is due
        // must not wait for longer because of it.
        let wait = Duration::from_millis(50);
        if tokio::time::timeout(wait, discovery.changed())
            .await
            .is_ok()
        {
            discovery.update();
        }
    }
}

/// The partner of the simulator, asked every second.
fn partner(access: &TenantAccess) -> Partner {
    let credential = Credential::ClientSecret(ClientSecret {
        client_id: access.client_id.clone(),
        secret: Secret::new(access.client_secret.clone()),
        expires: None,
    });
    Partner {
        name: PARTNER.to_owned(),
        tenant_id: access.entra_id.clone(),
        cloud: Cloud::Simulator,
        credential: credential.clone(),
        display_names: DisplayNames::Plain,
        interval: Duration::from_secs(1),
        sources: vec![CustomerSource::DelegatedAdminCustomers],
        include: Vec::new(),
        exclude: Vec::new(),
        new_customers: NewCustomers::Report,
        defaults: CustomerDefaults {
            entry_keys: Default::default(),
            credential,
            cloud: Cloud::Simulator,
            target: None,
            recommendations: Default::default(),
            selection: Arc::default(),
            labels: Default::default(),
        },
    }
}

impl Exporter {
    pub(crate) fn state(&self) -> Arc<PartnerState> {
        self.state_of(PARTNER)
    }

    /// The state of the partner with this name.
    pub(crate) fn state_of(&self, name: &str) -> Arc<PartnerState> {
        let partners = self.store.partners();
        Arc::clone(partners.find(name).expect("the partner is published"))
    }

    /// The state of a customer, and the alias of its tenant.
    pub(crate) fn customer(&self, id: &str) -> Option<(CustomerState, Option<String>)> {
        let state = self.state();
        let found = state.snapshot.find(id)?;
        let alias = found.tenant.as_deref().map(str::to_owned);
        Some((found.state, alias))
    }

    pub(crate) fn count(&self, state: CustomerState) -> usize {
        self.state().snapshot.count(state)
    }

    /// Waits until the partner satisfies a condition.
    pub(crate) async fn until(&self, what: &str, seen: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !seen(self) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(TIMEOUT, waiting).await.is_err() {
            panic!(
                "not seen in {TIMEOUT:?}: {what}\n{:#?}",
                self.store.partners().states.first().map(|it| &it.snapshot)
            );
        }
    }

    /// Waits until the list has a customer under this name.
    pub(crate) async fn until_named(&self, id: &str, name: &str) {
        self.until("the new name", |it| {
            let state = it.state();
            let customer = state.snapshot.find(id);
            customer.is_some_and(|it| *it.customer.display_name == *name)
        })
        .await;
    }

    /// Waits until the list was refreshed so many times more.
    pub(crate) async fn refreshed(&self, times: u64) {
        let before = self.state().snapshot.health.refreshes;
        let is_done = |it: &Self| it.state().snapshot.health.refreshes >= before + times;
        self.until("the list is refreshed", is_done).await;
    }

    /// The families of the partners.
    pub(crate) fn metrics(&self) -> String {
        let partners = self.store.partners();
        let parts = partners.blocks.in_format(Format::Text).parts().concat();
        String::from_utf8(parts).unwrap()
    }

    /// Applies another configuration.
    pub(crate) async fn reload(&self, config: &Config) {
        let mut discovery = self.discovery.lock().await;
        let config = Arc::new(config.clone());
        let events = Some(&self.events);
        discovery.apply(&config, &Arc::default(), events).unwrap();
    }

    /// The events of customers so far: kind and alias.
    pub(crate) fn events(&self) -> Vec<(String, String)> {
        let queued = self.queue.undelivered();
        let events = queued.iter().filter(|it| it.control.is_empty());
        let events = events.map(|it| (it.kind.as_str().to_owned(), it.tenant.to_string()));
        events.collect()
    }

    pub(crate) fn own_metrics(&self) -> String {
        String::from_utf8(self.telemetry.encode(Format::Text)).unwrap()
    }

    /// Ends the loops, and writes the state.
    pub(crate) async fn stop(self) {
        self.follow.abort();
        let _aborted = self.follow.await;
        drop(self.discovery);
        if let Some(writer) = &self.writer {
            writer.close();
        }
    }
}
