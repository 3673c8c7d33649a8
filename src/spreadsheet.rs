//! # spreadsheet: CSV that a spreadsheet can open
//!
//! Titles and comments come from other people, so no cell may be a formula.

use std::borrow::Cow;
use std::fmt::Display;

/// Characters that begin a formula, East Asian full-width forms included.
const FORMULA_STARTS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Where a spreadsheet that expects another separator than a comma ends a cell;
/// it reads the quotation marks as text.
const CELL_ENDS: [char; 4] = [';', '\t', '\r', '\n'];

/// The cells of one row.
pub(crate) struct Row<'w> {
    writer: &'w mut csv::Writer<Vec<u8>>,
}

impl Row<'_> {
    /// Adds a cell.
    pub(crate) fn write(&mut self, cell: Cow<'_, str>) -> Result<(), csv::Error> {
        self.writer.write_field(without_formulas(cell).as_bytes())
    }
}

/// A header row, then a row for each record, as RFC 4180 defines.
pub(crate) fn render<R>(
    names: &[&str],
    records: impl Iterator<Item = R>,
    write: impl Fn(&R, &mut Row<'_>) -> Result<(), csv::Error>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(names)?;
    for record in records {
        write(
            &record,
            &mut Row {
                writer: &mut writer,
            },
        )?;
        writer.write_record(None::<&[u8]>)?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// A text as a cell; empty where it is not known.
pub(crate) fn text(text: Option<&str>) -> Cow<'_, str> {
    text.unwrap_or_default().into()
}

/// A value as a cell; empty where it is not known.
pub(crate) fn display(value: Option<impl Display>) -> Cow<'static, str> {
    value.map_or_else(Cow::default, |it| it.to_string().into())
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
