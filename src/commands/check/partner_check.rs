//! The check of one partner: its token, and its lists of customers.

use super::result::{CheckResult, GRANT, remove_permissions};
use super::servers::Servers;
use crate::commands::now;
use crate::config::{CustomerSource, Partner};
use crate::credentials::{PERMISSION, RECOMMENDATIONS_PERMISSION, TokenFacts};
use crate::graph::{Client, GraphError, RefreshPermit};
use secure_score_model::{CustomerList, SkippedCustomers, SkippedField};

pub(super) struct PartnerCheck<'a> {
    partner: &'a Partner,
    /// With tokens of the partner's own tenant.
    client: Client,
    pub(super) result: CheckResult,
}

impl<'a> PartnerCheck<'a> {
    pub(super) fn new(partner: &'a Partner, client: Client) -> Self {
        Self {
            client,
            result: CheckResult::new(&format!("partner {}", partner.name)),
            partner,
        }
    }

    /// The customers, unless their list cannot be read.
    pub(super) async fn run(
        &mut self,
        servers: &Servers,
        mut permit: RefreshPermit,
    ) -> Option<CustomerList> {
        let Partner {
            cloud, credential, ..
        } = self.partner;
        if let Some(expires) = credential.expires() {
            self.result.add_expiry(expires, credential.renewal(), now());
        }
        let entra = servers.unreachable_entra(*cloud, credential);
        if self.result.is_blocked(entra) {
            return None;
        }
        let facts = self.client.token_facts().await;
        let facts = self.result.unless_failed(facts)?;
        self.add_token(&facts);
        if self.result.is_blocked(servers.unreachable_graph(*cloud)) {
            return None;
        }
        let sources = &self.partner.sources;
        let fetched = self.client.customers(sources, &mut permit).await;
        let fetched = self.result.unless_failed(fetched)?;
        if let Some(subject) = fetched.partial {
            self.result.fail(&GraphError::partial(subject));
        }
        let list = fetched.list;
        self.add_skipped(&list);
        Some(list)
    }

    /// The GUID of the partner's own tenant, once a response showed it.
    pub(super) fn entra_tenant_id(&self) -> Option<String> {
        self.client.entra_tenant_id().map(str::to_owned)
    }

    /// Whether the token has the permission of each list, and no other one.
    fn add_token(&mut self, facts: &TokenFacts) {
        let Some(carried) = &facts.permissions else {
            self.result.warn(
                "token: obtained; its permissions cannot be read",
                "the requests below show whether they suffice",
            );
            return;
        };
        let has = |name: &str| carried.iter().any(|it| it == name);
        let sources = &self.partner.sources;
        let granted: Vec<&str> = sources.iter().map(|it| it.permissions()[0]).collect();
        let lacks = |source: &&CustomerSource| !source.permissions().into_iter().any(has);
        let missing: Vec<&str> = sources
            .iter()
            .filter(lacks)
            .map(|source| source.permissions()[0])
            .collect();
        let shown = match carried.as_slice() {
            [] => "no roles".to_owned(),
            roles => roles.join(", "),
        };
        if !missing.is_empty() {
            let text = format!("token: carries {shown} but not {}", missing.join(", "));
            self.result.warn(text, GRANT);
            return;
        }
        self.result.ok(format!("token: carries {shown}"));
        // The partner may watch its own tenant with the same application.
        let of_tenants = [PERMISSION, RECOMMENDATIONS_PERMISSION];
        let is_needed = |name: &&str| granted.contains(name) || of_tenants.contains(name);
        let needless = carried.iter().map(String::as_str);
        let needless: Vec<&str> = needless.filter(|it| !is_needed(it)).collect();
        if !needless.is_empty() {
            let read_only: Vec<&str> = granted.into_iter().filter(|it| !has(it)).collect();
            self.result.warn(
                format!("token: carries more than it needs: {}", needless.join(", ")),
                remove_permissions(&read_only),
            );
        }
    }

    fn add_skipped(&mut self, list: &CustomerList) {
        let skipped = &list.skipped;
        let described: Vec<String> = skipped.described().collect();
        if !described.is_empty() {
            self.result.warn(
                format!(
                    "customers: {} left out without a valid tenant id: {}",
                    described.len(),
                    described.join(", ")
                ),
                SkippedCustomers::REMEDY,
            );
        }
        for (count, what) in [
            (
                skipped.customers.saturating_sub(described.len() as u64),
                "further elements of the list that cannot be used",
            ),
            (
                skipped.relationships,
                "relationships that cannot be read, or whose customers cannot",
            ),
            (
                skipped.of(SkippedField::Duplicate),
                "entries for a customer that is listed already",
            ),
            (
                skipped.of(SkippedField::Date),
                "relationships without a valid end",
            ),
        ] {
            if count > 0 {
                self.result.warn(
                    format!("customers: {what}: {count}"),
                    "the rest of the list is used",
                );
            }
        }
        if skipped.own_tenant {
            self.result.warn(
                "customers: the partner's own tenant is in its list and is left out",
                "add it under tenants to watch it",
            );
        }
    }
}
