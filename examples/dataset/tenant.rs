//! A tenant as Microsoft would describe it at a moment.

use crate::dice::roll;
use crate::entra;
use crate::story::{
    ADDED, APPROVALS, CHANGES, ORGANISATIONS, Organisation, TURNS, WATCHED, WITHDRAWN,
};
use crate::{DAY, END, HOUR};
use secure_score_model::{
    ActionType, Anomalies, Basis, Catalogue, CatalogueEntry, Category, CategoryComparison,
    CategoryPins, Comparison, ControlRules, ControlScore, ControlState, Decision, DecisionState,
    History, Level, Points, Report, StateUpdate, TenantIdentity, TenantSnapshot, Tier, Timestamp,
};
use std::error::Error;
use std::sync::Arc;

/// The invented controls the simulator has, too.
const CONTROLS: &str = include_str!("../../crates/graph-simulator/src/catalogue.tsv");

/// Hours into the day at which Microsoft's daily run is done.
const DAILY_RUN: i64 = 8 * HOUR;

pub(crate) struct Tenant {
    pub(crate) organisation: &'static Organisation,
    pub(crate) identity: TenantIdentity,
    measures: Vec<Measure>,
    decisions: Vec<Arc<Decision>>,
}

/// One line of the catalogue.
struct Measure {
    id: &'static str,
    title: &'static str,
    category: Category,
    product: &'static str,
    points: f64,
    tier: Tier,
    user_impact: Level,
    cost: Level,
    scored: bool,
}

impl Tenant {
    pub(crate) fn all() -> Result<Vec<Self>, Box<dyn Error>> {
        ORGANISATIONS.iter().map(Self::new).collect()
    }

    fn new(organisation: &'static Organisation) -> Result<Self, Box<dyn Error>> {
        let mut measures = Vec::new();
        for line in CONTROLS.lines().filter(|line| !line.starts_with('#')) {
            let measure = Measure::read(line, organisation)?;
            if measure.scored || roll(&[organisation.name, measure.id, "listed"]) < 3 {
                measures.push(measure);
            }
        }
        let expires = organisation.credential_days;
        Ok(Self {
            organisation,
            identity: TenantIdentity {
                alias: organisation.name.into(),
                entra_tenant_id: Some(organisation.entra_id.into()),
                display_name: organisation.display_name.into(),
                cloud: organisation.cloud,
                target: organisation.target,
                credential_expires: expires.map(|days| Timestamp::from_seconds(END + days * DAY)),
            },
            measures,
            decisions: decisions(organisation.name),
        })
    }

    /// All that is known at a moment, with the report of another.
    pub(crate) fn snapshot(&self, now: i64, reported: i64) -> TenantSnapshot {
        let report = Arc::new(self.report(reported));
        let catalogue = self.catalogue(now);
        TenantSnapshot::join(
            Some(&catalogue),
            Some(report),
            &CategoryPins::default(),
            self,
        )
        .with_recommendations(
            self.recommendations(now).as_ref(),
            &self.statuses(now),
            self.identity_score(reported),
            self,
        )
    }

    /// The control that has the name of a recommendation.
    fn named(&self, recommendation: &str) -> Option<&Measure> {
        let mut measures = self.measures.iter();
        measures.find(|it| it.id.eq_ignore_ascii_case(recommendation))
    }

    /// The maximum of the control of a recommendation's name.
    pub(crate) fn scored_points(&self, recommendation: &str) -> Option<f64> {
        Some(self.named(recommendation)?.points)
    }

    /// How much of that control is done, whatever was declared.
    pub(crate) fn scored_share(&self, recommendation: &str, now: i64) -> Option<f64> {
        let (measure, day) = (self.named(recommendation)?, now.div_euclid(DAY) * DAY);
        let turned = self.turned(measure, day);
        Some(turned.unwrap_or_else(|| self.usual(measure, day)))
    }

    fn catalogue(&self, now: i64) -> Catalogue {
        let listed = self.measures.iter().filter(|it| it.is_listed(now));
        let entries = listed.map(|it| Arc::new(it.entry(self.history(it.id, now))));
        Catalogue {
            entra_tenant_id: Some(self.organisation.entra_id.into()),
            entries: entries.collect(),
            anomalies: Anomalies::default(),
        }
    }

