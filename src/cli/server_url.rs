//! The URL of a server that a command asks.

use url::Url;

/// Why an URL on the command line may name no user.
const USER: &str = "every user of this machine can see a password on the command line; put an Authorization header into a --header-file";

/// An HTTP URL.
pub(super) fn server_url(text: &str) -> Result<Url, &'static str> {
    let url: Url = text.parse().map_err(
        |_| "not a URL; write one with http:// or https://, such as http://localhost:9090",
    )?;
    match matches!(url.scheme(), "http" | "https") && url.has_host() {
        true => Ok(url),
        false => Err(
            "not an HTTP URL; write one with http:// or https://, such as http://localhost:9090",
        ),
    }
}

/// The error for a URL with a user or a password. It is not one of [`server_url`]:
/// clap's error would repeat the value.
pub(super) fn user_conflict(url: &Url) -> Option<&'static str> {
    (!url.username().is_empty() || url.password().is_some()).then_some(USER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_url_is_an_http_url() {
        assert!(server_url("localhost:9090").is_err());
        assert!(server_url("https://tsdb.example/api/v1/write").is_ok());
    }

    #[test]
    fn a_password_has_its_place_in_a_file() {
        let conflict = |text| user_conflict(&server_url(text).unwrap());
        assert_eq!(conflict("http://localhost:9090"), None);
        for text in ["http://a@localhost", "http://:b@localhost"] {
            assert!(conflict(text).is_some(), "{text}");
        }
    }
}
