//! Approved decisions, from the configuration to metrics and `check`.

use crate::simulated::{Simulated, run, text};
use crate::world::World;
use secure_score_exporter::acceptances::{Filter, acceptances};
use secure_score_exporter::config::{Environment, load};
use secure_score_model::Timestamp;
use serde_json::json;
use std::fs;
use std::path::Path;

const APPROVED_UNTIL: &str = "secure_score_control_risk_approved_until_timestamp_seconds";

fn series(family: &str, tenant: &str, control: &str) -> String {
    format!("{family}{{tenant=\"{tenant}\",control=\"{control}\",category=\"Identity\"}}")
}

/// A world whose configuration holds these decisions.
async fn world(decisions: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secure-score.yml");
    let tenants = ["contoso", "fabrikam", "adatum", "litware", "northwind"].map(|name| {
        format!(
            "  - {{name: {name}, tenant_id: {name}.example, credential: {{type: azure_cli}}}}\n"
        )
    });
    let tenants = tenants.concat();
    let text = format!("tenants:\n{tenants}risk_accepted:\n  exceptions:\n{decisions}");
    fs::write(&file, text).unwrap();
    let written = load(&file, &Environment::default()).unwrap().config;
    let world = World::new().await;
    world.configure(|config| config.decisions = written.decisions)
}

#[tokio::test]
async fn an_acceptance_is_approved_until_the_last_second_of_its_last_day() {
    let decisions = "    - {control: adminmfav?, reference: SEC-1, expires: 2027-03-31}\n    \
                      - {control: AdminMFAV2, reference: SEC-1, expires: 2026-12-31}\n";
    let world = world(decisions).await;
    world
        .handle()
        .accept(
            "contoso",
            "AdminMFAV2",
            "alex@contoso.example",
            "break glass",
        )
        .unwrap();
    let world = world.watch();
    world.attempted().await;

    let end = Timestamp::from_seconds(1_806_537_600);
    let last = Timestamp::from_nanos(end.nanos() - 1);
    let approved = |now| {
        let filter = Filter {
            tenant: Some("contoso".to_owned()),
            control: Some("AdminMFAV2".to_owned()),
            approved: Some(true),
            ..Filter::default()
        };
        acceptances(&world.store.current(), &filter, now).len()
    };
    assert_eq!(approved(last), 1);
    assert_eq!(approved(end), 0, "expired");

    let until = world.value(&series(APPROVED_UNTIL, "contoso", "AdminMFAV2"));
    assert_eq!(until, Some(1_806_537_600.0));
    let info = "secure_score_control_risk_approval_info{tenant=\"contoso\",control=\"AdminMFAV2\",reference=\"SEC-1\"}";
    assert_eq!(world.value(info), Some(1.0));
}

#[tokio::test]
async fn an_approval_bound_to_a_person_ends_with_the_acceptance_of_another() {
    let decisions = "    - {control: AdminMFAV2, tenants: contoso, reference: SEC-1, \
                      accepted_by: ALEX@contoso.example, expires: 2099-12-31}\n";
    let world = world(decisions).await;
    let handle = world.handle();
    let accept = |by: &str| handle.accept("contoso", "AdminMFAV2", by, "why").unwrap();
    accept("alex@contoso.example");
    handle
        .accept("fabrikam", "AdminMFAV2", "alex@contoso.example", "why")
        .unwrap();
    let world = world.watch();
    world.attempted().await;
    let until = series(APPROVED_UNTIL, "contoso", "AdminMFAV2");
    assert!(world.value(&until).is_some());
    let elsewhere = series(APPROVED_UNTIL, "fabrikam", "AdminMFAV2");
    assert_eq!(world.value(&elsewhere), None, "it names one tenant");

    handle
        .revert("contoso", "AdminMFAV2", "alex@contoso.example")
        .unwrap();
    accept("eve@contoso.example");
    let times = series(
        "secure_score_control_risk_acceptances",
        "contoso",
        "AdminMFAV2",
    );
    world
        .until("the second acceptance", |tenants| {
            crate::world::value(&crate::world::render(tenants), &times) >= Some(2.0)
        })
        .await;
    assert_eq!(
        world.value(&until),
        None,
        "the approval does not cover Eve's acceptance"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reports_decisions_that_need_attention() {
    let simulated = Simulated::start();
    let by = json!({"by": "alex@contoso.example", "comment": "why"});
    simulated.accept("contoso", "AdminMFAV2", by).await;
    simulated.configure(
        "risk_accepted:\n  exceptions:\n    \
         - {control: AdminMFAV2, tenants: contoso, reference: OLD-1, expires: 2026-01-31}\n    \
         - {control: NoSuchControl, reference: LOST-1, expires: 2099-01-31}\n    \
         - {control: OneAdmin, tenants: contoso, reference: IDLE-1, expires: 2099-01-31}\n",
    );
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let said = text(&checked.stdout);
    assert!(checked.status.success(), "{said}");
    for line in [
        "warn  risk_accepted.exceptions[0] (OLD-1, AdminMFAV2) has expired, but a risk that it covered is still accepted",
        "warn  risk_accepted.exceptions[1] (LOST-1, NoSuchControl) matches no control of the catalogue",
        "warn  risk_accepted.exceptions[2] (IDLE-1, OneAdmin) covers no accepted risk on contoso",
        "      hint: remove the exception",
    ] {
        assert!(said.contains(line), "{line} is missing in\n{said}");
    }

    let one = run(&[
        "check",
        "--config.file",
        &simulated.config(),
        "--tenant=contoso",
    ]);
    let said = text(&one.stdout);
    assert!(
        !said.contains("LOST-1"),
        "one tenant proves nothing: {said}"
    );
    assert!(said.contains("in use on no tenant known here"), "{said}");
    assert!(said.contains("IDLE-1"), "{said}");
}

#[test]
fn the_example_of_the_guide_loads() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/acceptances.md");
    let guide = fs::read_to_string(guide).unwrap();
    let (_, rest) = guide.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secure-score.yml");
    let tenants = ["contoso", "fabrikam"].map(|name| {
        format!(
            "  - {{name: {name}, tenant_id: {name}.example, credential: {{type: azure_cli}}}}\n"
        )
    });
    fs::write(&file, format!("{example}tenants:\n{}", tenants.concat())).unwrap();
    if let Err(faults) = load(&file, &Environment::default()) {
        panic!("{faults}");
    }
}
