//! One Entra tenant under two aliases: by its GUID and by a domain.

use crate::world::World;
use secure_score_exporter::config::{self, ClientSecret, Config, Credential, Environment, Secret};
use secure_score_exporter::refresh::{FleetOptions, publish_saved};
use secure_score_exporter::store::saved_tenant::{SavedList, SavedTenant};
use secure_score_exporter::store::state_directory::StateDirectory;
use secure_score_exporter::store::{Store, Tenants};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_model::{Api, Catalogue, CatalogueEntry, Reason, Timestamp};
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const BY_GUID: &str = "byguid";
const BY_DOMAIN: &str = "bydomain";

/// Contoso under two aliases, in this order.
async fn world(aliases: [&str; 2]) -> World {
    let world = World::new().await;
    let contoso = world.simulator.tenants().into_iter();
    let contoso = contoso.filter(|tenant| tenant.name == "contoso");
    let domain = contoso.map(|tenant| tenant.domain).next().unwrap();
    world.configure(|config: &mut Config| {
        config.tenants.truncate(1);
        let named = |alias: &str| {
            let mut tenant = config.tenants[0].clone();
            tenant.alias = alias.to_owned();
            if alias == BY_DOMAIN {
                tenant.tenant_id.clone_from(&domain);
            }
            tenant
        };
        config.tenants = aliases.map(named).to_vec();
    })
}

