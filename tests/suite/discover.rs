//! `discover` as a process, against a simulated partner.

use crate::simulated::text;
use graph_simulator::{
    Api, Consent, Customer, Fault, FaultKind, OddCustomer, Options, PartnerHandle, PartnerOptions,
    PartnerPermission, RetryAfter, Simulator,
};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A simulated partner, and a configuration that names it.
struct Partnership {
    simulator: Simulator,
    folder: TempDir,
}

impl Partnership {
    /// The simulator's five tenants and so many further customers; none is configured.
    async fn of(customers: usize) -> Self {
        let simulator = Simulator::start(Options {
            partners: vec![PartnerOptions {
                customers,
                ..PartnerOptions::default()
            }],
            ..Options::default()
        })
        .await
        .expect("the simulator starts");
        let it = Self {
            simulator,
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(it.file("simulator-ca.pem"), it.simulator.ca_pem()).unwrap();
        let secret = it.file("msp.secret");
        fs::write(&secret, it.partner().access().client_secret).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        it.configure("display_names: plain", "");
        it
    }

    fn partner(&self) -> PartnerHandle {
        self.simulator.handle().partner("partner").unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// Writes the configuration: further keys of the partner, and further sections.
    fn configure(&self, keys: &str, sections: &str) {
        let access = self.partner().access();
        let config = format!(
            "simulator: {{url: \"{}\", ca_file: simulator-ca.pem}}\n\
             credentials:\n  msp: {{type: client_secret, client_id: {}, client_secret_file: msp.secret}}\n  \
             customers: {{type: client_secret, client_id: {}, client_secret_file: msp.secret}}\n\
             defaults: {{cloud: simulator, credential: customers}}\n\
             partner:\n  name: msp\n  tenant_id: {}\n  credential: msp\n  {keys}\n{sections}",
            self.simulator.url(),
            access.client_id,
            self.partner().customers_application(),
            access.entra_id,
        );
        fs::write(self.file("secure-score.yml"), config).unwrap();
    }

    fn discover(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
            .arg("discover")
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    /// The same, which must end with this exit status; returns what it printed.
    fn expect(&self, status: i32, arguments: &[&str]) -> (String, String) {
        let output = self.discover(arguments);
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{out}{error}");
        (out, error)
    }

    fn document(&self) -> Vec<Value> {
        let (out, _) = self.expect(0, &["--output=json"]);
        let document: Value = serde_json::from_str(&out).unwrap();
        document["customers"].as_array().unwrap().clone()
    }

    fn requests(&self, api: Api) -> usize {
        let requests = self.simulator.handle().requests();
        requests.iter().filter(|it| it.api == Some(api)).count()
    }
}

/// The line of the table that begins with this customer.
fn row(table: &str, customer: &str) -> String {
    let mut lines = table.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with(customer));
    let line = line.unwrap_or_else(|| panic!("{customer} is not in\n{table}"));
    line.to_owned()
}

/// The customers of a document in a state, by name.
fn names(customers: &[Value], key: &str, word: &str) -> Vec<String> {
    let found = customers.iter().filter(|it| it[key] == word);
    let mut names: Vec<String> = found
        .map(|it| it["display_name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_all_customers_watched() {
    let it = Partnership::of(7).await;
    let (table, error) = it.expect(0, &[]);
    assert_eq!(error, "");
    assert!(
        table.starts_with(
            "0 of 12 customers watched, 12 unwatched, 0 excluded; 2 without consent\n"
        ),
        "{table}"
    );
    let contoso = row(&table, "Contoso");
    assert!(contoso.contains("unwatched"), "{contoso}");
    assert!(contoso.contains("/adminconsent?client_id="), "{contoso}");
    let customers = it.document();
    assert_eq!(names(&customers, "consent", "no").len(), 2);
    assert_eq!(names(&customers, "consent", "yes").len(), 10);
    it.expect(3, &["--check"]);

    // What would be added, then that.
    let arguments = ["--write=customers.yml", "--check"];
    let (planned, _) = it.expect(3, &arguments);
    assert!(planned.contains("\n+- {name: contoso"), "{planned}");
    assert!(
        planned.contains("12 tenants to add; not written"),
        "{planned}"
    );
    assert!(!it.file("customers.yml").exists());
    let (written, error) = it.expect(0, &["--write=customers.yml"]);
    assert!(
        written.contains("customers.yml: 12 tenants added"),
        "{written}"
    );
    assert!(
        error.contains("add `tenant_files: [customers.yml]`"),
        "{error}"
    );
    let first = it.read("customers.yml");
    assert_eq!(first.lines().count(), 12, "{first}");
    // Not configured, but in the file already.
    let (again, _) = it.expect(0, &["--write=customers.yml"]);
    assert!(
        again.contains("customers.yml: no customer to add"),
        "{again}"
    );

    it.configure("display_names: plain", "tenant_files: [customers.yml]\n");
    let (table, _) = it.expect(0, &["--check", "--write=customers.yml"]);
    assert!(
        table.contains("10 of 12 customers watched, 0 unwatched, 0 excluded; 2 without consent"),
        "{table}"
    );
    // Two rows and their number.
    assert_eq!(table.matches("without consent").count(), 3, "{table}");
    assert_eq!(it.read("customers.yml"), first);
    it.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_customers_come_in_four_pages() {
    let it = Partnership::of(995).await;
    let (_, error) = it.expect(0, &["--write=customers.yml"]);
    assert!(error.contains("tenant_files"), "{error}");
    assert_eq!(it.requests(Api::Customers), 4);
    // The partner's own, and one of each customer.
    assert_eq!(it.requests(Api::Token), 1001);
    let first = it.read("customers.yml");
    assert_eq!(first.lines().count(), 1000);
    it.configure("display_names: plain", "tenant_files: [customers.yml]\n");
    let (out, _) = it.expect(0, &["--write=customers.yml", "--check"]);
    assert!(out.contains("998 of 1000 customers watched"), "{out}");
    assert_eq!(it.read("customers.yml"), first);
    it.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_file_stay_whatever_happens_to_the_customers() {
    let it = Partnership::of(0).await;
    let contoso = it.simulator.tenants()[0].clone();
    let edited = format!(
        "# Watched since spring\r\n- name: Contoso.Prod   # by hand\r\n  tenant_id: {}\r\n  target: 70%\r\n",
        contoso.entra_id.to_uppercase()
    );
    fs::write(it.file("customers.yml"), &edited).unwrap();
    let sections = "tenant_files: [customers.yml]\n";
    let keys = "exclude: [fabrikam*]\n  defaults: {credential: customers, target: 60%}";
    it.configure(keys, sections);
    it.expect(0, &["--write=customers.yml"]);
    let first = it.read("customers.yml");
    let added = first.strip_prefix(&edited).expect("the lines before stay");
    assert_eq!(added.lines().count(), 3, "{added}");
    let keys = ", credential: customers, target: \"60%\"} # ";
    assert!(added.lines().all(|line| line.contains(keys)), "{added}");
    assert!(!first.to_lowercase().contains("fabrikam"), "{first}");

    let partner = it.partner();
    partner.rename(&contoso.name, "Contoso Renamed").unwrap();
    partner.rename("adatum", "Adatum Renamed").unwrap();
    partner.remove("litware").unwrap();
    partner.sign_up("again", "Adatum Corporation").unwrap();
    let (out, error) = it.expect(0, &["--write=customers.yml"]);
    assert!(
        row(&out, "Contoso Renamed").contains("Contoso.Prod"),
        "{out}"
    );
    assert!(row(&out, "Adatum Renamed").contains(" adatum"), "{out}");
    assert!(
        error.contains("customers.yml: litware is in no partner's list"),
        "{error}"
    );
    assert!(out.contains("; 1 configured tenant is in no list"), "{out}");
    let second = it.read("customers.yml");
    let added = second.strip_prefix(&first).expect("the lines before stay");
    assert_eq!(added.lines().count(), 1, "{added}");
    assert!(added.contains("name: adatum-corporation-"), "{added}");
    it.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_cannot_control_the_terminal_or_the_file() {
    let it = Partnership::of(0).await;
    let id = |n: u32| format!("{n:08}-1111-4111-8111-111111111111");
    let odd = [
        "\u{1b}[31mRed\u{7}\n- {name: injected, tenant_id: injected.example}",
        "🚀🚀",
        "\u{202e}שלום",
        "Same",
        "Same",
        "",
        "null",
    ];
    for (n, name) in (0..).zip(odd) {
        it.partner().add(Customer {
            name: format!("odd-{n}"),
            tenant_id: Some(id(n)),
            display_name: name.to_owned(),
            relationships: Vec::new(),
        });
    }
    it.partner().add(Customer {
        name: "without".to_owned(),
        tenant_id: None,
        display_name: "Without\u{1b}".to_owned(),
        relationships: Vec::new(),
    });
    let own = it.partner().access();
    it.partner().add(Customer {
        name: "own".to_owned(),
        tenant_id: Some(own.entra_id.clone()),
        display_name: own.display_name,
        relationships: Vec::new(),
    });
    let (out, error) = it.expect(0, &["--write=customers.yml"]);
    for printed in [&out, &error] {
        let is_special = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!printed.contains(is_special), "{printed}");
    }
    assert!(
        error.contains("no valid tenant id in the list and is left out: Without; add the tenant"),
        "{error}"
    );
    assert!(
        error.contains("the partner's own tenant is in its list"),
        "{error}"
    );
    let file = it.read("customers.yml");
    assert_eq!(file.lines().count(), 5 + odd.len(), "{file}");
    for alias in [
        "customer-00000001",
        "customer-00000002",
        "same-00000003",
        "same-00000004",
        "customer-00000005",
        "\"null\"",
    ] {
        assert!(file.contains(&format!("name: {alias},")), "{alias}: {file}");
    }
    assert!(!file.contains(&own.entra_id));
    // The exporter reads what was written.
    it.configure("display_names: plain", "tenant_files: [customers.yml]\n");
    let customers = it.document();
    assert_eq!(names(&customers, "state", "unwatched"), [""; 0]);
    it.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_consent_differs_from_other_failures() {
    let it = Partnership::of(0).await;
    let handle = it.simulator.handle();
    for (tenant, consent) in [
        ("contoso", Consent::UnknownApplication),
        ("fabrikam", Consent::NotGranted),
        ("adatum", Consent::NoServicePrincipal),
    ] {
        handle.set_consent(tenant, consent).unwrap();
    }
    let customers = it.document();
    assert_eq!(names(&customers, "consent", "no").len(), 3);
    assert_eq!(names(&customers, "consent", "yes").len(), 2);
    let url = customers[0]["consent_url"].as_str().unwrap();
    let id = customers[0]["entra_tenant_id"].as_str().unwrap();
    let client = it.partner().customers_application();
    let expected = format!(
        "{}/{id}/adminconsent?client_id={client}",
        it.simulator.url()
    );
    assert_eq!(url, expected);
    assert!(customers[0]["proposed_tenant"].is_string());
    assert!(customers[0]["relationship_end"].is_string());

    fs::write(it.file("other.secret"), "wrong").unwrap();
    let other = format!(
        "defaults: {{credential: {{type: client_secret, client_id: {client}, client_secret_file: other.secret}}}}"
    );
    it.configure(&other, "");
    let (out, error) = it.expect(0, &["--output=json"]);
    assert!(out.contains(r#""consent": "unknown""#), "{out}");
    assert!(error.contains("AADSTS7000215"), "{error}");
    assert_eq!(error.matches("AADSTS7000215").count(), 1, "{error}");
    // Entries of a file would get the tokens of another credential.
    let (_, error) = it.expect(1, &["--write=customers.yml"]);
    assert!(
        error.contains("give that name as partner.defaults.credential"),
        "{error}"
    );
    assert!(!it.file("customers.yml").exists());
    it.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_names_its_place_and_a_remedy() {
    let it = Partnership::of(0).await;
    let fails = |arguments: &[&str], expected: &[&str]| {
        let (out, error) = it.expect(1, arguments);
        for text in expected {
            assert!(error.contains(text), "{text} is missing in\n{out}{error}");
        }
    };
    fails(&["--partner=mps"], &["--partner mps", "did you mean msp?"]);
    fails(
        &["--write=none/customers.yml"],
        &["none/customers.yml cannot be", "existing directory"],
    );
    fs::write(it.file("flow.yml"), "[]\n").unwrap();
    fails(
        &["--write=flow.yml"],
        &["flow.yml", "`- {name: …, tenant_id: …}`"],
    );
    assert_eq!(it.read("flow.yml"), "[]\n");
    fs::write(it.file("map.yml"), "tenants: []\n").unwrap();
    fails(
        &["--write=map.yml"],
        &["map.yml: line 1", "expected a list"],
    );

    // A tenant named by a domain could be any customer.
    it.configure(
        "display_names: off",
        "tenants: [{name: nameless, tenant_id: unknown.example}]\n",
    );
    fails(
        &["--write=customers.yml"],
        &["nameless", "set tenant_id to the GUID"],
    );
    it.configure("display_names: off", "");

    for tenant in it.simulator.tenants() {
        it.partner().remove(&tenant.name).unwrap();
    }
    fails(
        &["--check"],
        &[
            "msp",
            "the list of customers is empty",
            "the partner's own tenant",
        ],
    );
    it.partner()
        .revoke(PartnerPermission::DelegatedAdminRelationship);
    fails(
        &[],
        &["msp: permission", "DelegatedAdminRelationship.Read.All"],
    );

    let config = it.read("secure-score.yml");
    let (without, _) = config.split_once("partner:").unwrap();
    let tenant = "tenants: [{name: a, tenant_id: a.example}]\n";
    fs::write(it.file("secure-score.yml"), format!("{without}{tenant}")).unwrap();
    fails(&[], &["has no partner", "add `partner:"]);
    it.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_watches_new_customers_has_none_to_add() {
    let it = Partnership::of(0).await;
    it.configure("new_customers: watch", "");
    let (out, _) = it.expect(0, &["--check", "--write=customers.yml"]);
    assert!(out.contains("5 of 5 customers watched"), "{out}");
    assert!(out.contains("customers.yml: no customer to add"), "{out}");
    it.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_in_the_file_is_a_customer() {
    let it = Partnership::of(0).await;
    let contoso = it.simulator.tenants()[0].clone();
    let line = format!("- {{name: by-domain, tenant_id: {}}}\n", contoso.domain);
    fs::write(it.file("customers.yml"), &line).unwrap();
    // Without a token it could be any customer.
    let handle = it.simulator.handle();
    handle
        .set_consent(&contoso.name, Consent::NotGranted)
        .unwrap();
    let (_, error) = it.expect(1, &["--write=customers.yml"]);
    for part in ["by-domain named by a domain", "set tenant_id to the GUID"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!error.contains("remove its line"), "{error}");
    assert_eq!(it.read("customers.yml"), line);

    handle.set_consent(&contoso.name, Consent::Granted).unwrap();
    let (out, error) = it.expect(0, &["--write=customers.yml"]);
    assert!(row(&out, "Contoso").contains("by-domain"), "{out}");
    assert!(!error.contains("remove its line"), "{error}");
    let written = it.read("customers.yml");
    assert_eq!(written.lines().count(), 5, "{written}");
    assert!(!written.contains(&contoso.entra_id), "{written}");
    it.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_partner_itself_is_no_customer_that_left() {
    let it = Partnership::of(0).await;
    let own = it.partner().access();
    it.configure(
        "display_names: off",
        &format!(
            "tenants: [{{name: ourselves, tenant_id: {}}}]\n",
            own.entra_id
        ),
    );
    let config = it.read("secure-score.yml");
    let (partner, tenants) = config.split_once("tenants:").unwrap();
    let partner = partner.replace(&own.entra_id, &own.domain);
    fs::write(
        it.file("secure-score.yml"),
        format!("{partner}tenants:{tenants}"),
    )
    .unwrap();
    let (out, _) = it.expect(0, &[]);
    assert!(!out.contains("ourselves"), "{out}");
    it.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_fails_for_a_customer_without_an_id() {
    let it = Partnership::of(0).await;
    it.configure("new_customers: watch", "");
    it.expect(0, &["--check"]);
    it.partner().add(Customer {
        name: "without".to_owned(),
        tenant_id: None,
        display_name: "Lucerne Publishing".to_owned(),
        relationships: Vec::new(),
    });
    let (out, error) = it.expect(3, &["--check"]);
    assert!(out.contains("5 of 5 customers watched"), "{out}");
    assert!(error.contains("Lucerne Publishing"), "{error}");
    it.expect(0, &[]);
    it.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_tenant_may_be_a_customer_whose_id_cannot_be_read() {
    let it = Partnership::of(0).await;
    it.expect(0, &["--write=customers.yml"]);
    it.configure("display_names: plain", "tenant_files: [customers.yml]\n");
    let odd = |odd| {
        let handle = it.simulator.handle();
        handle.clear_faults();
        let fault = Fault::new(Api::Customers, FaultKind::OddCustomer(odd));
        handle.inject(Some("partner"), fault).unwrap();
    };
    odd(OddCustomer::InvalidId);
    let (out, error) = it.expect(3, &["--check", "--write=customers.yml"]);
    assert!(
        !out.contains("not in list") && !out.contains("in no list"),
        "{out}"
    );
    assert!(out.contains("4 of 4 customers watched"), "{out}");
    for part in [
        "it cannot be known whether these tenants are in a list",
        ": contoso-ltd; they may still be customers",
        "left out: Contoso Ltd (00000000-not-a-guid); add the tenant",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("remove its line"), "{error}");
    odd(OddCustomer::OwnTenant);
    it.expect(0, &["--check", "--write=customers.yml"]);
    it.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incomplete_list_is_named() {
    let it = Partnership::of(0).await;
    let partial = Fault::new(Api::Relationships, FaultKind::Partial206);
    let handle = it.simulator.handle();
    handle.inject(Some("partner"), partial).unwrap();
    let (_, error) = it.expect(1, &[]);
    let named = "Graph marked the list of relationships with customers as partial";
    assert!(error.contains(named), "{error}");
    let again = "hint: run the command again later: Graph itself reports";
    assert!(error.contains(again), "{error}");
    handle.clear_faults();
    let retry_after = RetryAfter::Seconds(90);
    let throttle = Fault::new(Api::Customers, FaultKind::Throttle { retry_after });
    handle.inject(Some("partner"), throttle).unwrap();
    let (_, error) = it.expect(1, &[]);
    let again = "hint: run the command again in 1m 30s: Microsoft limits the requests";
    assert!(error.contains(again), "{error}");
    it.simulator.stop().await;
}
