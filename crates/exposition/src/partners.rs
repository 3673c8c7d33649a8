//! The table of the families of partners, and their sample lines.
//!
//! They are apart from [`FAMILIES`](crate::FAMILIES), whose series all have the
//! label `tenant`: a customer that is not watched has none.

use super::block::Block;
use super::chunk::Chunk;
use super::family::Kind::{self, Counter, Gauge, Info};
use super::format::{Format, header};
use super::gzip::Deflater;
use super::label::{write_label, write_value};
use super::text::write_number;
use bytes::Bytes;
use secure_score_model::{
    CustomerState, CustomerStatus, PartnerSnapshot, Reason, Relationship, SkippedCustomers,
    Timestamp,
};
use std::sync::Arc;

/// About what the lines of a customer take, bytes.
const BYTES_PER_CUSTOMER: usize = 600;

/// One family of series of partners.
pub struct PartnerFamily {
    /// The name, as samples carry it.
    pub name: &'static str,
    /// Gauge, counter or info.
    pub kind: Kind,
    /// What it means, in what unit, and where it comes from.
    pub help: &'static str,
    /// The labels beside `partner`, in the order they are written.
    pub labels: &'static [&'static str],
    /// Whether each shard exports its own customers, instead of one shard all.
    of_each_shard: bool,
    /// Whether its values are cached from the last list.
    is_cached: bool,
    write: fn(&PartnerSnapshot, &mut PartnerSamples<'_>),
}