/// Whether the tenant has data, and whether both its lists fail as a duplicate.
fn standing(tenants: &Tenants, alias: &str) -> (bool, bool) {
    let state = tenants.find(alias).unwrap();
    let refused = Api::SECURE_SCORE.into_iter().all(|api| {
        let health = state.health.of(api);
        let trouble = health.trouble.as_ref();
        !health.up && trouble.is_some_and(|it| it.reason == Reason::DuplicateTenant)
    });
    let snapshot = &state.snapshot;
    let has_data = !snapshot.controls.is_empty() || snapshot.report.is_some();
    (has_data, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_alias_of_one_entra_tenant_is_served_and_the_other_refused() {
    for aliases in [[BY_GUID, BY_DOMAIN], [BY_DOMAIN, BY_GUID]] {
        let [first, second] = aliases;
        let mut world = world(aliases).await.watch();
        world.attempted().await;
        let is_settled = |now: &Tenants| {
            standing(now, first) == (true, false) && standing(now, second) == (false, true)
        };
        let what = format!("{first} is served, {second} is not");
        world.until(&what, is_settled).await;
        let counted = format!(
            r#"secure_score_refresh_failures_total{{tenant="{second}",api="profiles",reason="duplicate_tenant"}}"#
        );
        world
            .until("the refusal is counted", |now| {
                let text = crate::world::render(now);
                crate::world::value(&text, &counted) > Some(0.0)
            })
            .await;
        let trouble = world
            .tenant(second)
            .health
            .profiles
            .trouble
            .clone()
            .unwrap();
        assert!(trouble.message.contains(first), "{}", trouble.message);
        assert!(
            trouble
                .hint
                .unwrap()
                .contains("keep one of the two entries")
        );

        world.reconfigure(|config| config.tenants.reverse());
        world
            .until("the other is first now", |now| {
                standing(now, second) == (true, false) && standing(now, first) == (false, true)
            })
            .await;
        world.reconfigure(|config| config.tenants.truncate(1));
        world
            .until("one is left", |now| {
                now.states.len() == 1 && standing(now, second) == (true, false)
            })
            .await;
        world.simulator.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_whose_credential_fails_does_not_hide_the_tenant() {
    let mut right = None;
    let mut world = world([BY_GUID, BY_DOMAIN])
        .await
        .configure(|config| {
            let credential = &mut config.tenants[0].credential;
            let Credential::ClientSecret(wrong) = &*credential else {
                unreachable!("the simulator's tenants have secrets");
            };
            let wrong = ClientSecret {
                secret: Secret::new("wrong".to_owned()),
                ..wrong.clone()
            };
            right = Some(std::mem::replace(
                credential,
                Credential::ClientSecret(wrong),
            ));
        })
        .watch();
    world
        .until("the second alias is served", |now| {
            let first = now.find(BY_GUID);
            first.is_some_and(|it| it.health.attempted())
                && standing(now, BY_DOMAIN) == (true, false)
        })
        .await;
    let right = right.unwrap();
    world.reconfigure(|config| config.tenants[0].credential = right);
    world
        .until("the first is served, now that it can be", |now| {
            standing(now, BY_GUID) == (true, false) && standing(now, BY_DOMAIN) == (false, true)
        })
        .await;
    world.simulator.stop().await;
}

/// What was saved of an alias at second 1,000.
fn saved(alias: &str, directory: &str, entra_tenant_id: &str) -> SavedTenant {
    let catalogue = Catalogue {
        entra_tenant_id: Some(entra_tenant_id.into()),
        entries: vec![Arc::new(CatalogueEntry::new("AdminMFAV2"))],
        ..Catalogue::default()
    };
    SavedTenant {
        alias: alias.into(),
        directory: format!("global/{directory}"),
        entra_tenant_id: Some(entra_tenant_id.into()),
        catalogue: Some(SavedList {
            at: Timestamp::from_seconds(1_000),
            complete: true,
            has_evidence: false,
            value: catalogue.into(),
        }),
        ..SavedTenant::default()
    }
}

/// The files of the first aliases are slow, so that other threads restore the second
/// ones before them.
#[tokio::test]
async fn of_saved_aliases_the_first_is_served_whose_file_is_not_damaged() {
    const PAIRS: usize = 20;
    const DAMAGED: usize = 7;
    let folder = tempfile::tempdir().unwrap();
    let state = StateDirectory::open(folder.path()).unwrap();
    let guid = |number| format!("00000000-0000-4000-8000-{number:012}");
    let domain = |number| format!("tenant{number}.example");
    let guids = (0..PAIRS).map(|it| (format!("guid{it}"), guid(it), guid(it)));
    let domains = (0..PAIRS).map(|it| (format!("domain{it}"), domain(it), guid(it)));
    let mut text = String::from("tenants:\n");
    for (alias, directory, guid) in guids.chain(domains) {
        let tenant = format!("name: {alias}, tenant_id: {directory}");
        writeln!(text, "- {{{tenant}, credential: {{type: azure_cli}}}}").unwrap();
        state.save(&saved(&alias, &directory, &guid)).unwrap();
    }
    let damaged = folder.path().join(format!("guid{DAMAGED}.state"));
    fs::write(&damaged, "damaged").unwrap();
    let file = folder.path().join("config.yml");
    fs::write(&file, text).unwrap();
    let config = config::load(&file, &Environment::default()).unwrap().config;
    let store = Arc::new(Store::default());
    let options = FleetOptions {
        config: Arc::new(config),
        policy: Arc::default(),
        store: Arc::clone(&store),
        telemetry: Arc::new(Telemetry::new().unwrap()),
        events: None,
        clock: Arc::new(|| Timestamp::from_seconds(1_001)),
        state_writer: None,
    };
    publish_saved(&options, |alias| {
        if alias.starts_with("guid") {
            thread::sleep(Duration::from_millis(1));
        }
        state.load(alias)
    });
    let tenants = store.current();
    assert_eq!(tenants.states.len(), 2 * PAIRS);
    for number in 0..PAIRS {
        let has_data = ["guid", "domain"].map(|kind| {
            let (has_data, _) = standing(&tenants, &format!("{kind}{number}"));
            has_data
        });
        assert_eq!(has_data, [number != DAMAGED, number == DAMAGED], "{number}");
    }
    assert!(!damaged.exists(), "it is set aside");
}
