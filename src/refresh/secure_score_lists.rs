//! Applies the lists of Secure Score to a tenant.

use super::tenant_cell::{Update, complete};
use crate::graph::{Fetched, GraphError, KnownList, ListAnswer, Subject};
use secure_score_model::{Api, Catalogue, Report, SkippedField, Timestamp, is_future_day};
use std::sync::Arc;

impl Update<'_> {
    pub(super) fn apply_catalogue(
        &mut self,
        answer: ListAnswer<Catalogue>,
    ) -> Result<(), GraphError> {
        if let ListAnswer::Same(known) = &answer {
            let id = known.value.entra_tenant_id.as_ref();
            self.identify(Subject::Catalogue, id)?;
            let (now, max_staleness) = (self.cell.now(), self.max_staleness());
            if self.next.catalogue.confirm(known, now, max_staleness) {
                return Ok(());
            }
        }
        let fetched = answer.into_fetched();
        let Fetched { partial, .. } = fetched;
        let mut catalogue = fetched.value;
        self.identify(Subject::Catalogue, catalogue.entra_tenant_id.as_ref())?;
        let (cell, next) = (self.cell, &mut self.next);
        if catalogue.entries.is_empty() && next.had_controls {
            return Err(GraphError::emptied(Subject::Catalogue));
        }
        // Otherwise the same answer may become another catalogue later.
        let is_settled = next.future_dates.is_settled(&catalogue, cell.now())
            && catalogue.anomalies.count_skipped(SkippedField::Duplicate) == 0;
        let digest = fetched.digest.filter(|_| is_settled);
        let before = next.catalogue.last().map(|it| &*it.value);
        let future_dates = Arc::make_mut(&mut next.future_dates);
        future_dates.settle(&mut catalogue, before, cell.now());
        cell.interner().intern_catalogue(&mut catalogue);
        let max_staleness = next.settings.refresh.max_staleness;
        let merge = Catalogue::with_acceptances_of;
        if partial && next.catalogue.is_complete() {
            if let Some(merged) = next.catalogue.add_evidence(&catalogue, merge) {
                Arc::make_mut(&mut next.pins).learn(&merged);
            }
            return Err(GraphError::partial(Subject::Catalogue));
        }
        if partial {
            catalogue = next.catalogue.with_evidence(catalogue, merge);
        }
        let words = fetched.unknown_words;
        cell.logged
            .unknown_words(cell.alias(), Api::Profiles, words);
        next.had_controls |= !catalogue.entries.is_empty();
        next.categories_known = true;
        let catalogue = Arc::new(catalogue);
        let list = cell.list(&catalogue, partial);
        if next.catalogue.replace(list, digest, max_staleness) {
            let moves = Arc::make_mut(&mut next.pins).learn(&catalogue);
            cell.logged.moved_controls(cell.alias(), moves);
        }
        complete(partial, Subject::Catalogue)
    }

    pub(super) fn apply_report(
        &mut self,
        answer: ListAnswer<Option<Report>, Report>,
    ) -> Result<(), GraphError> {
        if let ListAnswer::Same(known) = &answer
            && self.confirm_report(known)?
        {
            return Ok(());
        }
        let fetched = answer.into_fetched();
        let Fetched { partial, .. } = fetched;
        let id = fetched.value.as_ref().map(|it| &it.entra_tenant_id);
        self.identify(Subject::Report, id)?;
        let (cell, next) = (self.cell, &mut self.next);
        let Some(mut report) = fetched.value else {
            // Microsoft computes the first report of a new tenant after days.
            return match next.had_report {
                true => Err(GraphError::emptied(Subject::Report)),
                false => Ok(()),
            };
        };
        let now = cell.now();
        if let Some(day) = report.as_of.filter(|day| is_future_day(*day, now)) {
            return Err(GraphError::future_report(Subject::Report, day));
        }
        if partial && next.report.is_complete() {
            return Err(GraphError::partial(Subject::Report));
        }
        if let Some(newer) = next.refuse_older(&report, now) {
            next.health.older_reports += 1;
            tracing::info!(
                tenant = %cell.alias(),
                newest = newer.as_seconds(),
                received = report.as_of.map(Timestamp::as_seconds),
                "Graph sent an older report than before; it is not used"
            );
            return Ok(());
        }
        let words = fetched.unknown_words;
        cell.logged.unknown_words(cell.alias(), Api::Scores, words);
        cell.interner().intern_report(&mut report);
        next.had_report = true;
        next.remember_score(&report);
        let list = cell.list(&Arc::new(report), partial);
        let max_staleness = next.settings.refresh.max_staleness;
        next.report.replace(list, fetched.digest, max_staleness);
        complete(partial, Subject::Report)
    }

    /// Notes that Graph sent the last report again, and returns whether it did. The
    /// day of a report is compared with the clock each time.
    fn confirm_report(&mut self, known: &KnownList<Report>) -> Result<bool, GraphError> {
        let report = &known.value;
        self.identify(Subject::Report, Some(&report.entra_tenant_id))?;
        let (now, max_staleness) = (self.cell.now(), self.max_staleness());
        let next = &mut self.next;
        let is_future = report.as_of.is_some_and(|day| is_future_day(day, now));
        if is_future || !next.report.confirm(known, now, max_staleness) {
            return Ok(false);
        }
        next.older_since = None;
        next.remember_score(report);
        Ok(true)
    }
}