const fn family(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    write: fn(&PartnerSnapshot, &mut PartnerSamples<'_>),
    help: &'static str,
) -> PartnerFamily {
    PartnerFamily {
        name,
        kind,
        help,
        labels,
        of_each_shard: false,
        is_cached: false,
        write,
    }
}

impl PartnerFamily {
    const fn of_each_shard(mut self) -> Self {
        self.of_each_shard = true;
        self
    }

    const fn cached(mut self) -> Self {
        self.is_cached = true;
        self
    }

    /// The HELP of a scrape: what the family means, and how old a value may be.
    pub(super) fn scrape_help(&self) -> String {
        match self.is_cached {
            true => format!("{} {CACHED}", self.help),
            false => self.help.to_owned(),
        }
    }
}

/// How old values of the list may be: an old list stays until a newer one is read.
const CACHED: &str = "Cached from the last successful refresh, however old: see secure_score_partner_last_refresh_success_timestamp_seconds.";

/// The label of the series of a customer.
const CUSTOMER: &[&str] = &["entra_tenant_id"];

/// Every family of partners, in the order of the exposition.
#[rustfmt::skip]
pub const PARTNER_FAMILIES: &[PartnerFamily] = &[
    family("secure_score_partner_customers", Gauge, &["state"], customers,
        "Customers of a partner, by whether the exporter watches them; every state, once the list was read. With shards not_consented lacks the tenants of other shards, which count as watched: see secure_score_partner_customer_consent_missing.").cached(),
    family("secure_score_partner_customer_info", Info, &["entra_tenant_id", "display_name", "tenant"], customer_info,
        "A customer in the partner's list, or a watched one that left it; tenant is its alias where it is watched, display_name its name with partner.display_names plain (Graph delegatedAdminCustomer, multiTenantOrganizationMember).").cached(),
    family("secure_score_partner_customer_state", Gauge, &["entra_tenant_id", "state"], customer_state,
        "1 for the state a customer is in: watched, unwatched, excluded, not_consented (never read, and Entra says that the tenant has not consented to the application) or left (watched, and no longer in the list). With shards the tenants of other shards are never not_consented.").cached(),
    family("secure_score_partner_customer_consent_missing", Gauge, &["entra_tenant_id", "tenant"], consent_missing,
        "Whether a customer that is a tenant of this exporter was never read and has not consented to the application (1) or not (0), also after it left the list; with shards, each has those of its own tenants (Entra's AADSTS700016, 65001 or 7000229 instead of a token).").of_each_shard(),
    family("secure_score_partner_customer_consent_info", Info, &["entra_tenant_id", "url"], customer_consent,
        "Where an administrator of a customer that is unwatched or not_consented consents to the application; missing where the customer's credential has no client id.").of_each_shard().cached(),
    family("secure_score_partner_relationship_end_timestamp_seconds", Gauge, CUSTOMER, relationship_end,
        "When the customer's relationship ends, seconds since the epoch: of the active ones that which extends itself, else that which ends last; without an active one, when the last one ended (Graph delegatedAdminRelationship endDateTime; those of Lighthouse do not count).").cached(),
    family("secure_score_partner_relationship_extends", Gauge, CUSTOMER, relationship_extends,
        "Whether that relationship is active and extends itself at its end (1) or not (0) (Graph delegatedAdminRelationship autoExtendDuration).").cached(),
    family("secure_score_partner_up", Gauge, &[], |it, samples| samples.add(&[], f64::from(it.health.up)),
        "Whether the last refresh of the partner's lists succeeded (1) or not (0)."),
    family("secure_score_partner_last_refresh_success_timestamp_seconds", Gauge, &[], last_success,
        "When the partner's lists were last refreshed with success, seconds since the epoch."),
    family("secure_score_partner_refreshes_total", Counter, &[], |it, samples| samples.add(&[], it.health.refreshes as f64),
        "Refreshes of the partner's lists, failed ones included."),
    family("secure_score_partner_refresh_failures_total", Counter, &["reason"], refresh_failures,
        "Refreshes of the partner's lists that failed, by reason; the set of reasons is closed."),
    family("secure_score_partner_skipped_elements", Gauge, &["field"], skipped_elements,
        "Elements and values of the partner's current lists that were left out: unreadable elements, customers without a GUID, GUIDs that occur twice, relationships without an end.").cached(),
];

fn customers(partner: &PartnerSnapshot, samples: &mut PartnerSamples<'_>) {
    if partner.customers.is_some() {
        for state in CustomerState::ALL {
            samples.add(&[state.as_str()], partner.count(state) as f64);
        }
    }
}

fn customer_info(partner: &PartnerSnapshot, samples: &mut PartnerSamples<'_>) {
    for status in partner.customers() {
        let customer = &status.customer;
        let name = match partner.shows_names {
            true => &*customer.display_name,
            false => "",
        };
        let tenant = status.tenant.as_deref().unwrap_or_default();
        samples.add(&[&customer.tenant_id, name, tenant], 1.0);
    }
}

fn customer_state(partner: &PartnerSnapshot, samples: &mut PartnerSamples<'_>) {
    for status in partner.customers() {
        samples.add(&[&status.customer.tenant_id, status.state.as_str()], 1.0);
    }
}

fn consent_missing(partner: &PartnerSnapshot, samples: &mut PartnerSamples<'_>) {
    for status in partner.customers() {
        let tenant = status.tenant.as_deref();
        if let (Some(missing), Some(tenant)) = (status.consent_missing, tenant) {
            let labels = [&*status.customer.tenant_id, tenant];
            samples.add(&labels, f64::from(missing));
        }
    }
}

fn customer_consent(partner: &PartnerSnapshot, samples: &mut PartnerSamples<'_>) {
    use CustomerState::{NotConsented, Unwatched};
    let customers = partner.customers().iter();
    for status in customers.filter(|it| [NotConsented, Unwatched].contains(&it.state)) {
        if let Some(url) = &status.consent_url {
            samples.add(&[&status.customer.tenant_id, url], 1.0);
        }
    }
}

fn relationship_end(partner: &PartnerSnapshot, samples: &mut PartnerSamples<'_>) {
    for (id, relationship) in relationships(partner) {
        samples.add(&[id], relationship.ends.as_seconds());
    }
}

fn relationship_extends(partner: &PartnerSnapshot, samples: &mut PartnerSamples<'_>) {
    for (id, relationship) in relationships(partner) {
        samples.add(&[id], f64::from(relationship.extends));
    }
}

fn relationships(partner: &PartnerSnapshot) -> impl Iterator<Item = (&str, Relationship)> {
    let customers = partner
        .customers()
        .iter()
        .map(|it: &CustomerStatus| &it.customer);
    customers.filter_map(|it| Some((&*it.tenant_id, it.relationship?)))
}

fn last_success(partner: &PartnerSnapshot, samples: &mut PartnerSamples<'_>) {
    if let Some(time) = partner.health.last_success.map(Timestamp::as_seconds) {
        samples.add(&[], time);
    }
}

fn refresh_failures(partner: &PartnerSnapshot, samples: &mut PartnerSamples<'_>) {
    for reason in Reason::ALL {
        let count = partner.health.failures.get(&reason).copied().unwrap_or(0);
        samples.add(&[reason.as_str()], count as f64);
    }
}

fn skipped_elements(partner: &PartnerSnapshot, samples: &mut PartnerSamples<'_>) {
    if partner.customers.is_some() {
        for field in SkippedCustomers::FIELDS {
            samples.add(&[field.as_str()], partner.skipped.of(field) as f64);
        }
    }
}

/// Writes the sample lines of one family and partner.
struct PartnerSamples<'a> {
    family: &'static PartnerFamily,
    partner: &'a str,
    buffer: &'a mut Vec<u8>,
}

