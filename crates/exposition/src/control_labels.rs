//! The labels that most series of a control begin with.

use super::label::write_label;
use secure_score_model::Control;

/// The names of the labels.
pub(super) const NAMES: [&str; 2] = ["control", "category"];

/// The id and the category of a control, which are written once for all its series.
#[derive(Debug, Clone, Copy)]
pub struct ControlLabels<'a> {
    /// The values.
    pub values: [&'a str; 2],
    /// The labels as they stand in a line.
    pub(super) text: &'a [u8],
}

impl<'a> ControlLabels<'a> {
    pub(super) fn new(control: &'a Control, text: &'a [u8]) -> Self {
        Self {
            values: values(control),
            text,
        }
    }

    /// Writes the labels of a control as they stand in a line.
    pub(super) fn write(control: &Control, text: &mut Vec<u8>) {
        for (name, value) in NAMES.iter().zip(values(control)) {
            write_label(name, value, text);
        }
    }
}

fn values(control: &Control) -> [&str; 2] {
    [&control.id, control.category.as_str()]
}
