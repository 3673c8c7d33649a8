//! Rows for a reader: a table where it fits the screen, otherwise a block for each row.

use crate::serde_time::Day;
use crate::terminal::{Colour, Screen};
use console::{Alignment, measure_text_width, pad_str};
use secure_score_model::Timestamp;

/// Longer texts are truncated, so that a row stays one line.
pub(super) const MAX_TEXT: usize = 60;

/// The day of a time; empty without one.
pub(super) fn day(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| Day::beginning(at).to_string())
}

/// A value in a row.
#[derive(Debug, Clone, Default)]
pub(super) struct Field {
    text: String,
    colour: Option<Colour>,
    is_number: bool,
}

impl Field {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// A number, which is aligned to the right.
    pub(super) fn number(text: impl Into<String>) -> Self {
        Self {
            is_number: true,
            ..Self::new(text)
        }
    }

    pub(super) fn colour(self, colour: Option<Colour>) -> Self {
        Self { colour, ..self }
    }

    /// The text in a column of this width.
    fn cell(&self, width: usize, screen: Screen) -> String {
        let text = match self.colour {
            Some(Colour::Bold) | None => self.text.clone(),
            Some(colour) => screen.paint(colour, &self.text),
        };
        let alignment = match self.is_number {
            true => Alignment::Right,
            false => Alignment::Left,
        };
        pad_str(&text, width, alignment, None).into_owned()
    }
}

/// Rows under headings.
pub(super) struct Listing {
    headings: Vec<&'static str>,
    /// The fields in the first line of a block.
    titles: usize,
    rows: Vec<Vec<Field>>,
}

impl Listing {
    pub(super) fn new(headings: impl Into<Vec<&'static str>>, titles: usize) -> Self {
        Self {
            headings: headings.into(),
            titles,
            rows: Vec::new(),
        }
    }

    /// Adds a row, with a field for each heading.
    pub(super) fn push(&mut self, row: impl Into<Vec<Field>>) {
        self.rows.push(row.into());
    }

    /// The rows as lines, without blanks at their ends; nothing without a row on a
    /// terminal.
    pub(super) fn render(&self, screen: Screen) -> String {
        let Some(width) = screen.width else {
            return self.table(screen);
        };
        if self.rows.is_empty() {
            return String::new();
        }
        let table = self.table(screen);
        let fits = |line: &str| measure_text_width(line) <= width;
        match table.lines().all(fits) {
            true => table,
            false => self.blocks(screen),
        }
    }

    /// A line for each row, in columns without borders.
    fn table(&self, screen: Screen) -> String {
        let headings = self.headings.iter().map(|it| Field::new(*it)).collect();
        let lines: Vec<&Vec<Field>> = [&headings].into_iter().chain(&self.rows).collect();
        let width = |column: usize| {
            let fields = lines.iter().filter_map(|line| line.get(column));
            let widths = fields.map(|it| measure_text_width(&it.text));
            widths.max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        let mut text = String::new();
        for line in &lines {
            let cells = line.iter().zip(&widths);
            let cells: Vec<_> = cells.map(|(it, width)| it.cell(*width, screen)).collect();
            text.push_str(format!(" {}", cells.join("  ")).trim_end());
            text.push('\n');
        }
        text
    }

    /// A block for each row: the titles, and a line for each field that has a value.
    fn blocks(&self, screen: Screen) -> String {
        let labels = self.headings.iter().skip(self.titles);
        let longest = labels.map(|it| it.len()).max().unwrap_or_default();
        let indent = longest + 4;
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            let titles = row.iter().take(self.titles);
            let titles: Vec<&str> = titles.map(|it| it.text.as_str()).collect();
            let title = titles.join("  ");
            text.push_str(&screen.wrap(&screen.paint(Colour::Bold, title.trim()), 2));
            text.push('\n');
            let fields = self.headings.iter().zip(row).skip(self.titles);
            for (heading, field) in fields.filter(|(_, field)| !field.text.is_empty()) {
                let label = heading.to_lowercase();
                let value = match field.colour {
                    Some(colour) => screen.paint(colour, &field.text),
                    None => field.text.clone(),
                };
                let line = format!("  {label:<longest$}  {value}");
                text.push_str(&screen.wrap(&line, indent));
                text.push('\n');
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let mut listing = Listing::new(["TENANT", "CONTROL", "TITLE", "STATE"], 2);
        let title = "Require a second factor of each administrator";
        listing.push(["contoso", "AdminMFAV2", title, "risk accepted"].map(Field::new));
        listing.push(["fabrikam", "IntegratedApps", "", "planned"].map(Field::new));
        listing
    }

    fn screen(width: usize) -> Screen {
        Screen {
            width: Some(width),
            colours: false,
        }
    }

    #[test]
    fn what_fits_is_a_table() {
        let table = listing().render(screen(100));
        assert_eq!(table, listing().render(Screen::PLAIN));
        assert!(table.starts_with(" TENANT    CONTROL "), "{table}");
    }

    #[test]
    fn what_does_not_fit_is_a_block_for_each_row() {
        let blocks = listing().render(screen(40));
        let expected = "\
contoso  AdminMFAV2
  title  Require a second factor of each
         administrator
  state  risk accepted

fabrikam  IntegratedApps
  state  planned
";
        assert_eq!(blocks, expected);
    }
}
