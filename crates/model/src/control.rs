//! Controls, the security measures that Microsoft recommends: the catalogue, the
//! scores, and the configuration's rules about them.

use crate::label_values::label_values;
use crate::points::rounded;
use crate::{
    Anomalies, Category, Decision, History, Level, MinimumReason, Points, RecommendationCategory,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

label_values! {
    /// How close to the core of security Microsoft puts a control.
    pub enum Tier {
        /// The basics.
        Core = "core",
        /// A second line of defence.
        DefenseInDepth = "defense_in_depth",
        /// For mature organisations.
        Advanced = "advanced",
        /// Missing, or a word outside this set.
        Unknown = "unknown",
    }
}

label_values! {
    /// The kind of work that a control requires.
    pub enum ActionType {
        /// Change a setting.
        Config = "config",
        /// Review something regularly.
        Review = "review",
        /// Train users.
        Behavior = "behavior",
        /// Missing, or a word outside this set.
        Unknown = "unknown",
    }
}

/// One control as the tenant's catalogue describes it.
///
/// The catalogue also lists controls of products that the tenant does not own,
/// so an entry does not imply that the control is scored.
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// Graph's id of the control.
    pub id: Arc<str>,
    /// The title in the portal; not unique.
    pub title: Arc<str>,
    /// The area in which the control counts.
    pub category: Category,
    /// The Microsoft product to which it belongs (Graph: `service`).
    pub product: Arc<str>,
    /// Core, defence in depth or advanced.
    pub tier: Tier,
    /// How much users will notice it.
    #[serde(rename = "impact")]
    pub user_impact: Level,
    /// How much work it is.
    #[serde(rename = "cost")]
    pub implementation_cost: Level,
    /// Setting, review or behaviour.
    #[serde(rename = "action")]
    pub action_type: ActionType,
    /// The maximum of points, where Graph sends a valid number.
    #[serde(rename = "max")]
    pub max_score: Option<Points>,
    /// Whether Microsoft has withdrawn it.
    pub deprecated: bool,
    /// Where an administrator can fix it.
    #[serde(rename = "url")]
    pub action_url: Option<Arc<str>>,
    /// What administrators declared about it over time.
    #[serde(rename = "changes")]
    pub history: History,
}

impl CatalogueEntry {
    /// An entry of which only the id is known: the id is its title, every word
    /// is unknown, and it has no history.
    pub fn new(id: &str) -> Self {
        let id: Arc<str> = id.into();
        Self {
            title: Arc::clone(&id),
            id,
            category: Category::Unknown,
            product: Arc::default(),
            tier: Tier::Unknown,
            user_impact: Level::Unknown,
            implementation_cost: Level::Unknown,
            action_type: ActionType::Unknown,
            max_score: None,
            deprecated: false,
            action_url: None,
            history: History::default(),
        }
    }
}

/// A tenant's catalogue of controls (Graph: `secureScoreControlProfiles`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// Graph's `azureTenantId`, unchanged; missing in an empty catalogue.
    #[serde(rename = "id")]
    pub entra_tenant_id: Option<Arc<str>>,
    /// The controls, each id once.
    pub entries: Vec<Arc<CatalogueEntry>>,
    /// Values of the answer that could not be used.
    #[serde(rename = "odd")]
    pub anomalies: Anomalies,
}

impl Catalogue {
    /// Lines of the watch list that match none of its controls.
    pub fn unmatched_watches(&self, rules: &impl ControlRules) -> Vec<Arc<str>> {
        let ids: Vec<&str> = self.entries.iter().map(|entry| &*entry.id).collect();
        rules.unmatched_watches(&ids)
    }
}

/// The configuration of controls.
pub trait ControlRules {
    /// The configured category of a control.
    fn category_override(&self, id: &str) -> Option<Category>;
    /// Whether series of a control are exported.
    fn selects(&self, id: &str, category: Category) -> bool;
    /// Whether series of a recommendation of Entra are exported.
    fn selects_recommendation(&self, _names: &[&str], _category: RecommendationCategory) -> bool {
        true
    }
    /// Whether a control, or a recommendation by its name or type, is on the watch
    /// list.
    fn watches(&self, id: &str) -> bool;
    /// Lines of the watch list that match none of these ids.
    fn unmatched_watches(&self, ids: &[&str]) -> Vec<Arc<str>>;
    /// How long the reason of an acceptance is at least.
    fn minimum_reason(&self) -> MinimumReason {
        MinimumReason::default()
    }
    /// The decisions of the tenant.
    fn decisions(&self) -> Vec<Arc<Decision>>;
    /// The decisions of the tenant that name a control.
    fn decisions_of(&self, id: &str) -> Vec<Arc<Decision>>;
    /// The decisions of the tenant that name a recommendation of Entra. They
    /// approve one recommendation, so its type alone does not count.
    fn decisions_of_recommendation(&self, _name: &str) -> Vec<Arc<Decision>> {
        Vec::new()
    }
}

