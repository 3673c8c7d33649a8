use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
};
use strict_yaml::{Diagnostics, Entries, Text, suggest};

/// The headers that the Go exporters allow, and the values of those with a
/// closed set. No other header may be set, so that none breaks a scrape.
const HEADERS: [(&str, HeaderName, &[&str]); 5] = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY, &[]),
    ("X-Frame-Options", X_FRAME_OPTIONS, &["deny", "sameorigin"]),
    (
        "X-Content-Type-Options",
        X_CONTENT_TYPE_OPTIONS,
        &["nosniff"],
    ),
    ("X-XSS-Protection", X_XSS_PROTECTION, &[]),
    ("Strict-Transport-Security", STRICT_TRANSPORT_SECURITY, &[]),
];

const SECTION: &str = "http_server_config.headers";

pub(crate) fn resolve(
    entries: &Entries<Text>,
    diagnostics: &mut Diagnostics,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    for (name, value) in &entries.0 {
        let known = HEADERS.into_iter().find(|(known, ..)| *known == name.value);
        let Some((yaml_name, header, values)) = known else {
            let all = HEADERS.map(|(name, ..)| name);
            let message = suggest::unknown("header", &name.value, &all);
            diagnostics.error(name.span, SECTION, message);
            continue;
        };
        let text = value.value.as_str();
        let message = match HeaderValue::from_str(text) {
            _ if !values.is_empty() && !values.contains(&text) => {
                format!("use {}", suggest::one_of(values))
            }
            Ok(value) => {
                headers.push((header, value));
                continue;
            }
            Err(_) => "not a header value; write one line of printable ASCII".to_owned(),
        };
        diagnostics.error(value.span, format_args!("{SECTION}.{yaml_name}"), message);
    }
    headers
}
