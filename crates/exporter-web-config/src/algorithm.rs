//! TLS versions, cipher suites and curves, by their names in Go.

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};
use strict_yaml::{Diagnostics, Text, suggest};

/// The suites of TLS 1.2 we have. Those of TLS 1.3 cannot be chosen, as in Go.
const SUITES_12: [(&str, SupportedCipherSuite); 6] = [
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

const SUITES_13: [(&str, SupportedCipherSuite); 3] = [
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

/// What Go has and we do not: suites that encrypt with CBC, or exchange keys
/// without forward secrecy.
const SUITES_OF_GO: [&str; 8] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
];

/// One of these is what HTTP/2 demands of TLS 1.2.
const OF_HTTP2: [&str; 2] = [
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
];

/// The exchange of keys: the four that can be chosen, and what stands for them.
const CURVES: [(&str, &dyn SupportedKxGroup); 4] = [
    ("CurveP256", kx_group::SECP256R1),
    ("CurveP384", kx_group::SECP384R1),
    ("X25519", kx_group::X25519),
    ("X25519MLKEM768", kx_group::X25519MLKEM768),
];

/// What Go has and we do not.
const CURVE_OF_GO: &str = "CurveP521";

const SUITES: &str = "tls_server_config.cipher_suites";
const CURVE_PREFERENCES: &str = "tls_server_config.curve_preferences";

/// The suites to offer, all those of TLS 1.3 among them.
pub(super) fn suites(
    chosen: Option<&[Text]>,
    http2: bool,
    only_13: bool,
    diagnostics: &mut Diagnostics,
) -> Vec<SupportedCipherSuite> {
    let of_13 = SUITES_13.iter().map(|(_, suite)| *suite);
    let Some(chosen) = chosen.filter(|list| !list.is_empty()) else {
        return of_13
            .chain(SUITES_12.iter().map(|(_, suite)| *suite))
            .collect();
    };
    let mut suites: Vec<SupportedCipherSuite> = of_13.collect();
    let (mut known, mut ours) = (0, 0);
    for text in chosen {
        let name = text.value.trim();
        if let Some((_, suite)) = SUITES_12.iter().find(|(ours, _)| *ours == name) {
            suites.push(*suite);
            ours += 1;
        } else if SUITES_13.iter().any(|(ours, _)| *ours == name) {
            ours += 1;
        } else if SUITES_OF_GO.contains(&name) {
            known += 1;
            diagnostics.warn(
                text.span,
                SUITES,
                format!("this exporter does not have {name}; the others are used"),
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
    if ours == 0 && known == chosen.len() {
        let all: Vec<&str> = names().collect();
        diagnostics.error(
            first.span,
            SUITES,
            format!(
                "none of these is available here; add one of {}",
                suggest::one_of(&all)
            ),
        );
    }
    let demanded = chosen
        .iter()
        .any(|text| OF_HTTP2.contains(&text.value.trim()));
    if http2 && !only_13 && !demanded && ours > 0 {
        diagnostics.error(
            first.span,
            SUITES,
            format!(
                "HTTP/2 demands {}; add one, or set http_server_config.http2: false",
                suggest::one_of(&OF_HTTP2)
            ),
        );
    }
    suites
}

fn names() -> impl Iterator<Item = &'static str> {
    SUITES_12.iter().chain(&SUITES_13).map(|(name, _)| *name)
}

/// How keys may be exchanged; the order of the file is the order of preference.
pub(super) fn curves(
    chosen: Option<&[Text]>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<&'static dyn SupportedKxGroup>> {
    let chosen = chosen.filter(|list| !list.is_empty())?;
    let mut groups = Vec::new();
    let mut refused = false;
    for text in chosen {
        let name = text.value.trim();
        if let Some((_, group)) = CURVES.iter().find(|(ours, _)| *ours == name) {
            groups.push(*group);
        } else if name == CURVE_OF_GO {
            let line = "this exporter does not have CurveP521; the others are used";
            diagnostics.warn(text.span, CURVE_PREFERENCES, line);
        } else {
            refused = true;
            let all = CURVES.map(|(name, _)| name);
            diagnostics.error(
                text.span,
                CURVE_PREFERENCES,
                suggest::unknown("curve", name, &all),
            );
        }
    }
    if let (true, false, Some(first)) = (groups.is_empty(), refused, chosen.first()) {
        let all = CURVES.map(|(name, _)| name);
        let line = format!(
            "none of these is available here; add one of {}",
            suggest::one_of(&all)
        );
        diagnostics.error(first.span, CURVE_PREFERENCES, line);
    }
    Some(groups)
}

const VERSIONS: [&str; 4] = ["TLS10", "TLS11", "TLS12", "TLS13"];

/// The versions to offer, newest first.
pub(super) fn versions(
    least: Option<&Text>,
    most: Option<&Text>,
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
    let lowest = least.and_then(|text| number("min_version", text));
    let highest = most
        .and_then(|text| number("max_version", text))
        .unwrap_or(3);
    if let (Some(0 | 1), Some(text)) = (lowest, least) {
        let line = "TLS below 1.2 is not spoken here; the least is TLS12";
        diagnostics.warn(text.span, "tls_server_config.min_version", line);
    }
    let lowest = lowest.unwrap_or(2).max(2);
    if highest < lowest
        && let Some(text) = most
    {
        let line =
            "no version is left that is spoken here; use TLS12 or TLS13, not below min_version";
        diagnostics.error(text.span, "tls_server_config.max_version", line);
    }
    let all = [(3, &rustls::version::TLS13), (2, &rustls::version::TLS12)];
    let wanted = all
        .into_iter()
        .filter(|(n, _)| (lowest..=highest).contains(n));
    wanted.map(|(_, version)| version).collect()
}
