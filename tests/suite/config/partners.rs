//! Partners: which customers are selected, and what a watched customer gets.

use super::{directory, environment};
use secure_score_exporter::config::{
    self, Cloud, Config, Credential, CustomerSource, DisplayNames, Enabled, NewCustomers, Partner,
};
use secure_score_model::{ControlRules, RecommendationCategory};
use std::time::Duration;

const CUSTOMER: &str = "33333333-3333-3333-3333-333333333333";

fn load(case: &str) -> Config {
    let path = directory().join(case);
    config::load(&path, &environment()).unwrap().config
}

fn partner(case: &str, name: &str) -> Partner {
    let partners = load(case).partners;
    partners.into_iter().find(|it| it.name == name).unwrap()
}

#[test]
fn a_partner_alone_is_a_configuration() {
    let config = load("partner.good.yml");
    assert!(config.tenants.is_empty());
    let [partner] = config.partners.as_slice() else {
        panic!("{:?}", config.partners);
    };
    assert_eq!(
        (partner.name.as_str(), partner.tenant_id.as_str()),
        ("msp", "msp.onmicrosoft.com")
    );
    assert_eq!(partner.cloud, Cloud::Global);
    assert_eq!(partner.display_names, DisplayNames::Off);
    assert_eq!(partner.interval, Duration::from_secs(6 * 60 * 60));
    assert_eq!(partner.sources, [CustomerSource::DelegatedAdminCustomers]);
    assert_eq!(partner.new_customers, NewCustomers::Report);
    assert!(partner.selects(CUSTOMER, ""));
}

/// A customer's token must never be one of the partner's application.
#[test]
fn a_customer_gets_another_application_than_the_partner() {
    let config = load("partner.good.yml");
    let partner = &config.partners[0];
    let customer = partner.tenant("fabrikam".to_owned(), CUSTOMER, "Fabrikam");
    let application = |credential: &Credential| credential.application_id().map(str::to_owned);
    let ids = (
        application(&partner.credential).unwrap(),
        application(&customer.credential).unwrap(),
    );
    assert_eq!(
        ids,
        (
            "0a1b2c3d-1111-2222-3333-555555555555".to_owned(),
            "0a1b2c3d-1111-2222-3333-444444444444".to_owned()
        )
    );
    let url = config.consent_url(customer.cloud, CUSTOMER, &customer.credential);
    let expected = format!(
        "https://login.microsoftonline.com/{CUSTOMER}/adminconsent?client_id={}",
        ids.1
    );
    assert_eq!(url, Some(expected));
    let other = load("partners.good.yml");
    let credential = &other.partners[1].defaults.credential;
    assert_eq!(
        other.consent_url(Cloud::GccHigh, CUSTOMER, credential),
        None
    );
}

#[test]
fn the_consent_page_is_that_of_the_cloud() {
    let config = load("partner.good.yml");
    let credential = &config.partners[0].credential;
    for (cloud, host) in [
        (Cloud::GccHigh, "https://login.microsoftonline.us/"),
        (Cloud::Dod, "https://login.microsoftonline.us/"),
    ] {
        let url = config.consent_url(cloud, CUSTOMER, credential).unwrap();
        assert!(url.starts_with(host), "{url}");
    }
    assert_eq!(
        config.consent_url(Cloud::Simulator, CUSTOMER, credential),
        None
    );
    let simulated = load("everything.good.yml");
    let url = simulated.consent_url(Cloud::Simulator, CUSTOMER, credential);
    assert!(url.unwrap().starts_with("https://127.0.0.1:8443/"));
}

#[test]
fn patterns_select_customers_by_name_or_id_and_an_exclusion_wins() {
    let partner = partner("partners.good.yml", "msp");
    assert!(partner.selects(CUSTOMER, "Fabrikam"));
    assert!(!partner.selects(CUSTOMER, "TEST fabrikam"));
    assert!(!partner.selects(CUSTOMER, "BÄCKEREI «schön» & söhne (1)"));
    assert!(!partner.selects("22222222-2222-2222-2222-222222222222", "Fabrikam"));
}

#[test]
fn a_customer_has_the_partners_defaults_and_then_those_of_the_top_level() {
    let of_partner = partner("partners.good.yml", "msp");
    let id = CUSTOMER.to_uppercase();
    let customer = of_partner.tenant("fabrikam".to_owned(), &id, "Fabrikam");
    assert_eq!(customer.alias, "fabrikam");
    assert_eq!(customer.tenant_id, CUSTOMER);
    assert_eq!(customer.target, Some(0.7));
    assert_eq!(customer.recommendations.enabled, Enabled::Off);
    assert_eq!(customer.labels["team"], "emea");
    let other = partner("partners.good.yml", "msp-gov");
    let customer = other.tenant("fabrikam".to_owned(), CUSTOMER, "Fabrikam");
    assert_eq!(customer.cloud, Cloud::GccHigh);
    assert_eq!(customer.target, Some(0.8));
    assert_eq!(customer.recommendations.enabled, Enabled::Auto);
    assert!(customer.labels.is_empty());
}

#[test]
fn the_name_of_a_customer_is_shown_only_where_labels_may_have_it() {
    let name = |case: &str, display_name: &str| {
        let tenant = partner("partners.good.yml", case);
        tenant
            .tenant("fabrikam".to_owned(), CUSTOMER, display_name)
            .display_name
    };
    assert_eq!(name("msp", "Fabrikam Ltd"), "Fabrikam Ltd");
    assert_eq!(name("msp", ""), "fabrikam");
    assert_eq!(name("msp-gov", "Fabrikam Ltd"), "fabrikam");
}

#[test]
fn an_added_customer_has_the_partners_selection_of_recommendations() {
    let path = directory().join("partner.good.yml");
    let text = std::fs::read_to_string(path).unwrap().replace(
        "credential: partner}",
        "credential: partner, defaults: {recommendations: {exclude: [oneAdmin]}}}",
    );
    let folder = tempfile::tempdir_in(directory()).unwrap();
    let path = folder.path().join("case.yml");
    std::fs::write(&path, text.replace("secrets/", "../secrets/")).unwrap();
    let mut config = config::load(&path, &environment()).unwrap().config;
    let partner = config.partners[0].clone();
    let tenant = partner.tenant("fabrikam".to_owned(), CUSTOMER, "");
    config.add_customer(&partner, tenant);
    assert_eq!(config.tenants.len(), 1);
    let selects = |alias: &str| {
        let rules = config.rules(alias);
        rules.selects_recommendation(&["oneAdmin"], RecommendationCategory::Unknown)
    };
    assert_eq!((selects("fabrikam"), selects("contoso")), (false, true));
}
