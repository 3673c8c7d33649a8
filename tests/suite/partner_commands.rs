//! Commands with a configuration that has partners.

use crate::simulated::{run, text};
use graph_simulator::{
    Api, Fault, FaultKind, Options, PartnerOptions, PartnerPermission, Simulator, SimulatorHandle,
};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

const CONFIG: &str = "\
credentials:
  app: {type: azure_cli}
defaults: {credential: app}
partner:
  - {name: msp, tenant_id: msp.onmicrosoft.com, credential: app}
  - {name: watching, tenant_id: watching.onmicrosoft.com, credential: app, new_customers: watch}
";

#[test]
fn watching_new_customers_needs_a_state_directory() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("secure-score.yml");
    fs::write(&config, CONFIG).unwrap();
    let config = format!("--config.file={}", config.display());
    for flags in [&[config.as_str()][..], &[&config, "--config.check"]] {
        let output = run(flags);
        assert_eq!(output.status.code(), Some(1));
        let complaint = text(&output.stderr);
        let expected = "secure-score.yml: partner.new_customers: the partner watching watches new customers, whose aliases are kept in the state directory; name one with --state.dir, or set new_customers: report\n";
        assert!(complaint.contains(expected), "{complaint}");
    }
    let state = format!("--state.dir={}", folder.path().join("state").display());
    let checked = run(&[&config, "--config.check", &state]);
    let good = "configuration is good: 0 tenants and 2 partners\n";
    assert_eq!(text(&checked.stdout), good, "{}", text(&checked.stderr));
    // A check changes nothing.
    assert!(!folder.path().join("state").exists());
}

/// A simulated partner with nine customers, of which two are configured.
struct Stage {
    simulator: Simulator,
    folder: tempfile::TempDir,
}

impl Stage {
    async fn start() -> Self {
        let options = Options {
            tenants: 2,
            partners: vec![PartnerOptions::default()],
            ..Options::default()
        };
        let stage = Self {
            simulator: Simulator::start(options).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
        };
        stage.configure("");
        stage
    }

    fn handle(&self) -> SimulatorHandle {
        self.simulator.handle()
    }

    /// Writes the configuration, with further keys of the partner.
    fn configure(&self, keys: &str) {
        let partner = self.handle().partner("partner").unwrap();
        let access = partner.access();
        let tenant = |name: &str| {
            let customers = partner.customers();
            let customer = customers.iter().find(|it| it.name == name).unwrap();
            let id = customer.tenant_id.clone().unwrap();
            format!("  - {{name: {name}, tenant_id: {id}}}\n")
        };
        let folder = self.folder.path();
        fs::write(folder.join("ca.pem"), self.simulator.ca_pem()).unwrap();
        let secret = folder.join("secret");
        fs::write(&secret, &access.client_secret).unwrap();
        fs::set_permissions(secret, fs::Permissions::from_mode(0o600)).unwrap();
        let config = format!(
            "simulator: {{url: {}, ca_file: ca.pem}}\n\
             credentials:\n  app: {{type: client_secret, client_id: {}, client_secret_file: secret}}\n\
             defaults: {{cloud: simulator, credential: app}}\n\
             tenants:\n{}{}\
             partner:\n  name: msp\n  tenant_id: {}\n  credential: app\n{keys}",
            self.simulator.url(),
            access.client_id,
            tenant("contoso"),
            tenant("woodgrove"),
            access.entra_id,
        );
        fs::write(folder.join("secure-score.yml"), config).unwrap();
    }

