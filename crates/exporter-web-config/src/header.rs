//! The headers that may be set, with the values they may have.

use strict_yaml::{Diagnostics, Entries, Text, suggest};

/// As in the family: these and no others, so that nobody breaks a scrape.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-XSS-Protection", &[]),
    ("Strict-Transport-Security", &[]),
];

const SECTION: &str = "http_server_config.headers";

pub(super) fn resolve(
    entries: &Entries<Text>,
    diagnostics: &mut Diagnostics,
) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    for (name, value) in &entries.0 {
        let known = HEADERS.iter().find(|(known, _)| *known == name.value);
        let Some((header, values)) = known else {
            let all = HEADERS.map(|(name, _)| name);
            diagnostics.error(
                name.span,
                SECTION,
                suggest::unknown("header", &name.value, &all),
            );
            continue;
        };
        let text = value.value.as_str();
        let path = format!("{SECTION}.{header}");
        if !values.is_empty() && !values.contains(&text) {
            diagnostics.error(value.span, path, format!("use {}", suggest::one_of(values)));
        } else if !text
            .bytes()
            .all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
        {
            diagnostics.error(value.span, path, "a header is one line of plain ASCII");
        } else {
            headers.push((*header, text.to_owned()));
        }
    }
    headers
}
