//! Every tenant and every watched control.

use super::{Standing, Subject};
use crate::store::{TenantState, Tenants};
use secure_score_model::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How many tenants are in each standing.
type Counts = [usize; Standing::ALL.len()];

/// The standing of each tenant with each control or recommendation that is on the
/// watch list of one of them.
#[derive(Debug)]
pub(crate) struct WatchedMatrix<'a> {
    /// Those most often accepted without a decision first.
    pub(crate) controls: Vec<WatchedControl<'a>>,
    /// Those with the most to decide first.
    pub(crate) rows: Vec<MatrixRow<'a>>,
    /// How many controls are not among these.
    pub(crate) left_out: usize,
}

/// A control or a recommendation, by its name in the first tenant that has it.
#[derive(Debug, Clone)]
pub(crate) struct WatchedControl<'a> {
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    counts: Counts,
}

/// A tenant, with its standing for each of the controls.
#[derive(Debug)]
pub(crate) struct MatrixRow<'a> {
    pub(crate) tenant: &'a TenantState,
    pub(crate) standings: Vec<Standing>,
}

impl<'a> WatchedMatrix<'a> {
    /// Of these tenants at a time.
    pub(crate) fn new(tenants: &'a Tenants, now: Timestamp) -> Self {
        let watched = tenants.states.iter();
        let watched: Vec<Vec<Subject<'a>>> = watched.map(|it| Subject::watched(it)).collect();
        // One control has one name in all tenants, apart from its case.
        let mut indices: BTreeMap<String, usize> = BTreeMap::new();
        let mut controls: Vec<WatchedControl<'a>> = Vec::new();
        for subject in watched.iter().flatten() {
            indices
                .entry(subject.name().to_ascii_lowercase())
                .or_insert_with(|| {
                    controls.push(WatchedControl::new(subject));
                    controls.len() - 1
                });
        }
        let rows = tenants.states.iter().zip(&watched).map(|(tenant, own)| {
            let mut standings = vec![absent(tenant); controls.len()];
            for subject in own {
                let index = indices.get(&subject.name().to_ascii_lowercase());
                if let Some(cell) = index.and_then(|index| standings.get_mut(*index)) {
                    *cell = subject.standing(now);
                }
            }
            MatrixRow { tenant, standings }
        });
        let rows: Vec<MatrixRow<'a>> = rows.collect();
        let matrix = Self {
            controls,
            rows,
            left_out: 0,
        };
        matrix.counted().sorted()
    }

    fn counted(mut self) -> Self {
        for row in &self.rows {
            for (control, standing) in self.controls.iter_mut().zip(&row.standings) {
                add(&mut control.counts, *standing);
            }
        }
        self
    }

    fn sorted(self) -> Self {
        let mut order: Vec<usize> = (0..self.controls.len()).collect();
        order.sort_by_key(|index| {
            let control = self.controls.get(*index);
            control.map(|it| (Reverse(it.counts), it.name))
        });
        let mut matrix = self.selecting(&order);
        matrix.sort_rows();
        matrix
    }

    fn sort_rows(&mut self) {
        self.rows.sort_by_cached_key(|row| Reverse(row.counts()));
    }

    /// The controls at these places, in this order.
    fn selecting(self, order: &[usize]) -> Self {
        let controls = order.iter().filter_map(|index| self.controls.get(*index));
        let controls: Vec<_> = controls.cloned().collect();
        let rows = self.rows.into_iter().map(|row| {
            let standings = order.iter().filter_map(|index| row.standings.get(*index));
            MatrixRow {
                standings: standings.copied().collect(),
                tenant: row.tenant,
            }
        });
        Self {
            rows: rows.collect(),
            left_out: self.left_out + self.controls.len() - controls.len(),
            controls,
        }
    }

    /// The first controls.
    pub(crate) fn first(self, number: usize) -> Self {
        let order: Vec<usize> = (0..self.controls.len().min(number)).collect();
        self.selecting(&order)
    }

    /// The control of this name, in any case.
    pub(crate) fn only(self, name: &str) -> Self {
        let index = self.controls.iter().position(|it| it.has_name(name));
        let order: Vec<usize> = index.into_iter().collect();
        let mut matrix = Self {
            left_out: 0,
            ..self.selecting(&order)
        };
        matrix.sort_rows();
        matrix
    }
}

impl<'a> WatchedControl<'a> {
    fn new(subject: &Subject<'a>) -> Self {
        Self {
            name: subject.name(),
            title: subject.title(),
            counts: Counts::default(),
        }
    }

    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// How many tenants are in each standing that one is in.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Standing, usize)> {
        let counts = Standing::ALL.into_iter().zip(self.counts);
        counts.filter(|(_, number)| *number > 0)
    }
}

impl MatrixRow<'_> {
    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for standing in &self.standings {
            add(&mut counts, *standing);
        }
        counts
    }

    /// How many controls need attention.
    pub(crate) fn needing_attention(&self) -> usize {
        let standings = self.standings.iter();
        standings.filter(|it| it.needs_attention()).count()
    }
}

fn add(counts: &mut Counts, standing: Standing) {
    if let Some(count) = counts.get_mut(standing as usize) {
        *count += 1;
    }
}

/// Of a control that a tenant does not list.
fn absent(tenant: &TenantState) -> Standing {
    match tenant.snapshot.catalogue_anomalies {
        Some(_) => Standing::NotScored,
        None => Standing::Unknown,
    }
}