/// The most controls outside the catalogue whose category is kept: answers whose
/// ids always change must not fill the memory. Microsoft's catalogue has some
/// hundred controls.
const MAX_UNLISTED_PINS: usize = 5_000;

/// The category under which each control is exported, whatever Graph sends later.
///
/// Microsoft moves controls between categories. A changed `category` label
/// would break every graph and restart every alert, so the first category is
/// kept. The configuration can override it.
///
/// Controls that left the catalogue keep their category, as many as
/// [`MAX_UNLISTED_PINS`], since they may return.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CategoryPins(pub(crate) BTreeMap<Arc<str>, Category>);

impl CategoryPins {
    /// Pins the category of each new control and returns the known controls
    /// whose category differs now.
    ///
    /// An unknown category is not pinned: the next catalogue may have a better
    /// one.
    pub fn learn(&mut self, catalogue: &Catalogue) -> Vec<Recategorised> {
        let known = self.0.len();
        let mut moved = Vec::new();
        let entries = catalogue.entries.iter();
        for entry in entries.filter(|entry| entry.category != Category::Unknown) {
            let pin = self.0.entry(Arc::clone(&entry.id));
            let pinned = *pin.or_insert(entry.category);
            if pinned != entry.category {
                moved.push(Recategorised {
                    control: Arc::clone(&entry.id),
                    kept: pinned,
                    seen: entry.category,
                });
            }
        }
        if self.0.len() > known {
            self.pack();
        }
        self.forget_unlisted(catalogue);
        moved
    }

    /// Moves the pins together in memory. A map that grew in the order of its keys has
    /// nodes that are half empty; a collected one fills them.
    fn pack(&mut self) {
        self.0 = std::mem::take(&mut self.0).into_iter().collect();
    }

    fn forget_unlisted(&mut self, catalogue: &Catalogue) {
        if self.0.len() <= MAX_UNLISTED_PINS {
            return;
        }
        let listed: HashSet<&str> = catalogue.entries.iter().map(|it| &*it.id).collect();
        let unlisted = self.0.keys().filter(|id| !listed.contains(&***id));
        // By their ids: the same ones in every run.
        let unlisted: Vec<Arc<str>> = unlisted.map(Arc::clone).collect();
        for id in unlisted.iter().skip(MAX_UNLISTED_PINS) {
            self.0.remove(id);
        }
    }

    /// Each control with its category, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Category)> {
        self.0.iter().map(|(id, category)| (&**id, *category))
    }

    pub(crate) fn category(&self, id: &str) -> Option<Category> {
        self.0.get(id).copied()
    }
}

impl FromIterator<(Arc<str>, Category)> for CategoryPins {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Category)>>(pins: I) -> Self {
        Self(pins.into_iter().collect())
    }
}

/// A control whose category in Graph differs from its pin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recategorised {
    /// Its id.
    pub control: Arc<str>,
    /// The category that the exporter keeps.
    pub kept: Category,
    /// The category that Graph sends now.
    pub seen: Category,
}

/// The most by which rounding to two decimals changes points or a percentage.
const ROUNDING: f64 = 0.005 + 1e-9;

/// One control as a daily report scores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlScore {
    /// Graph's `controlName`, equal to the id in the catalogue.
    pub id: Arc<str>,
    /// The area in the report; the catalogue's category takes precedence.
    pub category: Category,
    /// Points reached.
    pub score: Points,
    /// Share of the maximum, 0 to 100, where Graph sends it.
    pub percentage: Option<f64>,
    /// When the product last reported to Secure Score.
    #[serde(rename = "synced")]
    pub last_synced: Option<Timestamp>,
    /// A human sentence such as "1 of 3 administrators"; never parsed.
    #[serde(rename = "status")]
    pub implementation_status: Option<Arc<str>>,
    /// What Microsoft says about the control, in HTML as sent, up to 2,000 bytes. It is
    /// not saved: the first answer after a restart has it again.
    #[serde(skip)]
    pub description: Option<Arc<str>>,
}

