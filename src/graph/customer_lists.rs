//! The client's lists of a partner.

use super::answer_reader::AnswerReader;
use super::client::Client;
use super::customer_reader::CustomerReader;
use super::decode;
use super::error::GraphError;
use super::pages;
use super::refresh_permit::RefreshPermit;
use super::subject::Subject;
use crate::config::CustomerSource;
use secure_score_model::CustomerList;

/// The pages of 300 elements that a partner's list may have. The largest partners
/// have some ten thousand customers, each with several relationships that ended.
const MAX_CUSTOMER_PAGES: usize = 1_000;

/// The customers of a partner as fetched.
#[derive(Debug)]
pub struct FetchedCustomers {
    /// The customers.
    pub list: CustomerList,
    /// The first of the lists that Graph marked as incomplete (206).
    pub partial: Option<Subject>,
}

impl Client {
    /// The customers in these lists with their relationships, complete or an
    /// error. They are requested with the token of this client's tenant, which is
    /// the partner's own.
    pub async fn customers(
        &self,
        sources: &[CustomerSource],
        permit: &mut RefreshPermit,
    ) -> Result<FetchedCustomers, GraphError> {
        let mut reader = CustomerReader::default();
        let mut partial = None;
        for source in sources {
            let lists: &[Subject] = match source {
                CustomerSource::DelegatedAdminCustomers => {
                    &[Subject::Customers, Subject::Relationships]
                }
                CustomerSource::MultitenantOrganization => &[Subject::OrganizationMembers],
            };
            for subject in lists {
                let is_partial = self.customer_list(*subject, &mut reader, permit).await?;
                partial = partial.or(is_partial.then_some(*subject));
                reader.end_source_list(source.as_str());
            }
        }
        Ok(FetchedCustomers {
            list: reader.finish(self.entra_tenant_id().unwrap_or_default()),
            partial,
        })
    }

    async fn customer_list(
        &self,
        subject: Subject,
        reader: &mut CustomerReader,
        permit: &mut RefreshPermit,
    ) -> Result<bool, GraphError> {
        reader.begin_list();
        let first = pages::customer_list_url(subject, &self.root)?;
        let mut pages = AnswerReader::new(subject, None);
        let read = |page: &str| decode::customers_page(subject, reader, page);
        self.read_pages(first, MAX_CUSTOMER_PAGES, &mut pages, permit, read)
            .await?;
        decode::check_customers(reader, subject)?;
        Ok(pages.partial)
    }
}
