use rustls::{CertificateError, Error};
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
        Some(match tls_error(error)? {
            Error::NoCertificatesPresented | Error::InvalidCertificate(_) => {
                Self::ClientCertificate
            }
            Error::AlertReceived(_) => Self::ByClient,
            _ => Self::Protocol,
        })
    }

    /// The failure of a handshake in a clause. The library has only the name of a
    /// type for most faults of a certificate.
    pub fn describe(error: &io::Error) -> String {
        let fault = match tls_error(error) {
            Some(Error::NoCertificatesPresented) => Some("the client presented no certificate"),
            Some(Error::InvalidCertificate(fault)) => certificate_fault(fault),
            _ => None,
        };
        fault.map_or_else(|| error.to_string(), str::to_owned)
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

fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn certificate_fault(fault: &CertificateError) -> Option<&'static str> {
    Some(match fault {
        // The second one: another authority of the same name is accepted.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the certificate is from an authority that is not accepted here"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate is not one for clients (extendedKeyUsage)"
        }
        CertificateError::ApplicationVerificationFailure => {
            "the certificate has no name of client_allowed_sans"
        }
        // The library has no public type for it.
        CertificateError::Other(other) if other.0.to_string() == "CaUsedAsEndEntity" => {
            "the certificate is that of an authority (CA:TRUE), which a client cannot use"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::AlertDescription;

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

    #[test]
    fn a_fault_of_a_certificate_is_described() {
        let describe = |error: Error| HandshakeRefusal::describe(&io::Error::other(error));
        for (fault, text) in [
            (CertificateError::BadSignature, "an authority that is not"),
            (CertificateError::Expired, "has expired"),
            (CertificateError::NotValidYet, "is not valid yet"),
            (CertificateError::InvalidPurpose, "extendedKeyUsage"),
            (
                CertificateError::ApplicationVerificationFailure,
                "client_allowed_sans",
            ),
            (CertificateError::Revoked, "Revoked"),
        ] {
            let described = describe(Error::InvalidCertificate(fault));
            assert!(described.contains(text), "{described}");
        }
        let none = describe(Error::NoCertificatesPresented);
        assert_eq!(none, "the client presented no certificate");
        assert_eq!(
            describe(Error::DecryptError),
            Error::DecryptError.to_string()
        );
    }
}
