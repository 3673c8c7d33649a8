use crate::VerifiedCertificates;
use crate::algorithms;
use crate::client_auth::{self, Authorities, ClientAuth, NAMES};
use crate::file::TlsSection;
use crate::pem::PemSource;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use std::time::SystemTime;
use strict_yaml::{Diagnostics, Span, Text, suggest, unknown_keys};
use x509_parser::parse_x509_certificate;

const SECTION: &str = "tls_server_config";
const AUTH_TYPE: &str = "tls_server_config.client_auth_type";

pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) requires_certificates: bool,
    pub(crate) verified_certificates: VerifiedCertificates,
}

/// `None` if the section does not enable TLS, or has an error.
pub(crate) fn resolve(
    section: &TlsSection,
    http2: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Tls> {
    unknown_keys(SECTION, &section.unknown, TlsSection::KEYS, diagnostics);
    let source = |inline, file, key| PemSource { inline, file, key };
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
            let message = format!("{name}_file is missing; name the PEM file, or set {name}");
            diagnostics.error(span, SECTION, message);
        }
    }
    let chain = certificate.chain(diagnostics);
    let private_key = key.private_key(diagnostics);
    let authorities = match (auth, authority.text(), auth_type) {
        (Some(auth), None, Some(text)) if auth.verifies() => system_authorities(text, diagnostics),
        (Some(ClientAuth::No), Some(text), _) => {
            let message = "there is an authority, but no client certificate is requested; set client_auth_type: RequireAndVerifyClientCert";
            diagnostics.error(text.span, SECTION, message);
            None
        }
        _ => authority.authorities(diagnostics),
    };
    let provider = provider(section, http2, diagnostics);
    let versions = algorithms::versions(
        section.min_version.as_ref(),
        section.max_version.as_ref(),
        diagnostics,
    );
    let (chain, private_key, auth) = (chain?, private_key?, auth?);
    if versions.is_empty() {
        return None;
    }
    let certificate_span = certificate.text()?.span;
    warn_if_expired(&chain, certificate_span, diagnostics);
    let names = section.client_allowed_sans.iter().flatten();
    let names = names.map(|text| text.value.clone()).collect();
    if auth.verifies() && authorities.is_none() {
        return None;
    }
    let verifier = client_auth::verifier(auth, authorities, names, &provider).ok()?;
    let builder = ServerConfig::builder_with_provider(provider);
    let Ok(builder) = builder.with_protocol_versions(&versions) else {
        let message =
            "no cipher suite supports these TLS versions; remove cipher_suites, or allow TLS13";
        diagnostics.error(span, SECTION, message);
        return None;
    };
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = match builder.with_single_cert(chain, private_key) {
        Ok(config) => config,
        Err(error) => {
            diagnostics.error(certificate_span, SECTION, certificate_error(&error));
            return None;
        }
    };
    config.ignore_client_order = boolean(
        section.prefer_server_cipher_suites.as_ref(),
        "tls_server_config.prefer_server_cipher_suites",
        diagnostics,
    );
    let h2: &[&[u8]] = if http2 { &[b"h2"] } else { &[] };
    let protocols = h2.iter().copied().chain([&b"http/1.1"[..]]);
    config.alpn_protocols = protocols.map(<[u8]>::to_vec).collect();
    Some(Tls {
        config: Arc::new(config),
        requires_certificates: auth.requires(),
        verified_certificates: match auth {
            _ if authority.text().is_none() => VerifiedCertificates::None,
            ClientAuth::RequireAndVerify => VerifiedCertificates::Required,
            ClientAuth::VerifyIfGiven => VerifiedCertificates::IfPresented,
            _ => VerifiedCertificates::None,
        },
    })
}

/// Warns of TLS settings without a certificate: it was probably forgotten.
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
        let message = "without cert_file and key_file connections are not encrypted";
        diagnostics.warn(text.span, SECTION, message);
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

/// The authorities of a file that names none, with `text` as the type of
/// verification.
fn system_authorities(text: &Text, diagnostics: &mut Diagnostics) -> Option<Authorities> {
    let authorities = Authorities::of_system();
    match authorities {
        Some(_) => diagnostics.warn(
            text.span,
            AUTH_TYPE,
            "without client_ca_file, certificates of every authority that this system trusts are accepted, which everyone can get, so they authenticate no client; set client_ca_file",
        ),
        None => diagnostics.error(
            text.span,
            AUTH_TYPE,
            "client certificates are verified, but this system has no authorities; set client_ca_file",
        ),
    }
    authorities
}

fn provider(
    section: &TlsSection,
    http2: bool,
    diagnostics: &mut Diagnostics,
) -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    let min = section.min_version.as_ref();
    let only_tls13 = min.is_some_and(|text| text.value.trim() == "TLS13");
    let chosen = section.cipher_suites.as_deref();
    provider.cipher_suites = algorithms::suites(chosen, http2, only_tls13, diagnostics);
    let curves = algorithms::curves(section.curve_preferences.as_deref(), diagnostics);
    if let Some(curves) = curves.filter(|curves| !curves.is_empty()) {
        provider.kx_groups = curves;
    }
    Arc::new(provider)
}

fn certificate_error(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            "the private key does not belong to the certificate; use the key of this certificate"
        }
        _ => {
            "this certificate or key is not supported; use RSA with 2048 bits or more, ECDSA P-256 or P-384, or Ed25519"
        }
    }
}

/// Clients reject an expired certificate, and only they report it.
fn warn_if_expired(chain: &[CertificateDer<'_>], span: Span, diagnostics: &mut Diagnostics) {
    let own = chain
        .first()
        .and_then(|own| parse_x509_certificate(own).ok());
    let Some((_, own)) = own else { return };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |it| i64::try_from(it.as_secs()).unwrap_or(i64::MAX));
    if own.validity().not_after.timestamp() < now {
        let message = "the certificate has expired, and clients reject it; renew it";
        diagnostics.warn(span, SECTION, message);
    }
}

/// A boolean, `true` by default.
pub(crate) fn boolean(text: Option<&Text>, key: &str, diagnostics: &mut Diagnostics) -> bool {
    match text.map(|text| (text, text.value.trim())) {
        None | Some((_, "true")) => true,
        Some((_, "false")) => false,
        Some((text, _)) => {
            diagnostics.error(text.span, key, "not a boolean; write true or false");
            true
        }
    }
}
