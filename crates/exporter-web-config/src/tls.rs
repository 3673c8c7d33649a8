//! From the section of the file to what secures a connection.

use super::algorithm;
use super::certificate::Source;
use super::client::{self, ClientAuth, NAMES};
use super::file::TlsSection;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::{RootCertStore, ServerConfig};
use std::sync::Arc;
use std::time::SystemTime;
use strict_yaml::{Diagnostics, Span, Text, suggest, unknown_keys};
use x509_parser::parse_x509_certificate;

const SECTION: &str = "tls_server_config";
const AUTH_TYPE: &str = "tls_server_config.client_auth_type";

/// What the section comes to.
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    /// Whether every client has shown a good certificate.
    pub(super) client_certificates: bool,
}

/// Nothing where the section switches nothing on, or where there is a fault.
pub(super) fn resolve(
    section: &TlsSection,
    http2: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Tls> {
    unknown_keys(SECTION, &section.unknown, TlsSection::KEYS, diagnostics);
    let source = |inline, file, key| Source { inline, file, key };
    let certificate = source(section.cert.as_ref(), section.cert_file.as_ref(), "cert");
    let key = source(section.key.as_ref(), section.key_file.as_ref(), "key");
    let authority = source(
        section.client_ca.as_ref(),
        section.client_ca_file.as_ref(),
        "client_ca",
    );
    let auth_type = section.client_auth_type.as_ref();
    let auth_type = auth_type.filter(|text| !text.value.trim().is_empty());
    let auth = auth_type.map_or(Some(ClientAuth::No), |text| auth(text, diagnostics));
    let first = [certificate.text(), key.text(), authority.text(), auth_type];
    let Some(span) = first.into_iter().flatten().map(|text| text.span).min() else {
        without_certificate(section, diagnostics);
        return None;
    };
    for (source, name) in [(&certificate, "cert"), (&key, "key")] {
        if source.text().is_none() {
            let line = format!("{name}_file is missing; name the PEM file, or give {name} itself");
            diagnostics.error(span, SECTION, line);
        }
    }
    let chain = certificate.chain(diagnostics);
    let private_key = key.private_key(diagnostics);
    let roots = authority.roots(diagnostics);
    if let Some(auth) = auth {
        check_authority(auth, &authority, auth_type, diagnostics);
    }
    let provider = provider(section, http2, diagnostics);
    let versions = algorithm::versions(
        section.min_version.as_ref(),
        section.max_version.as_ref(),
        diagnostics,
    );
    let (chain, private_key, auth) = (chain?, private_key?, auth?);
    if versions.is_empty() {
        return None;
    }
    let is_certificate = certificate.text()?.span;
    warn_if_ended(&chain, is_certificate, diagnostics);
    let names = section.client_allowed_sans.iter().flatten();
    let names = names.map(|text| text.value.clone()).collect();
    let verifier = match auth.verifies() && roots.is_none() {
        true => return None,
        false => {
            let roots = roots.unwrap_or_else(RootCertStore::empty);
            client::verifier(auth, roots, names, &provider).ok()?
        }
    };
    let builder = ServerConfig::builder_with_provider(provider);
    let Ok(builder) = builder.with_protocol_versions(&versions) else {
        let line = "no cipher suite fits the versions; leave out cipher_suites, or allow TLS13";
        diagnostics.error(span, SECTION, line);
        return None;
    };
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = match builder.with_single_cert(chain, private_key) {
        Ok(config) => config,
        Err(error) => {
            diagnostics.error(is_certificate, SECTION, does_not_fit(&error));
            return None;
        }
    };
    config.ignore_client_order = switch(
        section.prefer_server_cipher_suites.as_ref(),
        "prefer_server_cipher_suites",
        diagnostics,
    );
    let h2: &[&[u8]] = if http2 { &[b"h2"] } else { &[] };
    let protocols = h2.iter().copied().chain([&b"http/1.1"[..]]);
    config.alpn_protocols = protocols.map(<[u8]>::to_vec).collect();
    Some(Tls {
        config: Arc::new(config),
        client_certificates: auth == ClientAuth::RequireAndVerify,
    })
}

/// Settings that secure nothing are most likely a certificate forgotten.
fn without_certificate(section: &TlsSection, diagnostics: &mut Diagnostics) {
    let set = [
        &section.min_version,
        &section.max_version,
        &section.prefer_server_cipher_suites,
    ];
    let lists = [
        &section.cipher_suites,
        &section.curve_preferences,
        &section.client_allowed_sans,
    ];
    let in_lists = lists.into_iter().flatten().filter_map(|list| list.first());
    if let Some(text) = set.into_iter().flatten().chain(in_lists).next() {
        let line = "without cert_file and key_file connections are not encrypted";
        diagnostics.warn(text.span, SECTION, line);
    }
}

fn auth(text: &Text, diagnostics: &mut Diagnostics) -> Option<ClientAuth> {
    let written = text.value.trim();
    let found = NAMES.iter().find(|(name, _)| *name == written);
    if found.is_none() {
        let names = NAMES.map(|(name, _)| name);
        diagnostics.error(
            text.span,
            AUTH_TYPE,
            suggest::unknown("type", written, &names),
        );
    }
    found.map(|(_, auth)| *auth)
}

fn check_authority(
    auth: ClientAuth,
    authority: &Source<'_>,
    auth_type: Option<&Text>,
    diagnostics: &mut Diagnostics,
) {
    match (auth.verifies(), authority.text(), auth_type) {
        (true, None, Some(text)) => diagnostics.error(
            text.span,
            AUTH_TYPE,
            "against which authority? Name its certificates as client_ca_file",
        ),
        (false, Some(text), _) if auth == ClientAuth::No => diagnostics.error(
            text.span,
            SECTION,
            "client certificates have an authority, but none is asked for; set client_auth_type: RequireAndVerifyClientCert",
        ),
        _ => {}
    }
}

fn provider(
    section: &TlsSection,
    http2: bool,
    diagnostics: &mut Diagnostics,
) -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    let least = section.min_version.as_ref();
    let only_13 = least.is_some_and(|text| text.value.trim() == "TLS13");
    let chosen = section.cipher_suites.as_deref();
    provider.cipher_suites = algorithm::suites(chosen, http2, only_13, diagnostics);
    let curves = algorithm::curves(section.curve_preferences.as_deref(), diagnostics);
    if let Some(curves) = curves.filter(|curves| !curves.is_empty()) {
        provider.kx_groups = curves;
    }
    Arc::new(provider)
}

fn does_not_fit(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            "key and certificate do not belong together; give the pair that was made together"
        }
        _ => {
            "this certificate or key cannot be used; use RSA with 2048 bits or more, ECDSA P-256 or P-384, or Ed25519"
        }
    }
}

/// A certificate that has ended is refused by every client, with an error that
/// they show and we do not.
fn warn_if_ended(chain: &[CertificateDer<'_>], span: Span, diagnostics: &mut Diagnostics) {
    let own = chain
        .first()
        .and_then(|own| parse_x509_certificate(own).ok());
    let Some((_, own)) = own else { return };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |it| i64::try_from(it.as_secs()).unwrap_or(i64::MAX));
    if own.validity().not_after.timestamp() < now {
        let line = "the certificate has ended; every client will refuse it";
        diagnostics.warn(span, SECTION, line);
    }
}

/// `true` where nothing is said.
pub(super) fn switch(text: Option<&Text>, key: &str, diagnostics: &mut Diagnostics) -> bool {
    match text.map(|text| (text, text.value.trim())) {
        None | Some((_, "true")) => true,
        Some((_, "false")) => false,
        Some((text, _)) => {
            diagnostics.error(text.span, key, "neither true nor false; write one of them");
            true
        }
    }
}
