//! # evidence: what was decided about a tenant's risks in a period
//!
//! One document for a customer or an auditor, as a page, JSON and CSV: the score and
//! its course, what was declared, by whom, why and with which approval, what was
//! withdrawn, what is open, and what is not known.

mod course;
mod declared;
mod document;
mod gaps;
mod open_control;
mod period;
mod table;

pub(crate) use declared::DeclaredRecord;
pub(crate) use document::{DigestedEvidence, Evidence};
pub(crate) use open_control::OpenControl;
pub(crate) use period::Period;
pub(crate) use table::csv;
