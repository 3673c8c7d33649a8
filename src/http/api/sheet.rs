//! Acceptances as a sheet, for those who check them one by one.

use crate::acceptances::record::AcceptanceRecord;
use std::borrow::Cow;
use std::fmt::Display;

/// How a cell is read from a record.
type Read = for<'r, 'a> fn(&'r AcceptanceRecord<'a>) -> Cow<'r, str>;

/// The columns in their order. The history does not fit into a row.
const COLUMNS: [(&str, Read); 27] = [
    ("tenant", |it| it.tenant.into()),
    ("tenant_display_name", |it| it.tenant_display_name.into()),
    ("entra_tenant_id", |it| text(it.entra_tenant_id)),
    ("control", |it| it.control.into()),
    ("title", |it| it.title.into()),
    ("category", |it| it.category.into()),
    ("state", |it| it.state.into()),
    ("accepted", |it| truth(it.accepted)),
    ("accepted_at", |it| shown(it.accepted_at)),
    ("accepted_by", |it| text(it.accepted_by.as_deref())),
    ("comment", |it| text(it.comment)),
    ("assigned_to", |it| text(it.assigned_to.as_deref())),
    ("withdrawn_at", |it| shown(it.withdrawn_at)),
    ("withdrawn_by", |it| text(it.withdrawn_by.as_deref())),
    ("points_lost", |it| shown(it.points_lost)),
    ("scored", |it| it.scored.map_or_else(Cow::default, truth)),
    ("watched", |it| truth(it.watched)),
    ("approved", |it| truth(it.approved)),
    ("approval_status", |it| it.approval.status.into()),
    ("approval_reference", |it| text(it.approval.reference)),
    ("approval_approver", |it| {
        text(it.approval.approver.as_deref())
    }),
    ("approval_reason", |it| text(it.approval.reason)),
    ("approval_approved_on", |it| shown(it.approval.approved_on)),
    ("approval_expires", |it| shown(it.approval.expires)),
    ("implementation_status", |it| text(it.implementation_status)),
    ("action_url", |it| text(it.action_url)),
    ("deprecated", |it| truth(it.deprecated)),
];

/// What makes a spreadsheet read a cell as a formula, in the width of letters
/// that East Asian keyboards write, too.
const FORMULAS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Where a spreadsheet that expects another separator than a comma lets a cell
/// of ours end: it takes our quotation marks for text.
const ENDS: [char; 4] = [';', '\t', '\r', '\n'];

/// The sheet as RFC 4180 has it: a header row, then a row for each record.
pub(super) fn written<'a>(
    records: impl Iterator<Item = AcceptanceRecord<'a>>,
) -> Result<Vec<u8>, csv::Error> {
    let mut sheet = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    sheet.write_record(COLUMNS.map(|(name, _)| name))?;
    for record in records {
        for (_, read) in COLUMNS {
            sheet.write_field(harmless(read(&record)).as_bytes())?;
        }
        sheet.write_record(None::<&[u8]>)?;
    }
    sheet
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// A text that no spreadsheet calculates.
///
/// Titles and comments are other people's words, and `=HYPERLINK(…)` in one of
/// them would run on the desk of whoever opens the sheet. An apostrophe in
/// front makes it text. Half of Europe separates cells by semicolons, so there
/// a new cell begins in the middle of ours, and is treated alike.
fn harmless(cell: Cow<'_, str>) -> Cow<'_, str> {
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

/// Where formulas begin. Blanks and quotation marks in front of one do not
/// save it from being read, and a line break in front of all hides it only.
fn formulas(cell: &str) -> Vec<usize> {
    let mut places = Vec::new();
    let mut begins = true;
    for (place, c) in cell.char_indices() {
        let ends = ENDS.contains(&c);
        if begins && FORMULAS.contains(&c) || place == 0 && ends {
            places.push(place);
        }
        begins = ends || begins && (c.is_whitespace() || c == '"');
    }
    places
}

fn text(text: Option<&str>) -> Cow<'_, str> {
    text.unwrap_or_default().into()
}

fn shown(value: Option<impl Display>) -> Cow<'static, str> {
    value.map_or_else(Cow::default, |it| it.to_string().into())
}

const fn truth(is: bool) -> Cow<'static, str> {
    Cow::Borrowed(if is { "true" } else { "false" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn guarded(cell: &str) -> String {
        harmless(cell.into()).into_owned()
    }

    #[test]
    fn a_formula_becomes_text() {
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
        ] {
            assert_eq!(guarded(cell), expected);
        }
    }

    #[test]
    fn other_words_stay_as_they_are() {
        for cell in ["", "1 = 1", "a-b; c", "'quoted", "SEC-1234", "a@b.example"] {
            assert_eq!(guarded(cell), cell);
        }
    }

    proptest! {
        #[test]
        fn nothing_calculates_and_nothing_is_lost(cell in "([=+@;, \"'a\t\r\n-]|\\PC){0,12}") {
            let safe = guarded(&cell);
            let mut parts = safe.split(ENDS);
            let start = |part: &str| part.trim_start_matches(|c: char| c.is_whitespace() || c == '"').to_owned();
            prop_assert!(!parts.any(|part| start(part).starts_with(FORMULAS)));
            prop_assert!(!safe.starts_with(ENDS));
            prop_assert_eq!(safe.replace('\'', ""), cell.replace('\'', ""));
        }
    }
}
