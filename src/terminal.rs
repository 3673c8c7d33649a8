//! What output is printed on: its width, and whether it has colours.

use crate::config_values::Environment;
use console::{Term, measure_text_width};
use std::io::IsTerminal as _;

/// Narrower lines cannot be read, and a width of 0 is that of a terminal without a
/// size.
const MIN_WIDTH: usize = 20;

/// The widest lines of texts, which are hard to read beyond.
const MAX_TEXT_WIDTH: usize = 120;

/// A colour with its code (ECMA-48, *select graphic rendition*).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Red,
    Green,
    Yellow,
    Bold,
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Bold => "1",
        }
    }
}

/// A terminal, or a file or pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen {
    /// The columns of the terminal; `None` for a file or pipe, whose lines have any
    /// length.
    pub(crate) width: Option<usize>,
    pub(crate) colours: bool,
}

impl Screen {
    /// A file or pipe.
    pub(crate) const PLAIN: Self = Self {
        width: None,
        colours: false,
    };

    /// Standard output.
    pub(crate) fn stdout(environment: &Environment) -> Self {
        if !std::io::stdout().is_terminal() {
            return Self::PLAIN;
        }
        Self {
            width: width(&Term::stdout()),
            colours: !is_dumb(environment) && environment.get("NO_COLOR").is_none(),
        }
    }

    /// Standard output, without colours.
    pub(crate) fn uncoloured_stdout() -> Self {
        Self::uncoloured(&Term::stdout())
    }

    /// Standard error, without colours.
    pub(crate) fn stderr() -> Self {
        Self::uncoloured(&Term::stderr())
    }

    fn uncoloured(terminal: &Term) -> Self {
        Self {
            width: width(terminal),
            colours: false,
        }
    }

    /// A text in a colour, where the screen has colours.
    pub(crate) fn paint(self, colour: Colour, text: &str) -> String {
        match self.colours && !text.is_empty() {
            true => format!("\u{1b}[{}m{text}\u{1b}[0m", colour.code()),
            false => text.to_owned(),
        }
    }

    /// A text in lines that fit, the second and later ones indented. Words are not
    /// broken: an address that does not fit can still be copied.
    pub(crate) fn wrap(self, text: &str, indent: usize) -> String {
        let Some(width) = self.width else {
            return text.to_owned();
        };
        let width = width.min(MAX_TEXT_WIDTH);
        // The first blanks belong to the line.
        let start = text.len() - text.trim_start().len();
        let (blanks, words) = text.split_at(start);
        let mut wrapped = blanks.to_owned();
        let mut column = start;
        for (index, word) in words.split(' ').enumerate() {
            let length = measure_text_width(word);
            if index > 0 && column + 1 + length > width && column > indent {
                wrapped.push('\n');
                wrapped.push_str(&" ".repeat(indent));
                column = indent;
            } else if index > 0 {
                wrapped.push(' ');
                column += 1;
            }
            wrapped.push_str(word);
            column += length;
        }
        wrapped
    }
}

/// The columns of a terminal; `None` for a file or pipe.
fn width(terminal: &Term) -> Option<usize> {
    let (_, columns) = terminal.size_checked()?;
    Some(usize::from(columns)).filter(|it| *it >= MIN_WIDTH)
}

/// Whether standard error is a terminal on which a line can be replaced.
pub(crate) fn can_redraw_stderr(environment: &Environment) -> bool {
    std::io::stderr().is_terminal() && !is_dumb(environment)
}

fn is_dumb(environment: &Environment) -> bool {
    environment.get("TERM") == Some("dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrow(width: usize) -> Screen {
        Screen {
            width: Some(width),
            colours: false,
        }
    }

    #[test]
    fn a_text_is_broken_between_words() {
        let wrapped = narrow(20).wrap("ok    one two three four five", 6);
        assert_eq!(wrapped, "ok    one two three\n      four five");
        let plain = Screen::PLAIN.wrap("ok    one two three four five", 6);
        assert_eq!(plain, "ok    one two three four five");
    }

    #[test]
    fn a_word_that_is_too_long_stays_whole() {
        let wrapped = narrow(20).wrap("see https://login.example/consent now", 2);
        assert_eq!(wrapped, "see\n  https://login.example/consent\n  now");
    }

    #[test]
    fn colours_and_wide_characters_have_their_width() {
        let screen = Screen {
            width: Some(20),
            colours: true,
        };
        let text = format!("{} 1234567890 株式会社", screen.paint(Colour::Red, "FAIL"));
        let wrapped = screen.wrap(&text, 0);
        let lines: Vec<_> = wrapped.lines().map(measure_text_width).collect();
        assert_eq!(lines, [15, 8]);
    }
}
