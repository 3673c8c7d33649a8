//! A control: one security measure Microsoft recommends.

use super::{Category, History, Points, Timestamp};
use std::fmt;
use std::sync::Arc;

/// What an administrator has declared about a control, in the portal's words.
///
/// Graph's own words differ and are translated where its answers are read,
/// nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ControlState {
    /// Nobody has declared anything.
    ToAddress,
    /// Somebody accepted the risk: no points, and gone from the to-do list.
    RiskAccepted,
    /// Claimed as solved by another product: full points, unverified.
    ThirdParty,
    /// Claimed as solved by other means: full points, unverified.
    AlternateMitigation,
    /// Promised for later.
    Planned,
    /// A word we have never seen.
    Unknown,
}

impl ControlState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ToAddress,
        Self::RiskAccepted,
        Self::ThirdParty,
        Self::AlternateMitigation,
        Self::Planned,
        Self::Unknown,
    ];

    /// The word used in labels and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToAddress => "to_address",
            Self::RiskAccepted => "risk_accepted",
            Self::ThirdParty => "third_party",
            Self::AlternateMitigation => "alternate_mitigation",
            Self::Planned => "planned",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ControlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How near to the core of security Microsoft puts a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// The basics.
    Core,
    /// A second line.
    DefenseInDepth,
    /// For the well equipped.
    Advanced,
    /// Not said, or a word we do not know.
    Unknown,
}

impl Tier {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Core,
        Self::DefenseInDepth,
        Self::Advanced,
        Self::Unknown,
    ];

    /// The word used in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::DefenseInDepth => "defense_in_depth",
            Self::Advanced => "advanced",
            Self::Unknown => "unknown",
        }
    }
}

/// A rough amount: of impact on users, or of cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Little.
    Low,
    /// Some; Graph also spells it `medium`.
    Moderate,
    /// Much.
    High,
    /// Not said, or a word we do not know.
    Unknown,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Low, Self::Moderate, Self::High, Self::Unknown];

    /// The word used in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Unknown => "unknown",
        }
    }
}

/// What kind of work a control asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionType {
    /// Change a setting.
    Config,
    /// Look something over regularly.
    Review,
    /// Teach people.
    Behavior,
    /// Not said, or a word we do not know.
    Unknown,
}

impl ActionType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Config, Self::Review, Self::Behavior, Self::Unknown];

    /// The word used in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Review => "review",
            Self::Behavior => "behavior",
            Self::Unknown => "unknown",
        }
    }
}

/// One control as the tenant's catalogue describes it.
///
/// Whether it is *scored* is not said here: the catalogue also lists controls
/// of products the tenant does not own.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogueEntry {
    /// Graph's id, the identity of the control.
    pub id: Arc<str>,
    /// What the portal shows; not unique.
    pub title: Arc<str>,
    /// The area it counts in.
    pub category: Category,
    /// The Microsoft product it belongs to (Graph: `service`).
    pub product: Arc<str>,
    /// Core, defence in depth or advanced.
    pub tier: Tier,
    /// How much users will feel it.
    pub user_impact: Level,
    /// How much work it is.
    pub implementation_cost: Level,
    /// Setting, review or behaviour.
    pub action_type: ActionType,
    /// Most points it can give, when Graph says a sane number.
    pub max_score: Option<Points>,
    /// Microsoft has withdrawn it.
    pub deprecated: bool,
    /// Where it is fixed.
    pub action_url: Option<Arc<str>>,
    /// What administrators have declared about it over time.
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

/// One control as a daily report scores it.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlScore {
    /// Graph's `controlName`, equal to the id in the catalogue.
    pub id: Arc<str>,
    /// The area the report files it under; the catalogue's word wins.
    pub category: Category,
    /// Points reached.
    pub score: Points,
    /// Share of the maximum, 0 to 100, where Graph says it.
    pub percentage: Option<f64>,
    /// When the product last told Secure Score about it.
    pub last_synced: Option<Timestamp>,
    /// A human sentence such as "1 of 3 administrators"; never parsed.
    pub implementation_status: Option<Arc<str>>,
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
        }
    }

    /// The maximum this score implies: points are maximum × percentage.
    ///
    /// At zero per cent nothing can be told, and nothing is guessed.
    pub fn implied_max(&self) -> Option<Points> {
        let percentage = self.percentage.filter(|share| *share > 0.0)?;
        Points::new(super::points::rounded(
            self.score.get() * 100.0 / percentage,
        ))
    }
}
