//! A mail with a text and an HTML part, as Alertmanager sends it.

/// A mail, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Mail {
    /// Reads lines without their ends; the recipient is that of the envelope.
    pub(crate) fn parse(to: &str, lines: &[String]) -> Self {
        let whole = lines.join("\n");
        let (head, body) = whole.split_once("\n\n").unwrap_or((&whole, ""));
        let content_type = header(head, "Content-Type");
        let parts = boundary(&content_type).map(|it| parts(body, it));
        let part = |content_type: &str| {
            let mut contents = parts.iter().flatten().filter_map(|part| {
                let (head, content) = part.split_once("\n\n")?;
                let is_wanted = header(head, "Content-Type").starts_with(content_type);
                is_wanted.then_some(content)
            });
            quoted_printable(contents.next().unwrap_or_default(), false)
        };
        Self {
            from: header(head, "From"),
            to: to.to_owned(),
            subject: header(head, "Subject"),
            text: part("text/plain"),
            html: part("text/html"),
        }
    }
}

/// The boundary of a multipart content type.
fn boundary(content_type: &str) -> Option<&str> {
    let (_, value) = split_once_ignoring_case(content_type, "boundary=")?;
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([';', ' ']).next(),
    }
}

/// The parts of a multipart body. Only a line of the boundary ends one (RFC 2046): a text
/// may have lines that begin with `--`.
fn parts(body: &str, boundary: &str) -> Vec<String> {
    let mut parts: Vec<Vec<&str>> = Vec::new();
    for line in body.split('\n') {
        let after = line.strip_prefix("--");
        let delimiter = after.and_then(|it| it.strip_prefix(boundary));
        match (delimiter.map(str::trim_end), parts.last_mut()) {
            (Some(""), _) => parts.push(Vec::new()),
            (Some("--"), _) => break,
            (_, Some(part)) => part.push(line),
            (_, None) => {}
        }
    }
    parts.iter().map(|part| part.join("\n")).collect()
}

/// A header's value, continuation lines joined and encoded words decoded.
fn header(head: &str, name: &str) -> String {
    let mut lines = head.lines();
    let first = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let Some(first) = first else {
        return String::new();
    };
    let more = lines.take_while(|line| line.starts_with([' ', '\t']));
    let words = [first].into_iter().chain(more);
    // RFC 2047: blanks between two encoded words do not count.
    let value = words.map(str::trim).collect::<Vec<_>>().join(" ");
    decoded_words(&value.replace("?= =?", "?==?"))
}

/// Decodes the words of RFC 2047 in the encoding Q, which Go uses.
fn decoded_words(value: &str) -> String {
    let mut decoded = String::new();
    let mut rest = value;
    while let Some((before, after)) = split_once_ignoring_case(rest, "=?utf-8?q?") {
        let Some((word, after)) = after.split_once("?=") else {
            break;
        };
        decoded.push_str(before);
        decoded.push_str(&quoted_printable(word, true));
        rest = after;
    }
    decoded.push_str(rest);
    decoded
}

fn split_once_ignoring_case<'t>(text: &'t str, marker: &str) -> Option<(&'t str, &'t str)> {
    let start = text.to_ascii_lowercase().find(marker)?;
    Some((text.get(..start)?, text.get(start + marker.len()..)?))
}

/// Decodes quoted-printable; in a header, `_` is a blank.
fn quoted_printable(text: &str, is_header: bool) -> String {
    let joined = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'=').then(|| after.get(..2)).flatten();
        let code = code.and_then(|hex| std::str::from_utf8(hex).ok());
        rest = match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                after.get(2..).unwrap_or_default()
            }
            None => {
                bytes.push(if is_header && first == b'_' {
                    b' '
                } else {
                    first
                });
                after
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn both_parts_and_the_subject_are_decoded() {
        let mail = "Subject: =?utf-8?q?Contoso_=E2=80=93_a?=\n =?UTF-8?Q?_risk?= is accepted\n\
            From: alertmanager@example.org\nTo: <a@example.org>\n\
            Content-Type: multipart/alternative; boundary=b\n\n\
            --b\nContent-Transfer-Encoding: quoted-printable\n\
            Content-Type: text/plain; charset=UTF-8\n\nplain =E2=9C=93 one=\n line\n--b\n\
            Content-Type: text/html; charset=UTF-8\n\n<p class=3D\"x\">100% = all</p>\n--b--\n";
        let read = Mail::parse("on-call@example.org", &lines(mail));
        assert_eq!(read.subject, "Contoso – a risk is accepted");
        assert_eq!(read.from, "alertmanager@example.org");
        assert_eq!(read.to, "on-call@example.org");
        assert_eq!(read.text, "plain ✓ one line");
        assert_eq!(read.html, "<p class=\"x\">100% = all</p>");
    }

    #[test]
    fn only_the_boundary_ends_a_part() {
        let text = "before\n--\n-- \nAnn\n--b\n--b-c\n --b c\nafter";
        let mail = format!(
            "Content-Type: multipart/alternative;\n Boundary=\"b c\"; charset=UTF-8\n\n\
            Content-Type: text/plain\n\nno part\n\
            --b c  \nContent-Type: text/plain\n\n{text}\n\
            --b c\nContent-Type: text/html\n\n<p>--</p>\n--b c--\n\
            --b c\nContent-Type: text/html\n\nafter the end\n"
        );
        let read = Mail::parse("a", &lines(&mail));
        assert_eq!(read.text, text);
        assert_eq!(read.html, "<p>--</p>");
    }

    #[test]
    fn a_mail_without_head_or_parts_is_empty() {
        for text in ["", "\n", "no head", "Subject: =?utf-8?q?cut"] {
            let read = Mail::parse("a", &lines(text));
            assert_eq!((read.text, read.html), (String::new(), String::new()));
        }
    }
}
