use std::io;

/// Why a TLS handshake was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandshakeRefusal {
    /// The client presented no certificate, or one that is not accepted.
    ClientCertificate,
    /// The client refused, most often since it does not trust the server's
    /// certificate.
    ByClient,
    /// The client speaks no TLS, or no version or algorithm of this server.
    Protocol,
}

impl HandshakeRefusal {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::ClientCertificate, Self::ByClient, Self::Protocol];

    /// The reason for the failure of a handshake; `None` if the client only
    /// disconnected, as port scans and TCP health checks do.
    pub fn of(error: &io::Error) -> Option<Self> {
        use rustls::Error;
        let error: &Error = error.get_ref()?.downcast_ref()?;
        Some(match error {
            Error::NoCertificatesPresented | Error::InvalidCertificate(_) => {
                Self::ClientCertificate
            }
            Error::AlertReceived(_) => Self::ByClient,
            _ => Self::Protocol,
        })
    }

    /// The value of a label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCertificate => "client_certificate",
            Self::ByClient => "by_client",
            Self::Protocol => "protocol",
        }
    }

    /// What to do.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::ClientCertificate => {
                "give the client a certificate of an authority in client_ca_file, with a name of client_allowed_sans where that is set"
            }
            Self::ByClient => {
                "give the client the authority of cert_file, and let it use a host name of that certificate"
            }
            Self::Protocol => {
                "let the client use https, with a TLS version, cipher suite and curve of the web configuration"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{AlertDescription, CertificateError, Error};

    #[test]
    fn a_client_that_disconnects_is_not_refused() {
        let refused =
            |error: Error| HandshakeRefusal::of(&io::Error::new(io::ErrorKind::InvalidData, error));
        let expired = Error::InvalidCertificate(CertificateError::Expired);
        let unknown = Error::AlertReceived(AlertDescription::UnknownCA);
        for (error, expected) in [
            (expired, HandshakeRefusal::ClientCertificate),
            (
                Error::NoCertificatesPresented,
                HandshakeRefusal::ClientCertificate,
            ),
            (unknown, HandshakeRefusal::ByClient),
            (Error::DecryptError, HandshakeRefusal::Protocol),
        ] {
            assert_eq!(refused(error), Some(expected));
        }
        let disconnected = io::Error::from(io::ErrorKind::UnexpectedEof);
        assert_eq!(HandshakeRefusal::of(&disconnected), None);
    }
}
