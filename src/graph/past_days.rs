//! The client's lists of past days.

use super::client::Client;
use super::decode::{self, DaysPage};
use super::error::GraphError;
use super::pages::{self, Fields, Links};
use super::refresh_permit::RefreshPermit;
use super::requests::GraphResponse;
use super::subject::Subject;
use secure_score_model::{DailyScore, Report};
use std::ops::ControlFlow;

/// Half a year of reports is twelve pages. The limit also allows a Graph that
/// ignores the page size and sends one report per page.
const MAX_REPORT_PAGES: usize = 200;

/// Ninety days are one page, and six where Graph refuses `$select`. An endless list
/// must not use up the requests of the minute.
const MAX_SCORE_PAGES: usize = 10;

/// What Graph has of the scores of past days, in any order.
#[derive(Debug, Default)]
pub struct PastScores {
    /// The days that could be read.
    pub days: Vec<DailyScore>,
    /// Whether they are all that Graph has.
    pub complete: bool,
}

impl Client {
    /// The scores of the days that Graph keeps: one request where it takes
    /// `$select`, otherwise page by page.
    pub async fn past_scores(&self, permit: &mut RefreshPermit) -> Result<PastScores, GraphError> {
        if self.score_select_refused.is_over() {
            match self.read_scores(Fields::Selected, permit).await {
                Err(error) if error.refuses_option() => self.score_select_refused.begin(),
                read => return read,
            }
        }
        self.read_scores(Fields::All, permit).await
    }

    async fn read_scores(
        &self,
        fields: Fields,
        permit: &mut RefreshPermit,
    ) -> Result<PastScores, GraphError> {
        let mut days = Vec::new();
        let incomplete = self
            .past_days(
                fields,
                MAX_SCORE_PAGES,
                permit,
                decode::daily_scores,
                |page| {
                    days.extend(page);
                    ControlFlow::Continue(())
                },
            )
            .await?;
        Ok(PastScores {
            days,
            complete: !incomplete,
        })
    }

    /// Passes the daily reports of Graph to `take`, page by page, until Graph
    /// has no more or `take` returns `Break`. Only one page is in memory at a
    /// time. Returns whether Graph marked a page as incomplete, or an element
    /// could not be read.
    ///
    /// The order is not guaranteed, and a day may occur twice: the list shifts
    /// when a report is added between two pages.
    pub async fn past_reports(
        &self,
        permit: &mut RefreshPermit,
        take: impl FnMut(Vec<Report>) -> ControlFlow<()>,
    ) -> Result<bool, GraphError> {
        self.past_days(Fields::All, MAX_REPORT_PAGES, permit, decode::reports, take)
            .await
    }

    /// The same for what `decode` makes of each page.
    async fn past_days<T>(
        &self,
        fields: Fields,
        max_pages: usize,
        permit: &mut RefreshPermit,
        decode: impl Fn(&str) -> Result<DaysPage<T>, GraphError>,
        mut take: impl FnMut(Vec<T>) -> ControlFlow<()>,
    ) -> Result<bool, GraphError> {
        let subject = Subject::Report;
        let first = pages::past_scores_url(&self.root, fields)?;
        let mut is_incomplete = false;
        let read = |response: GraphResponse, links: &mut Links<'_>| {
            let days = decode(&pages::text(response.searched()?))?;
            for tenant in &days.tenants {
                self.check_tenant(subject, tenant)?;
            }
            is_incomplete |= response.partial || days.unread > 0;
            let next = links.follow(days.next_link.as_deref())?;
            Ok(match take(days.elements) {
                ControlFlow::Break(()) => None,
                ControlFlow::Continue(()) => next,
            })
        };
        self.each_page(subject, first, max_pages, permit, read)
            .await?;
        Ok(is_incomplete)
    }
}
