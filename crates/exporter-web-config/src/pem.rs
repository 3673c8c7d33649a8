use crate::client_auth::Authorities;
use crate::{certificates, pem_lines};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use strict_yaml::{Diagnostics, Text, io_reason, is_world_readable, read_file};
use zeroize::Zeroizing;

/// PEM data: inline, or in a file that is named. The file takes precedence, as
/// in the Go exporters.
pub(crate) struct PemSource<'a> {
    pub(crate) inline: Option<&'a Text>,
    pub(crate) file: Option<&'a Text>,
    /// The YAML key of the inline text; that of the file ends in `_file`.
    pub(crate) key: &'static str,
}

impl<'a> PemSource<'a> {
    /// The value that takes effect; an empty one counts as absent.
    pub(crate) fn text(&self) -> Option<&'a Text> {
        let written = |text: &&Text| !text.value.trim().is_empty();
        self.file.filter(written).or(self.inline.filter(written))
    }

    fn path(&self) -> String {
        let is_file = self.file.is_some_and(|text| !text.value.trim().is_empty());
        let ending = if is_file { "_file" } else { "" };
        format!("tls_server_config.{}{ending}", self.key)
    }

    /// The bytes, zeroed when dropped.
    fn pem(&self, diagnostics: &mut Diagnostics) -> Option<Zeroizing<Vec<u8>>> {
        let text = self.text()?;
        if self.file.is_none_or(|file| file.value.trim().is_empty()) {
            return Some(Zeroizing::new(text.value.clone().into_bytes()));
        }
        let location = diagnostics.base().join(text.value.trim());
        match read_file(&location) {
            Ok(bytes) => {
                if self.key == "key" && is_world_readable(&location) {
                    let message =
                        "the private key is readable by every user of this machine; chmod 0600";
                    diagnostics.warn(text.span, self.path(), message);
                }
                Some(Zeroizing::new(bytes))
            }
            Err(error) => {
                let place = diagnostics.looked_for_in(&location);
                let message = format!(
                    "the file named here cannot be read ({}){place}",
                    io_reason(&error)
                );
                diagnostics.error(text.span, self.path(), message);
                None
            }
        }
    }

    /// A certificate chain, the leaf first.
    pub(crate) fn chain(
        &self,
        diagnostics: &mut Diagnostics,
    ) -> Option<Vec<CertificateDer<'static>>> {
        let text = self.text()?;
        let pem = self.pem(diagnostics)?;
        match certificates(&pem) {
            Ok(chain) => Some(chain),
            Err(error) => {
                let message = format!("the PEM text {error}");
                diagnostics.error(text.span, self.path(), message);
                None
            }
        }
    }

    /// A private key.
    pub(crate) fn private_key(
        &self,
        diagnostics: &mut Diagnostics,
    ) -> Option<PrivateKeyDer<'static>> {
        let text = self.text()?;
        let pem = pem_lines(&self.pem(diagnostics)?);
        if let Ok(key) = PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            return Some(relabelled(key));
        }
        let encrypted = ["BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"];
        let message = if encrypted.iter().any(|marker| pem.contains(marker)) {
            "the private key is encrypted; decrypt it with `openssl pkey -in OLD -out NEW`"
        } else {
            "no PEM private key found; it begins with -----BEGIN PRIVATE KEY-----, or with RSA or EC before PRIVATE"
        };
        diagnostics.error(text.span, self.path(), message);
        None
    }

    /// Certificate authorities.
    pub(crate) fn authorities(&self, diagnostics: &mut Diagnostics) -> Option<Authorities> {
        let text = self.text()?;
        let listed = self.chain(diagnostics)?;
        let mut roots = RootCertStore::empty();
        if listed.iter().all(|one| roots.add(one.clone()).is_ok()) {
            return Some(Authorities { roots, listed });
        }
        let message = "a certificate is damaged or truncated; copy the complete certificate again";
        diagnostics.error(text.span, self.path(), message);
        None
    }
}

/// Key Vault writes PKCS#1 under the label of PKCS#8.
fn relabelled(key: PrivateKeyDer<'static>) -> PrivateKeyDer<'static> {
    match key {
        PrivateKeyDer::Pkcs8(key) if any_supported_type(&key.clone_key().into()).is_err() => {
            PrivateKeyDer::Pkcs1(key.secret_pkcs8_der().to_vec().into())
        }
        key => key,
    }
}