impl ControlScore {
    /// A score of which only the points are known.
    pub fn new(id: &str, category: Category, score: Points) -> Self {
        Self {
            id: id.into(),
            category,
            score,
            percentage: None,
            last_synced: None,
            implementation_status: None,
            description: None,
        }
    }

    /// The maximum that follows from points and percentage.
    ///
    /// Both are rounded, so many maxima fit: 7.83 points at 97.88 % mean 8
    /// points, not 7.999591. The listed maximum is taken where it fits, else
    /// the fitting one with the fewest decimals. At zero points or per cent the
    /// maximum is unknown, and none is guessed.
    pub fn implied_max(&self, listed: Option<Points>) -> Option<Points> {
        let percentage = self.percentage.filter(|share| *share > 0.0)?;
        if self.score.get() == 0.0 {
            return None;
        }
        let exact = self.score.get() * 100.0 / percentage;
        let by_decimals = [1.0, 10.0, 100.0].map(|parts| (exact * parts).round() / parts);
        let by_decimals = by_decimals.into_iter().filter_map(Points::new);
        let fits = |max: &Points| {
            let error = max.get() * percentage / 100.0 - self.score.get();
            error.abs() <= ROUNDING + max.get() * ROUNDING / 100.0
        };
        let by_decimals = by_decimals.filter(|max| max.get() > 0.0);
        let mut fitting = listed.into_iter().chain(by_decimals).filter(fits);
        fitting.next().or_else(|| Points::new(rounded(exact)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maximum_follows_from_points_and_percentage() {
        let score = |points, percentage| ControlScore {
            percentage,
            ..ControlScore::new("A", Category::Apps, Points::new(points).unwrap())
        };
        let implied = |points, percentage| score(points, percentage).implied_max(None);
        assert_eq!(implied(3.5, Some(70.0)), Points::new(5.0));
        assert_eq!(implied(7.83, Some(97.88)), Points::new(8.0));
        assert_eq!(implied(0.5, Some(33.33)), Points::new(1.5));
        assert_eq!(implied(2.51, Some(100.0)), Points::new(2.51));
        assert_eq!(implied(2.0, Some(33.333_333)), Points::new(6.0));
        assert_eq!(implied(0.004, Some(1.0)), Points::new(0.4));
        assert_eq!(implied(0.0, Some(0.0)), None);
        assert_eq!(implied(0.0, Some(0.04)), None);
        assert_eq!(implied(1.0, Some(-1.0)), None);
        assert_eq!(implied(1.0, None), None);
        let listed = |max| score(7.83, Some(97.88)).implied_max(Points::new(max));
        assert_eq!(listed(8.004), Points::new(8.004), "it fits");
        assert_eq!(listed(9.0), Points::new(8.0), "it changed");
    }

    fn catalogue(category: Category) -> Catalogue {
        Catalogue {
            entries: vec![Arc::new(CatalogueEntry {
                category,
                ..CatalogueEntry::new("A")
            })],
            ..Catalogue::default()
        }
    }

    #[test]
    fn the_pins_of_controls_outside_the_catalogue_are_bounded() {
        let mut pins = CategoryPins::default();
        let listing = |round: usize| {
            let entry = |number: usize| CatalogueEntry {
                category: Category::Apps,
                ..CatalogueEntry::new(&format!("{round:02}/{number:04}"))
            };
            Catalogue {
                entries: (0..1_000).map(|it| Arc::new(entry(it))).collect(),
                ..Catalogue::default()
            }
        };
        for round in 0..20 {
            pins.learn(&listing(round));
        }
        assert_eq!(pins.iter().count(), 6_000, "those listed and 5,000 others");
        assert_eq!(pins.category("19/0999"), Some(Category::Apps));
    }

    #[test]
    fn the_first_known_category_is_pinned() {
        let mut pins = CategoryPins::default();
        assert_eq!(pins.learn(&catalogue(Category::Unknown)), []);
        assert_eq!(pins.iter().count(), 0);
        assert_eq!(pins.learn(&catalogue(Category::Apps)), []);
        assert_eq!(pins.learn(&catalogue(Category::Unknown)), []);
        let moved = Recategorised {
            control: "A".into(),
            kept: Category::Apps,
            seen: Category::Data,
        };
        assert_eq!(pins.learn(&catalogue(Category::Data)), [moved]);
        let pinned: Vec<_> = pins.iter().collect();
        assert_eq!(pinned, [("A", Category::Apps)]);
        assert_eq!(pins, [("A".into(), Category::Apps)].into_iter().collect());
    }
}
