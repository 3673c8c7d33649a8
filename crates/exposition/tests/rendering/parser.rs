//! A reader of expositions, written from the format's description and not
//! from our writer.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// One sample as a reader sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

impl Sample {
    /// Its identity: name and labels in any order.
    pub(crate) fn series(&self) -> (String, BTreeMap<String, String>) {
        (self.name.clone(), self.labels.iter().cloned().collect())
    }

    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(label, _)| label == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// One line of an exposition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Line {
    Help(String),
    Type(String, String),
    Eof,
    Sample(Sample),
}

/// Reads a whole body, or says which line is no line of the format.
pub(crate) fn parse(body: &str) -> Result<Vec<Line>, String> {
    if !body.is_empty() && !body.ends_with('\n') {
        return Err("the last line does not end".to_owned());
    }
    // Only a line feed ends a line; `lines` would also eat a carriage return.
    body.split_terminator('\n')
        .map(|line| read(line).ok_or_else(|| format!("not a line: {line:?}")))
        .collect()
}

fn read(line: &str) -> Option<Line> {
    if line == "# EOF" {
        return Some(Line::Eof);
    }
    if let Some(help) = line.strip_prefix("# HELP ") {
        let (name, text) = help.split_once(' ')?;
        return (!text.is_empty()).then(|| Line::Help(name.to_owned()));
    }
    if let Some(of_type) = line.strip_prefix("# TYPE ") {
        let (name, kind) = of_type.split_once(' ')?;
        return Some(Line::Type(name.to_owned(), kind.to_owned()));
    }
    sample(&mut line.chars().peekable()).map(Line::Sample)
}

fn sample(rest: &mut Peekable<Chars<'_>>) -> Option<Sample> {
    let name = word(rest)?;
    let labels = if rest.next_if_eq(&'{').is_some() {
        labels(rest)?
    } else {
        Vec::new()
    };
    rest.next_if_eq(&' ')?;
    let value: String = rest.collect();
    let value = value.parse().ok()?;
    Some(Sample {
        name,
        labels,
        value,
    })
}

fn word(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut word = String::new();
    while let Some(letter) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
        word.push(letter);
    }
    let starts_well = !word.starts_with(|c: char| c.is_ascii_digit());
    (!word.is_empty() && starts_well).then_some(word)
}

fn labels(rest: &mut Peekable<Chars<'_>>) -> Option<Vec<(String, String)>> {
    let mut labels = Vec::new();
    loop {
        let name = word(rest)?;
        rest.next_if_eq(&'=')?;
        rest.next_if_eq(&'"')?;
        labels.push((name, quoted(rest)?));
        match rest.next()? {
            ',' => {}
            '}' => return Some(labels),
            _ => return None,
        }
    }
}

/// Up to the quote that is not escaped; only three things may be.
fn quoted(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut value = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(value),
            '\\' => value.push(match rest.next()? {
                '\\' => '\\',
                '"' => '"',
                'n' => '\n',
                _ => return None,
            }),
            plain => value.push(plain),
        }
    }
}

#[test]
fn the_reader_refuses_what_is_no_exposition() {
    for odd in [
        "x 1",
        "x\n",
        "x{a=\"b} 1\n",
        "x{a=\"\\t\"} 1\n",
        "x{} 1\n",
        "1x 1\n",
        "x one\n",
        "\n",
        "# comment\n",
        "x{a=\"b\"\"c\"} 1\n",
    ] {
        assert!(parse(odd).is_err(), "{odd:?}");
    }
}
