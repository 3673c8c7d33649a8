//! The height of the frame in which a mail is shown.
//!
//! A page without script cannot ask the frame for the height of its content. The mails
//! are made of few elements, so it is estimated from these.

/// How many characters fit into a line of a heading and of a text in the middle column
/// of a wide screen; the mail itself is no wider.
const HEADING_LENGTH: usize = 68;
const TEXT_LENGTH: usize = 85;

/// In pixels: what surrounds the whole, and each alert.
const AROUND: usize = 42;
const AROUND_ALERT: usize = 32;

/// In pixels: a line of a heading and of a text, and what surrounds a paragraph and a row.
const HEADING_LINE: usize = 27;
const TEXT_LINE: usize = 23;
const AROUND_PARAGRAPH: usize = 16;
const AROUND_ROW: usize = 6;

/// In pixels: the limits. A longer mail scrolls in its frame.
const LEAST: usize = 120;
const MOST: usize = 1_600;

/// The height on a wide screen in pixels.
pub(crate) fn height(html: &str) -> usize {
    let height = AROUND
        + elements(html, "div").len() * AROUND_ALERT
        + blocks(html, "h1", HEADING_LENGTH, HEADING_LINE, 0)
        + blocks(html, "p", TEXT_LENGTH, TEXT_LINE, AROUND_PARAGRAPH)
        + blocks(html, "tr", TEXT_LENGTH, TEXT_LINE, AROUND_ROW);
    height.clamp(LEAST, MOST)
}

/// The height of all elements of a name.
fn blocks(html: &str, name: &str, length: usize, line: usize, around: usize) -> usize {
    let heights = elements(html, name).into_iter().map(|content| {
        let lines = characters(content).div_ceil(length).max(1);
        lines * line + around
    });
    heights.sum()
}

/// The content of each element of a name, none of which is in another one; of a `div`,
/// up to the next one.
fn elements<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let (start, end) = (format!("<{name}"), format!("</{name}>"));
    let pieces = html.split(start.as_str()).skip(1);
    let pieces = pieces.filter(|it| it.starts_with(['>', ' ']));
    let contents = pieces.filter_map(|it| it.split_once('>')?.1.split(end.as_str()).next());
    contents.collect()
}

/// The characters outside of tags.
fn characters(html: &str) -> usize {
    let texts = html.split('<').map(|part| part.rsplit('>').next());
    texts
        .flatten()
        .map(|text| text.trim().chars().count())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(heading: usize, text: usize, rows: usize) -> String {
        let (heading, text) = ("h ".repeat(heading / 2), "t ".repeat(text / 2));
        let rows = "<tr><td>Tenant</td><td>contoso</td></tr>\n".repeat(rows);
        format!(
            "<div style=\"margin: 1em 0\">\n<h1 style=\"margin: 0\">{heading}</h1>\n<p>{text}</p>\n\
             <p><a href=\"https://a.example/{}\">Details</a></p>\n<table cellpadding=\"2\">\n{rows}</table>\n</div>\n",
            "x".repeat(300)
        )
    }

    /// In Chromium they have 237 and 345 pixels.
    #[test]
    fn a_frame_is_hardly_higher_than_its_mail() {
        let head = "<!DOCTYPE html><html><head><title>a long title</title></head><body>";
        let page = |alerts: &[String]| format!("{head}{}</body></html>", alerts.concat());
        let short = page(&[alert(107, 6, 2)]);
        assert!((237..290).contains(&height(&short)), "{}", height(&short));
        let long = page(&[alert(107, 139, 5)]);
        assert!((345..400).contains(&height(&long)), "{}", height(&long));
        let many = page(&vec![alert(107, 139, 5); 20]);
        assert_eq!(height(&many), 1_600, "it scrolls");
        assert_eq!(height("<pre>text</pre>"), 120);
    }
}
