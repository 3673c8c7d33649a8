//! The customers that partners have at the start.

use std::sync::Arc;

use jiff::Timestamp;

use crate::consent::Consent;
use crate::customer::Customer;
use crate::initial_relationships::relationships;
use crate::partner::Partner;
use crate::partner_options::PartnerOptions;
use crate::rng::draw;
use crate::tenant::Tenant;
use crate::tenant_factory::TenantFactory;
use crate::tenant_table::TenantTable;

/// The display name of every partner.
const PARTNER: &str = "Tailwind Managed Services";

/// The states of the first tenants of the simulator in the partner's organization.
const ORGANIZATION_STATES: [&str; 3] = ["active", "active", "pending"];

/// The customers of the first partner with fixed names: name, display name, consent.
const NAMED: &[(&str, &str, Consent)] = &[
    ("woodgrove", "Woodgrove Bank", Consent::UnknownApplication),
    ("tailspin", "Tailspin Toys", Consent::NotGranted),
    ("proseware", "Proseware, Inc.", Consent::Granted),
    ("soerensen", "Bäckerei Sørensen & Søn", Consent::Granted),
    ("alpine", "Alpine Ski House", Consent::Granted),
    ("fourth-coffee", "Fourth Coffee", Consent::Granted),
    ("wide-world", "Wide World Importers", Consent::Granted),
];

/// Adds a partner's tenant, and a tenant for each of its customers, to the simulator's
/// `own` tenants.
pub(crate) fn add_partner(
    table: &TenantTable,
    factory: &TenantFactory,
    (number, options): (usize, &PartnerOptions),
    own: &[Arc<Tenant>],
    now: Timestamp,
) {
    let Some(tenant) = factory.named(&options.name, PARTNER, now) else {
        return;
    };
    let seed = draw(factory.seed, &options.name, 2);
    let listed = own.iter().filter(|_| options.lists_tenants).cloned();
    let further = (0..options.customers).filter_map(|customer| {
        let (name, display_name, consent) = identity(number, &options.name, customer);
        let tenant = table.add(factory.named(&name, &display_name, now)?);
        tenant.set_consent(consent);
        Some(tenant)
    });
    let customers = listed.chain(further).enumerate();
    let customers = customers.map(|(index, tenant)| Customer {
        name: tenant.name.clone(),
        tenant_id: Some(tenant.entra_id.clone()),
        display_name: tenant.display_name.clone(),
        relationships: relationships(seed, index, now),
    });
    let customers = customers.collect();
    let members = own.iter().zip(ORGANIZATION_STATES);
    let members = members.map(|(member, state)| member.member(state));
    let itself = tenant.member("active");
    let organization = [itself].into_iter().chain(members).collect();
    table.add(tenant.with_partner(Partner::new(seed, customers, organization)));
}

/// Name, display name and consent of a customer of the partner with a number, both from 0.
fn identity(partner: usize, partner_name: &str, customer: usize) -> (String, String, Consent) {
    let named = NAMED.get(customer).filter(|_| partner == 0);
    if let Some(&(name, display_name, consent)) = named {
        return (name.to_owned(), display_name.to_owned(), consent);
    }
    let count = customer + 1;
    (
        format!("{partner_name}-customer-{count:04}"),
        format!("Customer {count} of {partner_name}"),
        Consent::Granted,
    )
}
