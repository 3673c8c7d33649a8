use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};
use strict_yaml::{Diagnostics, Text, suggest};

/// The supported suites of TLS 1.2, by their names in Go.
const TLS12_SUITES: [(&str, SupportedCipherSuite); 6] = [
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

/// The suites of TLS 1.3, which are always offered, as in Go.
const TLS13_SUITES: [(&str, SupportedCipherSuite); 3] = [
    (
        "TLS_AES_128_GCM_SHA256",
        cipher_suite::TLS13_AES_128_GCM_SHA256,
    ),
    (
        "TLS_AES_256_GCM_SHA384",
        cipher_suite::TLS13_AES_256_GCM_SHA384,
    ),
    (
        "TLS_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ),
];

/// Suites of Go that rustls does not support: those with CBC, and those
/// without forward secrecy.
const UNSUPPORTED_SUITES: [&str; 8] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
];

/// HTTP/2 over TLS 1.2 requires one of these.
const HTTP2_SUITES: [&str; 2] = [
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
];

/// The supported key exchange groups, by their names in Go.
const CURVES: [(&str, &dyn SupportedKxGroup); 4] = [
    ("CurveP256", kx_group::SECP256R1),
    ("CurveP384", kx_group::SECP384R1),
    ("X25519", kx_group::X25519),
    ("X25519MLKEM768", kx_group::X25519MLKEM768),
];

/// A curve of Go that rustls does not support.
const UNSUPPORTED_CURVE: &str = "CurveP521";

const SUITES: &str = "tls_server_config.cipher_suites";
const CURVE_PREFERENCES: &str = "tls_server_config.curve_preferences";

/// The suites to offer.
pub(crate) fn suites(
    chosen: Option<&[Text]>,
    http2: bool,
    only_tls13: bool,
    diagnostics: &mut Diagnostics,
) -> Vec<SupportedCipherSuite> {
    let tls13 = TLS13_SUITES.iter().map(|(_, suite)| *suite);
    let Some(chosen) = chosen.filter(|list| !list.is_empty()) else {
        return tls13
            .chain(TLS12_SUITES.iter().map(|(_, suite)| *suite))
            .collect();
    };
    let mut suites: Vec<SupportedCipherSuite> = tls13.collect();
    let (mut supported, mut unsupported) = (0, 0);
    for text in chosen {
        let name = text.value.trim();
        if let Some((_, suite)) = TLS12_SUITES.iter().find(|(known, _)| *known == name) {
            suites.push(*suite);
            supported += 1;
        } else if TLS13_SUITES.iter().any(|(known, _)| *known == name) {
            supported += 1;
        } else if UNSUPPORTED_SUITES.contains(&name) {
            unsupported += 1;
            diagnostics.warn(
                text.span,
                SUITES,
                format!("{name} is not supported; the other suites are used"),
            );
        } else {
            let all: Vec<&str> = names().collect();
            diagnostics.error(
                text.span,
                SUITES,
                suggest::unknown("cipher suite", name, &all),
            );
        }
    }
    let Some(first) = chosen.first() else {
        return suites;
    };
    if supported == 0 && unsupported == chosen.len() {
        let all: Vec<&str> = names().collect();
        diagnostics.error(
            first.span,
            SUITES,
            format!(
                "none of these is supported; add one of {}",
                suggest::one_of(&all)
            ),
        );
    }
    let has_http2_suite = chosen
        .iter()
        .any(|text| HTTP2_SUITES.contains(&text.value.trim()));
    if http2 && !only_tls13 && !has_http2_suite && supported > 0 {
        diagnostics.error(
            first.span,
            SUITES,
            format!(
                "HTTP/2 requires {}; add one, or set http_server_config.http2: false",
                suggest::one_of(&HTTP2_SUITES)
            ),
        );
    }
    suites
}

fn names() -> impl Iterator<Item = &'static str> {
    TLS12_SUITES
        .iter()
        .chain(&TLS13_SUITES)
        .map(|(name, _)| *name)
}

/// The key exchange groups, in the order of the file, which is that of
/// preference.
pub(crate) fn curves(
    chosen: Option<&[Text]>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<&'static dyn SupportedKxGroup>> {
    let chosen = chosen.filter(|list| !list.is_empty())?;
    let mut groups = Vec::new();
    let mut has_unknown = false;
    for text in chosen {
        let name = text.value.trim();
        if let Some((_, group)) = CURVES.iter().find(|(known, _)| *known == name) {
            groups.push(*group);
        } else if name == UNSUPPORTED_CURVE {
            let message = "CurveP521 is not supported; the other curves are used";
            diagnostics.warn(text.span, CURVE_PREFERENCES, message);
        } else {
            has_unknown = true;
            let all = CURVES.map(|(name, _)| name);
            diagnostics.error(
                text.span,
                CURVE_PREFERENCES,
                suggest::unknown("curve", name, &all),
            );
        }
    }
    if let (true, false, Some(first)) = (groups.is_empty(), has_unknown, chosen.first()) {
        let all = CURVES.map(|(name, _)| name);
        let message = format!(
            "none of these is supported; add one of {}",
            suggest::one_of(&all)
        );
        diagnostics.error(first.span, CURVE_PREFERENCES, message);
    }
    Some(groups)
}

const VERSIONS: [&str; 4] = ["TLS10", "TLS11", "TLS12", "TLS13"];

/// The versions to offer, the newest first.
pub(crate) fn versions(
    min: Option<&Text>,
    max: Option<&Text>,
    diagnostics: &mut Diagnostics,
) -> Vec<&'static SupportedProtocolVersion> {
    let mut number = |key: &str, text: &Text| {
        let found = VERSIONS.iter().position(|name| *name == text.value.trim());
        if found.is_none() {
            let path = format!("tls_server_config.{key}");
            diagnostics.error(
                text.span,
                path,
                suggest::unknown("TLS version", &text.value, &VERSIONS),
            );
        }
        found
    };
    let lowest = min.and_then(|text| number("min_version", text));
    let highest = max
        .and_then(|text| number("max_version", text))
        .unwrap_or(3);
    if let (Some(0 | 1), Some(text)) = (lowest, min) {
        let message = "TLS below 1.2 is not supported; the minimum is TLS12";
        diagnostics.warn(text.span, "tls_server_config.min_version", message);
    }
    let lowest = lowest.unwrap_or(2).max(2);
    if highest < lowest
        && let Some(text) = max
    {
        let message = "no supported version is left; use TLS12 or TLS13, not below min_version";
        diagnostics.error(text.span, "tls_server_config.max_version", message);
    }
    let all = [(3, &rustls::version::TLS13), (2, &rustls::version::TLS12)];
    let wanted = all
        .into_iter()
        .filter(|(n, _)| (lowest..=highest).contains(n));
    wanted.map(|(_, version)| version).collect()
}
