use strict_yaml::{Entries, Text, section};

section! {
    /// The whole file, with the keys of the Go exporters.
    WebFile {
        tls_server_config: TlsSection,
        http_server_config: HttpSection,
        basic_auth_users: Entries<Text>,
        rate_limit: RateSection,
    }
}

section! {
    TlsSection {
        cert: Text,
        key: Text,
        client_ca: Text,
        cert_file: Text,
        key_file: Text,
        client_ca_file: Text,
        client_auth_type: Text,
        client_allowed_sans: Vec<Text>,
        min_version: Text,
        max_version: Text,
        cipher_suites: Vec<Text>,
        prefer_server_cipher_suites: Text,
        curve_preferences: Vec<Text>,
    }
}

section! {
    HttpSection {
        http2: Text,
        headers: Entries<Text>,
    }
}

section! {
    RateSection {
        interval: Text,
        burst: Text,
    }
}
