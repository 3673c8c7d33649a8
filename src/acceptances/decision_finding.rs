//! A decision that needs attention: what is wrong, and how to fix it.

use crate::text::count;
use secure_score_model::{Decision, DecisionState};
use std::fmt;
use std::sync::Arc;

/// A decision that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionFinding {
    /// The decision.
    pub decision: Arc<Decision>,
    /// The tenant, where the issue concerns one.
    pub tenant: Option<Arc<str>>,
    /// What is wrong.
    pub issue: DecisionIssue,
}

/// What can be wrong with a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionIssue {
    /// It has expired.
    Expired {
        /// Whether it covers what no other decision covers,
        /// if all of its tenants are known.
        in_use: Option<bool>,
    },
    /// It expires within 30 days.
    ExpiresSoon {
        /// Whole days left.
        days: u64,
    },
    /// Its ids, names and patterns match nothing: misspelt, or renamed by
    /// Microsoft.
    MatchesNothing,
    /// Nothing that it approves is declared.
    CoversNothing,
    /// The person who accepted a risk, or claimed that it is solved, approved it.
    SelfApproved {
        /// A control or a recommendation of that person.
        first: Arc<str>,
        /// How many more there are, over all tenants.
        others: usize,
    },
    /// Another decision covers the same control or recommendation.
    Overlaps {
        /// The other decision.
        with: Arc<Decision>,
        /// A control or a recommendation that both cover.
        first: Arc<str>,
        /// How many more both cover, over all tenants.
        others: usize,
    },
}

impl DecisionFinding {
    /// How to fix it.
    pub fn remedy(&self) -> &'static str {
        let is_of_risks = self.is_of_risks();
        match self.issue {
            DecisionIssue::Expired { in_use: Some(true) } if is_of_risks => {
                "have the risk approved again with a new date, or withdraw its acceptance in the portal"
            }
            DecisionIssue::Expired { in_use: Some(true) } => {
                "have it approved again with a new date, or set the state in the portal back"
            }
            DecisionIssue::Expired {
                in_use: Some(false),
            }
            | DecisionIssue::CoversNothing => match self.decision.is_exception() {
                true => "remove the exception",
                false => "remove the decision",
            },
            DecisionIssue::Expired { in_use: None } if is_of_risks => {
                "run `secure-score-exporter check` on all tenants: it shows whether a risk that it covered is still accepted"
            }
            DecisionIssue::Expired { in_use: None } => {
                "run `secure-score-exporter check` on all tenants: it shows whether what it approved still stands"
            }
            DecisionIssue::ExpiresSoon { .. } if self.is_of_plans() => {
                "have it approved again before that day"
            }
            DecisionIssue::ExpiresSoon { .. } => {
                "have it approved again before that day, or the alert comes back"
            }
            DecisionIssue::MatchesNothing => {
                "correct the name, or check whether Microsoft renamed what it names"
            }
            DecisionIssue::SelfApproved { .. } => {
                "let another person approve it, and name that person as approver"
            }
            DecisionIssue::Overlaps { .. } => {
                "keep one of the two; the one that expires last decides"
            }
        }
    }

    /// Whether it approves accepted risks only, and neither claims nor plans.
    fn is_of_risks(&self) -> bool {
        let mut states = self.decision.states.iter();
        states.all(|it| it.is_acceptance())
    }

    /// Whether it approves plans only, of which no alert fires.
    fn is_of_plans(&self) -> bool {
        let mut states = self.decision.states.iter();
        states.all(|it| *it == DecisionState::Planned)
    }
}

impl fmt::Display for DecisionFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision {
            place, reference, ..
        } = &*self.decision;
        write!(f, "{place} ({reference}, {}) ", self.decision.subject())?;
        let is_of_risks = self.is_of_risks();
        match &self.issue {
            DecisionIssue::Expired { in_use: Some(true) } => f.write_str(match is_of_risks {
                true => "has expired, but a risk that it covered is still accepted",
                false => "has expired, but what it approved still stands",
            }),
            DecisionIssue::Expired {
                in_use: Some(false),
            } => f.write_str("has expired and is not in use"),
            DecisionIssue::Expired { in_use: None } => {
                f.write_str("has expired; not every tenant that may use it is known here")
            }
            DecisionIssue::ExpiresSoon { days: 0 } => f.write_str("expires today"),
            DecisionIssue::ExpiresSoon { days: 1 } => f.write_str("expires tomorrow"),
            DecisionIssue::ExpiresSoon { days } => write!(f, "expires in {days} days"),
            DecisionIssue::MatchesNothing => f.write_str(match &*self.decision {
                Decision {
                    recommendation: None,
                    ..
                } => "matches no control of the catalogue",
                Decision { control: None, .. } => "matches no recommendation",
                _ => "matches no control of the catalogue and no recommendation",
            }),
            DecisionIssue::CoversNothing => f.write_str(match is_of_risks {
                true => "covers no accepted risk",
                false => "covers nothing that is declared now",
            }),
            DecisionIssue::SelfApproved { first, others } => {
                write!(f, "is self-approved for {first}")?;
                write_others(f, *others)?;
                f.write_str(match self.decision.needs_separate_approver {
                    true => ", which approves nothing",
                    false => ": its approver declared the state",
                })
            }
            DecisionIssue::Overlaps {
                with,
                first,
                others,
            } => {
                let (place, reference) = (&with.place, &with.reference);
                write!(f, "and {place} ({reference}) both cover {first}")?;
                write_others(f, *others)
            }
        }
    }
}

fn write_others(f: &mut fmt::Formatter<'_>, others: usize) -> fmt::Result {
    match others {
        0 => Ok(()),
        more => write!(f, " and {}", count(more, "other")),
    }
}
