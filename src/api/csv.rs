//! Acceptances as CSV, for a spreadsheet.

use crate::acceptances::record::AcceptanceRecord;
use secure_score_model::DecisionState;
use std::borrow::Cow;
use std::fmt::Display;

/// Reads a cell from a record.
type ReadCell = for<'r, 'a> fn(&'r AcceptanceRecord<'a>) -> Cow<'r, str>;

/// The columns in their order. The history does not fit into a row.
const COLUMNS: [(&str, ReadCell); 40] = [
    ("tenant", |it| it.tenant.into()),
    ("tenant_display_name", |it| it.tenant_display_name.into()),
    ("entra_tenant_id", |it| text(it.entra_tenant_id)),
    ("control", |it| it.control.into()),
    ("title", |it| it.title.into()),
    ("category", |it| it.category.into()),
    ("state", |it| it.state.into()),
    ("accepted", |it| {
        it.accepted.map_or_else(Cow::default, boolean)
    }),
    ("accepted_at", |it| display(it.accepted_at)),
    ("accepted_by", |it| text(it.accepted_by.as_deref())),
    ("comment", |it| text(it.comment)),
    ("assigned_to", |it| text(it.assigned_to.as_deref())),
    ("withdrawn_at", |it| display(it.withdrawn_at)),
    ("withdrawn_by", |it| text(it.withdrawn_by.as_deref())),
    ("points_lost", |it| display(it.points_lost)),
    ("report_as_of", |it| display(it.report_as_of)),
    ("scored", |it| it.scored.map_or_else(Cow::default, boolean)),
    ("watched", |it| boolean(it.watched)),
    ("approved", |it| boolean(it.approved)),
    ("approval_status", |it| text(it.approval.status)),
    ("approval_reference", |it| text(it.approval.reference)),
    ("approval_approver", |it| {
        text(it.approval.approver.as_deref())
    }),
    ("approval_reason", |it| text(it.approval.reason)),
    ("approval_approved_on", |it| {
        display(it.approval.approved_on)
    }),
    ("approval_expires", |it| display(it.approval.expires)),
    ("implementation_status", |it| text(it.implementation_status)),
    ("action_url", |it| text(it.action_url)),
    ("deprecated", |it| boolean(it.deprecated)),
    ("where", |it| it.place.as_str().into()),
    ("recommendation", |it| text(it.recommendation)),
    ("accepted_at_exact", |it| {
        it.accepted_at_exact.map_or_else(Cow::default, boolean)
    }),
    ("postponed_until", |it| display(it.postponed_until)),
    ("other_place_state", |it| text(it.other_place_state)),
    ("disagrees", |it| {
        it.disagrees.map_or_else(Cow::default, boolean)
    }),
    ("kind", |it| it.kind.into()),
    ("points_claimed", |it| display(it.points_claimed)),
    ("self_approved", |it| {
        it.self_approved.map_or_else(Cow::default, boolean)
    }),
    ("reason_given", |it| {
        it.reason_given.map_or_else(Cow::default, boolean)
    }),
    ("approval_states", |it| states(it.approval.states)),
    ("approval_evidence", |it| text(it.approval.evidence)),
];

/// Characters that begin a formula, East Asian full-width forms included.
const FORMULA_STARTS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Where a spreadsheet that expects another separator than a comma ends a cell;
/// it reads the quotation marks as text.
const CELL_ENDS: [char; 4] = [';', '\t', '\r', '\n'];

/// A header row, then a row for each record, as RFC 4180 defines.
pub(super) fn render<'a>(
    records: impl Iterator<Item = AcceptanceRecord<'a>>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(COLUMNS.map(|(name, _)| name))?;
    for record in records {
        for (_, read) in COLUMNS {
            writer.write_field(without_formulas(read(&record)).as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// A cell that no spreadsheet reads as a formula.
///
/// Titles and comments come from other people, and a spreadsheet would run
/// `=HYPERLINK(…)` in one of them. An apostrophe in front makes it text. Many
/// European spreadsheets separate cells by semicolons, so a cell may begin in the
/// middle of this one.
fn without_formulas(cell: Cow<'_, str>) -> Cow<'_, str> {
    let places = formulas(&cell);
    if places.is_empty() {
        return cell;
    }
    let mut safe = cell.into_owned();
    for place in places.into_iter().rev() {
        safe.insert(place, '\'');
    }
    Cow::Owned(safe)
}

/// Where formulas begin. Spreadsheets skip blanks and quotation marks in front of
/// a formula, and a leading line break only hides it.
fn formulas(cell: &str) -> Vec<usize> {
    let mut places = Vec::new();
    let mut begins = true;
    for (place, c) in cell.char_indices() {
        let ends = CELL_ENDS.contains(&c);
        if begins && FORMULA_STARTS.contains(&c) || place == 0 && ends {
            places.push(place);
        }
        begins = ends || begins && (c.is_whitespace() || c == '"');
    }
    places
}

fn text(text: Option<&str>) -> Cow<'_, str> {
    text.unwrap_or_default().into()
}

fn states(states: Option<&[DecisionState]>) -> Cow<'static, str> {
    let words = states.unwrap_or_default().iter().map(|it| it.as_str());
    words.collect::<Vec<_>>().join(" ").into()
}

fn display(value: Option<impl Display>) -> Cow<'static, str> {
    value.map_or_else(Cow::default, |it| it.to_string().into())
}

const fn boolean(is: bool) -> Cow<'static, str> {
    Cow::Borrowed(if is { "true" } else { "false" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(cell: &str) -> String {
        without_formulas(cell.into()).into_owned()
    }

    #[test]
    fn a_formula_becomes_text_and_other_text_stays() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("+49 30 1234", "'+49 30 1234"),
            ("-", "'-"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t'=1"),
            ("a\r\n=1", "a\r\n'=1"),
            (" =1", " '=1"),
            ("＝1", "'＝1"),
            ("x;=1;\"+2", "x;'=1;\"'+2"),
            ("", ""),
            ("1 = 1", "1 = 1"),
            ("a-b; c", "a-b; c"),
            ("'quoted", "'quoted"),
            ("SEC-1234", "SEC-1234"),
            ("a@b.example", "a@b.example"),
        ] {
            assert_eq!(escaped(cell), expected);
        }
    }

    proptest! {
        #[test]
        fn no_cell_is_a_formula_and_no_text_is_lost(cell in "([=+@;, \"'a\t\r\n-]|\\PC){0,12}") {
            let safe = escaped(&cell);
            let mut parts = safe.split(CELL_ENDS);
            let start = |part: &str| part.trim_start_matches(|c: char| c.is_whitespace() || c == '"').to_owned();
            prop_assert!(!parts.any(|part| start(part).starts_with(FORMULA_STARTS)));
            prop_assert!(!safe.starts_with(CELL_ENDS));
            prop_assert_eq!(safe.replace('\'', ""), cell.replace('\'', ""));
        }
    }
}
