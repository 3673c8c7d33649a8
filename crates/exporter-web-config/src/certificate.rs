//! Certificates and keys, from a file or out of the configuration itself.

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use strict_yaml::{Diagnostics, Text, io_reason, is_world_readable, read_file};
use zeroize::Zeroizing;

/// Something that may stand in the file or be named by it. Where it does both,
/// the named file counts, as in the family.
pub(super) struct Source<'a> {
    pub(super) inline: Option<&'a Text>,
    pub(super) file: Option<&'a Text>,
    /// The key for the text, to which `_file` is added for the file.
    pub(super) key: &'static str,
}

impl<'a> Source<'a> {
    /// Where it is written; nothing where it is not, or only as an empty text.
    pub(super) fn text(&self) -> Option<&'a Text> {
        let written = |text: &&Text| !text.value.trim().is_empty();
        self.file.filter(written).or(self.inline.filter(written))
    }

    fn path(&self) -> String {
        let is_file = self.file.is_some_and(|text| !text.value.trim().is_empty());
        let ending = if is_file { "_file" } else { "" };
        format!("tls_server_config.{}{ending}", self.key)
    }

    /// The bytes, wiped after use.
    fn pem(&self, diagnostics: &mut Diagnostics) -> Option<Zeroizing<Vec<u8>>> {
        let text = self.text()?;
        if self.file.is_none_or(|file| file.value.trim().is_empty()) {
            return Some(Zeroizing::new(text.value.clone().into_bytes()));
        }
        let location = diagnostics.base().join(text.value.trim());
        match read_file(&location) {
            Ok(bytes) => {
                if self.key == "key" && is_world_readable(&location) {
                    let line = "everybody on this machine may read the private key; chmod 0600";
                    diagnostics.warn(text.span, self.path(), line);
                }
                Some(Zeroizing::new(bytes))
            }
            Err(error) => {
                let place = diagnostics.looked_for_in(&location);
                let line = format!(
                    "the file named here cannot be read ({}){place}",
                    io_reason(&error)
                );
                diagnostics.error(text.span, self.path(), line);
                None
            }
        }
    }

    /// A chain of certificates, the server's own first.
    pub(super) fn chain(
        &self,
        diagnostics: &mut Diagnostics,
    ) -> Option<Vec<CertificateDer<'static>>> {
        let text = self.text()?;
        let pem = self.pem(diagnostics)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let line = match chain {
            Ok(chain) if !chain.is_empty() => return Some(chain),
            Ok(_) => {
                "there is no PEM certificate here; convert DER with `openssl x509 -inform der`"
            }
            Err(_) => "a certificate is damaged or cut off; copy the whole of it again",
        };
        diagnostics.error(text.span, self.path(), line);
        None
    }

    /// A private key.
    pub(super) fn private_key(
        &self,
        diagnostics: &mut Diagnostics,
    ) -> Option<PrivateKeyDer<'static>> {
        let text = self.text()?;
        let pem = self.pem(diagnostics)?;
        if let Ok(key) = PrivateKeyDer::from_pem_slice(&pem) {
            return Some(key);
        }
        let encrypted = [
            &b"BEGIN ENCRYPTED PRIVATE KEY"[..],
            b"Proc-Type: 4,ENCRYPTED",
        ];
        let is_encrypted = encrypted
            .iter()
            .any(|span| pem.windows(span.len()).any(|w| w == *span));
        let line = if is_encrypted {
            "the private key has a passphrase, which nobody could type here; remove it with `openssl pkey`"
        } else {
            "there is no PEM private key here; it begins with -----BEGIN PRIVATE KEY-----, or with RSA or EC before PRIVATE"
        };
        diagnostics.error(text.span, self.path(), line);
        None
    }

    /// Certificate authorities.
    pub(super) fn roots(&self, diagnostics: &mut Diagnostics) -> Option<RootCertStore> {
        let text = self.text()?;
        let chain = self.chain(diagnostics)?;
        let mut roots = RootCertStore::empty();
        if chain.into_iter().all(|one| roots.add(one).is_ok()) {
            return Some(roots);
        }
        let line = "a certificate is damaged or cut off; copy the whole of it again";
        diagnostics.error(text.span, self.path(), line);
        None
    }
}
