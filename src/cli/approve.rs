//! The flags of `approve`.

use crate::config::DecisionKey;
use clap::Args;
use secure_score_model::DecisionState;
use std::path::PathBuf;

/// Flags of `approve`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "\
Examples:
  secure-score-exporter approve contoso IntegratedApps \\
    --expires 2027-03-31 --reference SEC-1234 --dry-run
      Print the entry and the alerts that it ends
  secure-score-exporter approve contoso AdminMFAV2 --states third_party \\
    --expires 2027-03-31 --reference SEC-1300 --yes
      Approve that another product solves it, without a question

Exit status:
  0  the decision is written, or was there already
  1  it is not written
  2  invalid flags")]
pub struct Approve {
    /// The tenant, by its name in the configuration
    #[arg(value_name = "TENANT")]
    pub tenant: String,

    /// The id of the control, or with --recommendation the name of the recommendation
    #[arg(value_name = "CONTROL")]
    pub control: String,

    /// The last day, such as 2027-03-31
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub expires: String,

    /// Where the decision is recorded, such as a ticket
    #[arg(long, value_name = "REFERENCE", value_parser = one_line)]
    pub reference: String,

    /// The states that are approved [default: risk_accepted]
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    pub states: Vec<DecisionState>,

    /// CONTROL is the name of a recommendation of Entra
    #[arg(long)]
    pub recommendation: bool,

    /// Why it was approved
    #[arg(long, value_name = "TEXT", value_parser = one_line)]
    pub reason: Option<String>,

    /// Who approved it: another person than the one who accepted
    #[arg(long, value_name = "PERSON", value_parser = one_line)]
    pub approver: Option<String>,

    /// Only the declaration in effect on this day, or else the first one after it
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub approved_on: Option<String>,

    /// Only declarations by this person
    #[arg(long, value_name = "PERSON", value_parser = one_line)]
    pub accepted_by: Option<String>,

    /// The address of the proof
    #[arg(long, value_name = "URL", value_parser = address)]
    pub evidence: Option<String>,

    /// The file of decisions [default: the only one of `decision_files`]
    #[arg(id = "decision_file", long = "file", value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Write a decision about a control or recommendation that the tenant does not have
    #[arg(long)]
    pub allow_unknown: bool,

    /// Print the difference and write nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Write without a question
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,

    /// Read what is declared now from the state directory of the exporter, instead of Graph
    #[arg(id = "approve_state_dir", long = "state.dir", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

fn one_line(text: &str) -> Result<String, &'static str> {
    checked(DecisionKey::Line, text)
}

fn day(text: &str) -> Result<String, &'static str> {
    checked(DecisionKey::Day, text)
}

fn address(text: &str) -> Result<String, &'static str> {
    checked(DecisionKey::Address, text)
}

fn checked(key: DecisionKey, text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    key.check(text).map(|()| text.to_owned())
}

fn state(word: &str) -> Result<DecisionState, String> {
    word.parse().map_err(|()| {
        format!(
            "no such state; use one of {}",
            DecisionState::WORDS.join(", ")
        )
    })
}

impl Approve {
    /// The states that are approved, each once.
    pub fn states(&self) -> Vec<DecisionState> {
        let mut states = self.states.clone();
        if states.is_empty() {
            states.push(DecisionState::RiskAccepted);
        }
        states.sort_unstable();
        states.dedup();
        states
    }
}