    fn history(&self, control: &str, now: i64) -> History {
        let made = CHANGES.iter().filter(|change| {
            change.tenant == self.organisation.name
                && change.control == control
                && change.at() <= now
        });
        let updates = made.map(|change| StateUpdate {
            at: Some(Timestamp::from_seconds(change.at())),
            by: Some(change.by.into()),
            comment: Some(change.comment.into()),
            ..StateUpdate::new(change.state)
        });
        History::from_updates(updates.collect())
    }

    /// The newest report at that moment: of the day whose run is done.
    fn report(&self, now: i64) -> Report {
        let day = (now - DAILY_RUN).div_euclid(DAY) * DAY;
        let scored = self
            .measures
            .iter()
            .filter(|it| it.scored && it.is_listed(day));
        let scores: Vec<_> = scored.map(|it| Arc::new(self.score(it, day))).collect();
        let maximum = self
            .measures
            .iter()
            .filter(|it| it.scored && it.is_listed(day));
        Report {
            entra_tenant_id: self.organisation.entra_id.into(),
            as_of: Some(Timestamp::from_seconds(day)),
            current_score: Some(scores.iter().map(|it| it.score).sum()),
            max_score: Some(maximum.map(|it| points(it.points)).sum()),
            active_users: Some(self.organisation.users),
            licensed_users: Some(self.organisation.users - self.organisation.users / 40),
            comparisons: self.comparisons(day),
            scores,
            anomalies: Anomalies::default(),
        }
    }

    fn score(&self, measure: &Measure, day: i64) -> ControlScore {
        let share = self.share(measure, day);
        let lag = roll(&[self.organisation.name, measure.id, "lag"]) as i64;
        ControlScore {
            id: measure.id.into(),
            category: measure.category,
            score: points((measure.points * share * 100.0).round() / 100.0),
            percentage: Some(share * 100.0),
            // Most products report every few hours, some have stopped.
            last_synced: Some(Timestamp::from_seconds(
                day - if lag > 94 { 12 * DAY } else { lag * 600 },
            )),
            implementation_status: None,
            description: None,
        }
    }

    /// Accepted brings nothing, and a claim brings everything.
    fn share(&self, measure: &Measure, day: i64) -> f64 {
        match self.history(measure.id, day).state() {
            ControlState::RiskAccepted => 0.0,
            ControlState::ThirdParty | ControlState::AlternateMitigation => 1.0,
            _ => self
                .turned(measure, day)
                .unwrap_or_else(|| self.usual(measure, day)),
        }
    }

    fn turned(&self, measure: &Measure, day: i64) -> Option<f64> {
        let mut turns = TURNS.iter().filter(|(tenant, control, days, _)| {
            *tenant == self.organisation.name && *control == measure.id && END - days * DAY <= day
        });
        turns.next_back().map(|(_, _, _, share)| *share)
    }

    fn usual(&self, measure: &Measure, day: i64) -> f64 {
        let name = self.organisation.name;
        if roll(&[name, measure.id, "done"]) < self.organisation.maturity {
            return 1.0;
        }
        let improves = roll(&[name, measure.id, "improves"]);
        let since = END - (1 + improves as i64) * DAY;
        if improves < 28 && since <= day {
            return 1.0;
        }
        (roll(&[name, measure.id, "share"]) / 20) as f64 / 10.0
    }

    fn comparisons(&self, day: i64) -> Vec<Comparison> {
        let drift = (day - END) as f64 / (30 * DAY) as f64;
        Basis::ALL
            .into_iter()
            .map(|basis| {
                let of = |word: &str, low: u64, high: u64| {
                    let users = self.organisation.users.to_string();
                    let roll = roll(&[basis.as_str(), word, &users]);
                    low as f64 + (high - low) as f64 * roll as f64 / 100.0
                };
                let categories = [
                    Category::Identity,
                    Category::Data,
                    Category::Device,
                    Category::Apps,
                ];
                Comparison {
                    basis,
                    ratio: Some(of("ratio", 44, 58) / 100.0 + drift * 0.02),
                    categories: categories
                        .map(|category| {
                            let maximum = of(category.as_str(), 60, 140).round();
                            let share = of(&format!("share {category}"), 40, 65) / 100.0;
                            CategoryComparison {
                                category,
                                score: Some(points(
                                    ((share + drift * 0.02) * maximum * 10.0).round() / 10.0,
                                )),
                                max_score: Some(points(maximum)),
                            }
                        })
                        .into(),
                }
            })
            .collect()
    }
}

