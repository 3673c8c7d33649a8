//! What `init` needs to know.

use super::questions::Questions;
use crate::cli::{Init, InitValue};
use crate::commands::Failure;
use crate::config::{Cloud, consent_url};

/// Prometheus on the exporter's machine reaches it here.
const EXPORTER_ADDRESS: &str = "127.0.0.1:10365";

/// Stands for a customer's GUID or domain in an address.
const CUSTOMER: &str = "CUSTOMER";

/// What the files consist of.
pub(super) struct Answers {
    pub(super) subject: Subject,
    pub(super) tenant_id: String,
    pub(super) name: String,
    /// The application for the tenant, or for each customer.
    pub(super) client_id: String,
    pub(super) cloud: Cloud,
    pub(super) exporter_address: String,
    pub(super) receiver: String,
    pub(super) mail: Option<Mail>,
}

/// What is watched.
pub(super) enum Subject {
    Tenant,
    /// The customers of a partner, in whose own tenant this application is.
    Partner {
        client_id: String,
    },
}

impl Subject {
    /// Refuses one application for the list of customers and for the customers.
    fn check(&self, of_customers: &str) -> Result<(), Failure> {
        match self {
            Self::Partner { client_id }
                if !client_id.is_empty() && client_id.eq_ignore_ascii_case(of_customers) =>
            {
                let (first, second) = (InitValue::ClientId, InitValue::PartnerClientId);
                let error = anyhow::anyhow!(
                    "{} and {} are the same application {client_id}; nothing was written",
                    first.flag(),
                    second.flag()
                );
                let hint = "register two: each customer's consent to the first would include the permission of the second to read the list of customers";
                Err(Failure::of_flags(error, hint))
            }
            Self::Tenant | Self::Partner { .. } => Ok(()),
        }
    }
}

/// How the receiver gets mail.
pub(super) struct Mail {
    pub(super) address: String,
    pub(super) smarthost: String,
}

impl Answers {
    /// Takes the flags, and asks for the rest. Without a terminal an error
    /// names every missing flag.
    pub(super) fn collect(flags: &Init, mut questions: Questions<'_>) -> Result<Self, Failure> {
        let is_partner = match (&flags.tenant, &flags.partner, &flags.partner_client_id) {
            (Some(_), ..) => false,
            (None, None, None) => questions.watches_partner()?,
            _ => true,
        };
        let (value, given) = match is_partner {
            true => (InitValue::Partner, &flags.partner),
            false => (InitValue::Tenant, &flags.tenant),
        };
        let tenant_id = questions.required(value, given, None)?;
        let proposed = first_label(&tenant_id);
        let name = questions.name(&flags.name, proposed)?;
        let client_id = questions.required(InitValue::ClientId, &flags.client_id, None)?;
        let subject = match is_partner {
            true => Subject::Partner {
                client_id: questions.second_application(
                    InitValue::PartnerClientId,
                    &flags.partner_client_id,
                    &client_id,
                )?,
            },
            false => Subject::Tenant,
        };
        subject.check(&client_id)?;
        let exporter_address = questions.required(
            InitValue::ExporterAddress,
            &flags.exporter_address,
            Some(EXPORTER_ADDRESS),
        )?;
        let mail = match questions.optional(InitValue::AlertEmail, &flags.alert_email)? {
            Some(address) => Some(Mail {
                smarthost: questions.required(InitValue::Smarthost, &flags.smarthost, None)?,
                address,
            }),
            None => None,
        };
        questions.finish()?;
        Ok(Self {
            subject,
            tenant_id,
            name,
            client_id,
            cloud: flags.cloud,
            exporter_address,
            receiver: flags.receiver.clone(),
            mail,
        })
    }

    /// Who consents, and where.
    pub(super) fn consent_urls(&self) -> Vec<(String, String)> {
        let login = self.cloud.login().unwrap_or_default();
        let url = |tenant_id: &str, client_id: &str| consent_url(login, tenant_id, client_id);
        let tenant_id = self.tenant_id.as_str();
        match &self.subject {
            Subject::Tenant => {
                let tenant = format!("the tenant {tenant_id}");
                vec![(tenant, url(tenant_id, &self.client_id))]
            }
            Subject::Partner { client_id } => vec![
                (
                    format!("your own tenant {tenant_id}, for its list of customers"),
                    url(tenant_id, client_id),
                ),
                (
                    format!("each customer, with its tenant id or domain for {CUSTOMER}"),
                    url(CUSTOMER, &self.client_id),
                ),
            ],
        }
    }
}

/// The first label of a domain; a GUID has none.
fn first_label(tenant_id: &str) -> Option<&str> {
    let (label, _) = tenant_id.split_once('.')?;
    Some(label)
}