impl PartnerSamples<'_> {
    fn add(&mut self, labels: &[&str], value: f64) {
        let names = self.family.labels;
        debug_assert_eq!(labels.len(), names.len(), "{}", self.family.name);
        let buffer = &mut *self.buffer;
        buffer.extend_from_slice(self.family.name.as_bytes());
        buffer.extend_from_slice(b"{partner=\"");
        write_value(self.partner, buffer);
        buffer.push(b'"');
        for (name, label) in names.iter().zip(labels) {
            write_label(name, label, buffer);
        }
        buffer.extend_from_slice(b"} ");
        write_number(value, buffer);
        buffer.push(b'\n');
    }
}

/// Renders a partner.
pub fn render_partner(partner: &PartnerSnapshot) -> Chunk {
    render(partner, |_| true)
}

/// Renders what each shard exports of a partner: its own customers, of the families
/// that need their refreshes.
pub fn render_share(partner: &PartnerSnapshot) -> Chunk {
    let is_own = |it: &&CustomerStatus| it.consent_missing.is_some();
    let own = partner.customers().iter().filter(is_own).cloned();
    let share = PartnerSnapshot {
        customers: Some(own.collect()),
        ..PartnerSnapshot::new(&partner.name)
    };
    render(&share, |family| family.of_each_shard)
}

fn render(partner: &PartnerSnapshot, is_exported: fn(&PartnerFamily) -> bool) -> Chunk {
    let expected = partner.customers().len() * BYTES_PER_CUSTOMER;
    Chunk::of(PARTNER_FAMILIES, expected, |family, buffer| {
        if !is_exported(family) {
            return;
        }
        let mut samples = PartnerSamples {
            family,
            partner: &partner.name,
            buffer,
        };
        (family.write)(partner, &mut samples);
    })
}

/// The families of all partners in both formats, compressed once: they change a
/// few times an hour, and thousands of customers are megabytes.
#[derive(Debug, Clone)]
pub struct PartnerBlocks([Arc<Block>; 2]);

impl Default for PartnerBlocks {
    /// Those of no partner.
    fn default() -> Self {
        Self([(); 2].map(|()| Arc::default()))
    }
}

