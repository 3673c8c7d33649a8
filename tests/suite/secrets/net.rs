//! What must not be found, in each form in which it could be.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use std::collections::BTreeMap;

/// A piece of a secret this long is no accident.
const TELLING: usize = 12;

/// The forms of all secrets, each with the name of its secret.
#[derive(Default)]
pub(crate) struct Net {
    forms: BTreeMap<Vec<u8>, String>,
}

impl Net {
    /// A secret of one piece.
    pub(crate) fn hide(&mut self, name: &str, secret: &str) {
        let secret = secret.trim();
        assert!(secret.len() >= TELLING, "{name} is too short to look for");
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        // Within a longer text base64 begins elsewhere; its middle stays alike.
        let base64 = [0, 1, 2].map(|offset| {
            let padded = format!("{}{secret}", &"   "[..offset]);
            let text = BASE64_STANDARD.encode(padded);
            text[4..text.len() - 4].to_owned()
        });
        let safe = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let json = serde_json::to_string(secret).unwrap();
        let each = |encode: &dyn Fn(u8) -> String| secret.bytes().map(encode).collect::<String>();
        let others = [
            each(&|byte| format!("{byte:02x}")),
            each(&|byte| format!("{byte:02X}")),
            each(&|byte| format!("%{byte:02X}")),
            each(&|byte| format!("&#{byte};")),
        ];
        let (start, end) = (&secret[..TELLING], &secret[secret.len() - TELLING..]);
        let forms = [secret, &encoded, &safe, json.trim_matches('"'), start, end];
        let longer = base64.iter().chain(&others).map(String::as_str);
        for form in forms.into_iter().chain(longer) {
            self.forms.insert(form.as_bytes().to_vec(), name.to_owned());
        }
    }

    /// A token of several parts. The first says how it is signed, and is no
    /// secret.
    pub(crate) fn hide_token(&mut self, name: &str, token: &str) {
        for part in token.split('.').skip(1).filter(|it| it.len() >= TELLING) {
            self.hide(name, part);
        }
        self.forms
            .insert(token.as_bytes().to_vec(), name.to_owned());
    }

    /// A private key in PEM: each of its lines.
    pub(crate) fn hide_key(&mut self, name: &str, pem: &str) {
        let (_, key) = pem.split_once("PRIVATE KEY-----").expect("there is a key");
        let (key, _) = key.split_once("-----END").expect("it ends");
        for line in key.lines().filter(|line| line.len() > TELLING) {
            self.hide(name, line);
        }
    }

    /// Which secrets are in some bytes.
    pub(crate) fn search(&self, bytes: &[u8]) -> Vec<&str> {
        let mut found: Vec<_> = self
            .forms
            .iter()
            .filter(|(form, _)| holds(bytes, form))
            .map(|(_, name)| name.as_str())
            .collect();
        found.dedup();
        found
    }

    /// Fails where something is found in an output.
    #[track_caller]
    pub(crate) fn must_be_empty(&self, output: &str, bytes: &[u8]) {
        assert!(!self.forms.is_empty(), "nothing is looked for");
        let found = self.search(bytes);
        assert!(
            found.is_empty(),
            "{output} contains {found:?}:\n{}",
            String::from_utf8_lossy(bytes)
        );
    }
}

/// Whether one text is in another: by its rarest byte first, since outputs are
/// large and forms many.
fn holds(bytes: &[u8], form: &[u8]) -> bool {
    let Some(first) = form.first() else {
        return false;
    };
    let mut rest = bytes;
    while let Some(place) = rest.iter().position(|byte| byte == first) {
        rest = &rest[place..];
        if rest.starts_with(form) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[test]
fn the_net_catches_each_form_of_what_is_hidden() {
    let mut net = Net::default();
    net.hide("secret", "sim~aB/3\"xyz+0123456789");
    net.hide_token(
        "token",
        "eyJhbGciOiJub25lIn0.eyJ0aWQiOiJ0aGlzLW9uZSJ9.c2lnbmF0dXJlLW9mLWl0",
    );
    net.hide_key(
        "key",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n",
    );
    for (output, name) in [
        ("x sim~aB/3\"xyz+0123456789 y", "secret"),
        ("secret=sim%7EaB%2F3%22xyz%2B0123456789&x=1", "secret"),
        ("{\"it\": \"sim~aB/3\\\"xyz+0123456789\"}", "secret"),
        ("73696d7e61422f332278797a2b30313233343536373839", "secret"),
        ("its start is sim~aB/3\"xyz", "secret"),
        ("... xyz+0123456789", "secret"),
        ("Bearer eyJ0aWQiOiJ0aGlzLW9uZSJ9", "token"),
        ("c2lnbmF0dXJlLW9mLWl0", "token"),
        ("MIIEvQIBADANBgkqhkiG9w0BAQEF", "key"),
    ] {
        assert_eq!(net.search(output.as_bytes()), [name], "{output}");
    }
    for before in ["", "u", "us", "user"] {
        let basic = BASE64_STANDARD.encode(format!("{before}:sim~aB/3\"xyz+0123456789"));
        assert_eq!(net.search(basic.as_bytes()), ["secret"], "{basic}");
    }
    let harmless = "the secret is wrong; eyJhbGciOiJub25lIn0 says only how it is signed; sim~aB";
    assert!(net.search(harmless.as_bytes()).is_empty());
}