    async fn check(&self, flags: &[&str]) -> (Output, String) {
        let config = self.folder.path().join("secure-score.yml");
        let config = format!("--config.file={}", config.display());
        let mut arguments = vec!["check".to_owned(), config];
        arguments.extend(flags.iter().map(|it| (*it).to_owned()));
        let run = tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run(&arguments)
        });
        let output = run.await.unwrap();
        let printed = text(&output.stdout).to_owned();
        (output, printed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_the_customers_that_are_not_watched_or_have_not_consented() {
    let stage = Stage::start().await;
    let (output, printed) = stage.check(&[]).await;
    for part in [
        "ok    configuration: 2 tenants and 1 partner, 2 to check\n",
        "ok    partner msp: token: carries SecurityEvents.Read.All, DelegatedAdminRelationship.Read.All\n",
        "ok    partner msp: customers: 9, 2 configured, 0 excluded\n",
        "warn  partner msp: customers: 1 without consent: woodgrove\n",
        "warn  partner msp: customers: 7 unwatched: ",
        "discover --partner msp --write FILE",
        "1 of 1 partner can be read\n1 of 2 tenants can be watched\n",
    ] {
        assert!(printed.contains(part), "{part} is missing in\n{printed}");
    }
    let partner = stage.handle().partner("partner").unwrap();
    let customers = partner.customers();
    let new = customers.iter().find(|it| it.name == "proseware").unwrap();
    let (id, client) = (new.tenant_id.as_ref().unwrap(), partner.access().client_id);
    let consent = format!(
        "ok    partner msp: customers: the consent of {} ({id}): {}/{id}/adminconsent?client_id={client}\n",
        new.display_name,
        stage.simulator.url(),
    );
    assert!(
        printed.contains(&consent),
        "{consent} is missing in\n{printed}"
    );
    let (_, rest) = printed.split_once("FAIL  woodgrove: ").unwrap();
    let hint = rest.lines().nth(1).unwrap();
    assert!(hint.contains("/adminconsent?client_id="), "{hint}");
    assert_eq!(output.status.code(), Some(1));

    stage
        .handle()
        .set_consent("woodgrove", graph_simulator::Consent::Granted)
        .unwrap();
    stage.configure("  exclude: [\"*\"]\n");
    let (output, printed) = stage.check(&[]).await;
    let excluded = "ok    partner msp: customers: 9, 2 configured, 7 excluded\n";
    assert!(printed.contains(excluded), "{printed}");
    assert!(
        !printed.contains("unwatched") && !printed.contains("consented"),
        "{printed}"
    );
    assert!(output.status.success(), "{printed}");

    stage.configure("  new_customers: watch\n");
    let (_, printed) = stage.check(&[]).await;
    let watched = "ok    partner msp: customers: 7 more watched as new customers\n";
    assert!(printed.contains(watched), "{printed}");
}

/// The partner's permission is used in its own tenant only.
#[tokio::test(flavor = "multi_thread")]
async fn check_asks_for_customers_in_the_partners_own_tenant_only() {
    let stage = Stage::start().await;
    let (_, printed) = stage.check(&["--tenant=contoso"]).await;
    assert!(!printed.contains("partner msp"), "{printed}");
    let requests = stage.handle().requests();
    let of_partner = |api: Option<Api>| {
        let lists = [Api::Customers, Api::Relationships, Api::Organization];
        api.is_some_and(|api| lists.contains(&api))
    };
    assert!(!requests.iter().any(|it| of_partner(it.api)));
    let (_, printed) = stage.check(&[]).await;
    assert!(
        !printed.contains("contoso: token: carries more than it needs"),
        "{printed}"
    );
    let requests = stage.handle().requests();
    let lists: Vec<_> = requests.iter().filter(|it| of_partner(it.api)).collect();
    assert_eq!(lists.len(), 2, "{lists:?}");
    assert!(
        lists
            .iter()
            .all(|it| it.tenant.as_deref() == Some("partner")),
        "{lists:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reports_a_partner_without_the_permission_with_its_remedy() {
    let stage = Stage::start().await;
    let partner = stage.handle().partner("partner").unwrap();
    partner.revoke(PartnerPermission::DelegatedAdminRelationship);
    let (output, printed) = stage.check(&[]).await;
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "warn  partner msp: token: carries SecurityEvents.Read.All but not DelegatedAdminRelationship.Read.All\n",
        "FAIL  partner msp: ",
        "in the partner's own tenant and give admin consent; check that tenant_id is the partner's own tenant, not that of a customer\n",
        "0 of 1 partner can be read\n",
    ] {
        assert!(printed.contains(part), "{part} is missing in\n{printed}");
    }
}

/// One application for both would show it here.
#[tokio::test(flavor = "multi_thread")]
async fn check_warns_of_a_customers_token_with_the_partners_permission() {
    let stage = Stage::start().await;
    let roles = [
        "SecurityEvents.Read.All",
        "DelegatedAdminRelationship.Read.All",
    ];
    let fault = FaultKind::Roles(roles.map(str::to_owned).to_vec());
    let fault = Fault::new(Api::Token, fault);
    stage.handle().inject(Some("contoso"), fault).unwrap();
    let (_, printed) = stage.check(&["--tenant=contoso"]).await;
    let warning = "warn  contoso: token: carries more than it needs: DelegatedAdminRelationship.Read.All\n      hint: remove";
    assert!(printed.contains(warning), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_a_partner_that_is_configured_twice() {
    let stage = Stage::start().await;
    let access = stage.handle().partner("partner").unwrap().access();
    let file = stage.folder.path().join("secure-score.yml");
    let config = fs::read_to_string(&file).unwrap();
    let (rest, _) = config.split_once("partner:\n").unwrap();
    let entry = |name: &str, id: &str| {
        format!("  - {{name: {name}, tenant_id: {id}, credential: app, exclude: ['*']}}\n")
    };
    let entries = [
        entry("msp", &access.entra_id),
        entry("again", &access.domain),
    ];
    fs::write(file, format!("{rest}partner:\n{}", entries.concat())).unwrap();
    let (output, printed) = stage.check(&[]).await;
    assert_eq!(output.status.code(), Some(1));
    let failure = "FAIL  partner again: ";
    let (_, failure) = printed.split_once(failure).expect("the second fails");
    assert!(
        failure.contains("msp is the same Entra tenant"),
        "{printed}"
    );
    assert!(printed.contains("1 of 2 partners can be read"), "{printed}");
}