impl PartnerBlocks {
    /// The families of these partners, in their order.
    pub fn of<'a>(partners: impl Iterator<Item = &'a Chunk> + Clone) -> Self {
        let mut deflater = Deflater::default();
        Self(Format::ALL.map(|format| {
            let block = Block::new(Arc::default(), assemble(format, partners.clone()));
            block.compress(&mut deflater);
            Arc::new(block)
        }))
    }

    /// The families in a format.
    pub fn in_format(&self, format: Format) -> &Arc<Block> {
        let [text, openmetrics] = &self.0;
        match format {
            Format::Text => text,
            Format::OpenMetrics => openmetrics,
        }
    }
}

fn assemble<'a>(format: Format, partners: impl Iterator<Item = &'a Chunk> + Clone) -> Vec<Bytes> {
    let mut parts = Vec::new();
    for (index, family) in PARTNER_FAMILIES.iter().enumerate() {
        let lines = partners.clone().map(|chunk| chunk.family(index));
        let mut lines = lines.filter(|lines| !lines.is_empty()).peekable();
        if lines.peek().is_some() {
            parts.push(header(format, family.name, family.kind, &family.scrape_help()).into());
            parts.extend(lines);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::{Customer, RefreshHealth, SkippedField};
    use std::collections::BTreeMap;

    fn status(id: &str, state: CustomerState, tenant: Option<&str>) -> CustomerStatus {
        CustomerStatus {
            customer: Customer {
                tenant_id: id.into(),
                display_name: format!("\"{id}\"\n").into(),
                relationship: (id == "a").then_some(Relationship {
                    ends: Timestamp::from_seconds(1_800_000_000),
                    extends: true,
                }),
            },
            state,
            tenant: tenant.map(Arc::from),
            consent_url: Some(
                format!("https://login.example/{id}/adminconsent?client_id=c").into(),
            ),
            left_at: None,
            consent_missing: tenant.map(|_| state == CustomerState::NotConsented),
        }
    }

    fn partner() -> PartnerSnapshot {
        let mut skipped = SkippedCustomers::default();
        skipped.count(SkippedField::Id, 2);
        PartnerSnapshot {
            customers: Some(vec![
                status("a", CustomerState::Watched, Some("contoso")),
                status("b", CustomerState::Unwatched, None),
            ]),
            skipped,
            health: RefreshHealth {
                up: true,
                refreshes: 3,
                failures: BTreeMap::from([(Reason::Permission, 1)]),
                last_success: Some(Timestamp::from_seconds(7)),
                ..RefreshHealth::default()
            },
            ..PartnerSnapshot::new("provider")
        }
    }

    fn text(partner: &PartnerSnapshot, format: Format) -> String {
        let chunk = render_partner(partner);
        let blocks = PartnerBlocks::of(std::iter::once(&chunk));
        let parts = blocks.in_format(format).parts().concat();
        String::from_utf8(parts).unwrap()
    }

    #[test]
    fn a_partner_has_its_customers_and_its_refreshes() {
        let text = text(&partner(), Format::Text);
        for line in [
            "# TYPE secure_score_partner_customer_info gauge",
            "secure_score_partner_customers{partner=\"provider\",state=\"watched\"} 1",
            "secure_score_partner_customers{partner=\"provider\",state=\"left\"} 0",
            "secure_score_partner_customer_info{partner=\"provider\",entra_tenant_id=\"a\",tenant=\"contoso\"} 1",
            "secure_score_partner_customer_info{partner=\"provider\",entra_tenant_id=\"b\"} 1",
            "secure_score_partner_customer_state{partner=\"provider\",entra_tenant_id=\"b\",state=\"unwatched\"} 1",
            "secure_score_partner_customer_consent_info{partner=\"provider\",entra_tenant_id=\"b\",url=\"https://login.example/b/adminconsent?client_id=c\"} 1",
            "secure_score_partner_relationship_end_timestamp_seconds{partner=\"provider\",entra_tenant_id=\"a\"} 1800000000",
            "secure_score_partner_relationship_extends{partner=\"provider\",entra_tenant_id=\"a\"} 1",
            "secure_score_partner_up{partner=\"provider\"} 1",
            "secure_score_partner_refreshes_total{partner=\"provider\"} 3",
            "secure_score_partner_refresh_failures_total{partner=\"provider\",reason=\"permission\"} 1",
            "secure_score_partner_refresh_failures_total{partner=\"provider\",reason=\"timeout\"} 0",
            "secure_score_partner_last_refresh_success_timestamp_seconds{partner=\"provider\"} 7",
            "secure_score_partner_skipped_elements{partner=\"provider\",field=\"id\"} 2",
        ] {
            assert!(
                text.lines().any(|it| it == line),
                "{line} is missing in\n{text}"
            );
        }
        assert!(!text.contains("display_name="), "{text}");
        let states = text.matches("secure_score_partner_customer_state{").count();
        assert_eq!(states, 2, "one for each customer");
    }

    #[test]
    fn names_are_shown_where_the_configuration_says_so() {
        let plain = PartnerSnapshot {
            shows_names: true,
            ..partner()
        };
        let text = text(&plain, Format::OpenMetrics);
        assert!(text.contains("# TYPE secure_score_partner_customer info\n"));
        assert!(text.contains("# TYPE secure_score_partner_refreshes counter\n"));
        let label = "entra_tenant_id=\"b\",display_name=\"\\\"b\\\"\\n\"} 1";
        assert!(text.contains(label), "{text}");
    }

    #[test]
    fn before_the_first_list_customers_are_unknown_and_not_zero() {
        let text = text(&PartnerSnapshot::new("provider"), Format::Text);
        assert!(!text.contains("customers{"), "{text}");
        assert!(!text.contains("skipped"), "{text}");
        assert!(text.contains("secure_score_partner_up{partner=\"provider\"} 0\n"));
        assert!(text.contains("_refreshes_total{partner=\"provider\"} 0\n"));
    }

    #[test]
    fn a_shard_exports_the_consents_of_its_own_customers() {
        let of_another = CustomerStatus {
            consent_missing: None,
            ..status("c", CustomerState::Watched, Some("fabrikam"))
        };
        let left = CustomerStatus {
            consent_missing: Some(true),
            ..status("e", CustomerState::Left, Some("adatum"))
        };
        let partner = PartnerSnapshot {
            customers: Some(vec![
                status("a", CustomerState::Watched, Some("contoso")),
                status("b", CustomerState::Unwatched, None),
                of_another,
                status("d", CustomerState::NotConsented, Some("litware")),
                left,
            ]),
            ..partner()
        };
        let chunk = render_share(&partner);
        let blocks = PartnerBlocks::of(std::iter::once(&chunk));
        let share = blocks.in_format(Format::Text).parts().concat();
        let share = String::from_utf8(share).unwrap();
        let samples = share.lines().filter(|it| !it.starts_with('#'));
        let expected = [
            "secure_score_partner_customer_consent_missing{partner=\"provider\",entra_tenant_id=\"a\",tenant=\"contoso\"} 0",
            "secure_score_partner_customer_consent_missing{partner=\"provider\",entra_tenant_id=\"d\",tenant=\"litware\"} 1",
            "secure_score_partner_customer_consent_missing{partner=\"provider\",entra_tenant_id=\"e\",tenant=\"adatum\"} 1",
            "secure_score_partner_customer_consent_info{partner=\"provider\",entra_tenant_id=\"d\",url=\"https://login.example/d/adminconsent?client_id=c\"} 1",
        ];
        assert_eq!(samples.collect::<Vec<_>>(), expected);
        let all = text(&partner, Format::Text);
        let missing = expected.iter().find(|it| !all.contains(**it));
        assert_eq!(missing, None, "in\n{all}");
    }

    #[test]
    fn without_partners_there_is_no_line() {
        let blocks = PartnerBlocks::of(std::iter::empty());
        assert!(blocks.in_format(Format::Text).is_empty());
        assert!(
            PartnerBlocks::default()
                .in_format(Format::OpenMetrics)
                .is_empty()
        );
    }
}