impl ControlRules for Tenant {
    fn category_override(&self, _: &str) -> Option<Category> {
        None
    }

    fn selects(&self, _: &str, _: Category) -> bool {
        true
    }

    fn watches(&self, id: &str) -> bool {
        WATCHED.contains(&id)
    }

    fn unmatched_watches(&self, _: &[&str]) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn decisions(&self) -> Vec<Arc<Decision>> {
        self.decisions.clone()
    }

    fn decisions_of(&self, id: &str) -> Vec<Arc<Decision>> {
        let all = self.decisions.iter();
        all.filter(|it| it.control.as_deref() == Some(id))
            .cloned()
            .collect()
    }

    fn decisions_of_recommendation(&self, name: &str) -> Vec<Arc<Decision>> {
        let all = self.decisions.iter();
        all.filter(|it| it.recommendation.as_deref() == Some(name))
            .cloned()
            .collect()
    }
}

impl Measure {
    fn read(line: &'static str, organisation: &Organisation) -> Result<Self, Box<dyn Error>> {
        let fields: Vec<&'static str> = line.split('\t').collect();
        let &[
            id,
            category,
            product,
            maximum,
            tier,
            user_impact,
            cost,
            _,
            title,
        ] = fields.as_slice()
        else {
            return Err(format!("not a line of the catalogue: {line}").into());
        };
        let category = category.parse().map_err(|it| format!("{id}: {it}"))?;
        let in_the_story = WATCHED.contains(&id)
            || ADDED
                .iter()
                .chain(WITHDRAWN)
                .any(|(control, _)| *control == id)
            || CHANGES
                .iter()
                .any(|it| it.control == id && it.tenant == organisation.name);
        // Few controls carry the area of data; without it there is none to show.
        let breadth = organisation.breadth * if category == Category::Data { 4 } else { 1 };
        Ok(Self {
            id,
            title,
            category,
            product,
            points: maximum.parse()?,
            tier: named(tier, Tier::ALL, Tier::as_str, Tier::Unknown),
            user_impact: named(user_impact, Level::ALL, Level::as_str, Level::Unknown),
            cost: named(cost, Level::ALL, Level::as_str, Level::Unknown),
            scored: in_the_story || roll(&[organisation.name, id, "scored"]) < breadth,
        })
    }

    fn is_listed(&self, now: i64) -> bool {
        let day = |table: &[(&str, i64)]| {
            let row = table.iter().find(|(control, _)| *control == self.id);
            row.map(|(_, days)| END - days * DAY)
        };
        day(ADDED).is_none_or(|day| now >= day) && day(WITHDRAWN).is_none_or(|day| now < day)
    }

    fn entry(&self, history: History) -> CatalogueEntry {
        CatalogueEntry {
            title: self.title.into(),
            category: self.category,
            product: self.product.into(),
            tier: self.tier,
            user_impact: self.user_impact,
            implementation_cost: self.cost,
            action_type: ActionType::Config,
            max_score: Points::new(self.points),
            history,
            ..CatalogueEntry::new(self.id)
        }
    }
}

/// The member of a closed set a word of the catalogue means.
fn named<T: Copy, const N: usize>(
    word: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
    other: T,
) -> T {
    let word = word.to_lowercase().replace(' ', "_");
    let mut members = all.into_iter();
    members.find(|it| name(*it) == word).unwrap_or(other)
}

/// A decision for a control of a tenant that ends this many days after the end.
pub(crate) fn decision(tenant: &str, control: &str, reference: &str, days: i64) -> Decision {
    Decision {
        tenants: vec![tenant.into()],
        states: DecisionState::ALL.to_vec(),
        ..Decision::new(
            control,
            reference,
            Timestamp::from_seconds(END + days * DAY),
        )
    }
}

fn decisions(tenant: &'static str) -> Vec<Arc<Decision>> {
    let of_tenant = APPROVALS.iter().filter(|(of, ..)| *of == tenant);
    let written = |(_, control, reference, days): &(&str, &str, &str, i64)| {
        Arc::new(decision(tenant, control, reference, *days))
    };
    of_tenant
        .map(written)
        .chain(entra::decisions(tenant))
        .collect()
}

/// Points that are sane by the way they were made.
fn points(value: f64) -> Points {
    Points::new(value).unwrap_or(Points::ZERO)
}
