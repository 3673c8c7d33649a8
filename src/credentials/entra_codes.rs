//! Entra's error numbers (AADSTS), and the fix for each.

use secure_score_model::Reason;

/// Numbers with the same fix.
struct Group {
    codes: &'static [u32],
    reason: Reason,
    hint: &'static str,
}

/// From Microsoft's list of error codes (learn.microsoft.com, Entra identity
/// platform, "error codes"). The numbers are stable; the texts are not, so
/// only the numbers are read.
const GROUPS: &[Group] = &[
    Group {
        codes: &[7_000_215],
        reason: Reason::Credential,
        hint: "the client secret is wrong: use the secret's value, not its id, and check for a cut-off character",
    },
    Group {
        codes: &[7_000_222],
        reason: Reason::Credential,
        hint: "the client secret has expired: create a new one for the application and put it in place",
    },
    Group {
        codes: &[7_000_218],
        reason: Reason::Credential,
        hint: "Entra found neither a secret nor an assertion in the request: check type and file of this credential",
    },
    Group {
        codes: &[700_027, 50_012, 50_013, 700_021, 700_023],
        reason: Reason::Credential,
        hint: "the certificate is not accepted: upload it to this application (Certificates & secrets), and compare its thumbprint with the file's",
    },
    Group {
        codes: &[700_024],
        reason: Reason::Credential,
        hint: "the assertion is outside its time range: set this machine's clock",
    },
    Group {
        codes: &[700_030, 1_000_502],
        reason: Reason::Credential,
        hint: "the certificate is expired or not valid: make a new one, upload it to the application and put it in place",
    },
    Group {
        codes: &[70_021, 700_211, 700_212, 700_213, 700_222],
        reason: Reason::Credential,
        hint: "no federated credential matches: compare issuer, subject and audience of the token, letter by letter, with the application's federated credentials",
    },
    Group {
        codes: &[50_027, 5_002_738],
        reason: Reason::Credential,
        hint: "the federated token is not readable or has expired: check that the program that writes the token file still renews it",
    },
    Group {
        codes: &[90_061, 501_661],
        reason: Reason::Server,
        hint: "Entra could not fetch the keys of the federated token's issuer: its OpenID configuration must be reachable from the internet",
    },
    Group {
        codes: &[700_016, 7_000_229, 650_052, 65_001],
        reason: Reason::Consent,
        hint: "this tenant has not consented to the application: have one of its administrators consent, and check client_id and cloud",
    },
    Group {
        codes: &[500_011],
        reason: Reason::Consent,
        hint: "Microsoft Graph is not known by this name in the tenant's cloud: check cloud",
    },
    Group {
        codes: &[500_014],
        reason: Reason::Consent,
        hint: "Microsoft Graph is disabled in this tenant: an administrator enables its enterprise application, or renews the subscription that has lapsed",
    },
    Group {
        codes: &[7_000_112],
        reason: Reason::Consent,
        hint: "the application is disabled in this tenant: enable its enterprise application",
    },
    Group {
        codes: &[53_003, 530_003, 53_000, 530_032],
        reason: Reason::Policy,
        hint: "a Conditional Access policy blocks the application: exclude it or its address range",
    },
    Group {
        codes: &[500_021],
        reason: Reason::Policy,
        hint: "tenant restrictions of this network do not allow this tenant: have it added to the permitted tenants (Restrict-Access-To-Tenants)",
    },
    Group {
        codes: &[5_000_225],
        reason: Reason::Policy,
        hint: "Microsoft has blocked the tenant for inactivity: an administrator asks Microsoft's support to reactivate it within 20 days, after which Microsoft deletes it",
    },
    Group {
        codes: &[90_002, 900_023, 50_059, 90_013],
        reason: Reason::UnknownTenant,
        hint: "the tenant is not known in this cloud: check tenant_id and cloud",
    },
    Group {
        codes: &[50_196],
        reason: Reason::Throttled,
        hint: "Entra received too many equal requests; the exporter waits and tries again",
    },
    Group {
        codes: &[90_033, 90_006],
        reason: Reason::Server,
        hint: "Entra has a temporary failure; the exporter tries again",
    },
];

/// The fix for a number without a group.
const UNLISTED: &str = "https://login.microsoftonline.com/error explains each number; check tenant_id, client_id and cloud against the app registration";

/// The reference page.
pub fn table() -> String {
    let mut page = String::from(
        "# Entra's error numbers\n\n\
         What the numbers of Entra's refusals mean, and the fix of each. Generated from the code. When Entra refuses a token, the log, the status page and `check` \
         show the number, the plain words of the answer's first line and the fix: an answer may repeat \
         the request and its secret, so other words are left out (`…`). The metric shows the reason \
         only.\n\n\
         | AADSTS | reason | fix |\n|---|---|---|\n",
    );
    for group in GROUPS {
        let codes: Vec<_> = group.codes.iter().map(u32::to_string).collect();
        let (codes, reason) = (codes.join(", "), group.reason.as_str());
        page += &format!("| {codes} | `{reason}` | {} |\n", group.hint);
    }
    page += &format!("\nAny other number: {UNLISTED}.\n");
    page
}

fn group(codes: &[u32]) -> Option<&'static Group> {
    GROUPS
        .iter()
        .find(|group| group.codes.iter().any(|code| codes.contains(code)))
}

/// The reason for a refused token.
pub(super) fn reason(status: u16, codes: &[u32]) -> Reason {
    if let Some(group) = group(codes) {
        return group.reason;
    }
    match status {
        401 => Reason::Credential,
        429 => Reason::Throttled,
        500..=599 => Reason::Server,
        _ => Reason::Token,
    }
}

/// The fix for a refused token, if a number says what Entra refused.
pub(super) fn hint(status: u16, codes: &[u32]) -> Option<&'static str> {
    let is_final = (400..500).contains(&status) && status != 429;
    match group(codes) {
        Some(group) => Some(group.hint),
        None if is_final && !codes.is_empty() => Some(UNLISTED),
        None => None,
    }
}

/// Numbers of a tenant that has not consented to the application: it is not known
/// there, or its permissions are not granted.
const NOT_CONSENTED: [u32; 3] = [700_016, 65_001, 7_000_229];

/// Whether a number says that the tenant has not consented to the application.
pub(super) fn is_not_consented(codes: &[u32]) -> bool {
    codes.iter().any(|code| NOT_CONSENTED.contains(code))
}

/// The AADSTS numbers in a text, for answers without a list of them.
pub(super) fn codes_in(text: &str) -> Vec<u32> {
    text.split("AADSTS")
        .skip(1)
        .filter_map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_in_one_group_only() {
        let mut seen = std::collections::HashSet::new();
        for code in GROUPS.iter().flat_map(|group| group.codes) {
            assert!(seen.insert(code), "AADSTS{code} twice");
        }
    }

    #[test]
    fn the_number_decides_and_for_an_unlisted_one_the_status() {
        assert_eq!(reason(401, &[7_000_215]), Reason::Credential);
        assert!(hint(401, &[7_000_215]).is_some_and(|hint| hint.contains("value")));
        assert_eq!(reason(503, &[1]), Reason::Server);
        assert_eq!(reason(429, &[]), Reason::Throttled);
        assert_eq!(reason(400, &[1]), Reason::Token);
    }

    #[test]
    fn a_tenant_without_consent_is_known_by_its_number() {
        for code in NOT_CONSENTED {
            assert!(is_not_consented(&[1, code]));
            assert_eq!(reason(400, &[code]), Reason::Consent);
        }
        for code in [7_000_112, 7_000_215, 500_014] {
            assert!(!is_not_consented(&[code]));
        }
    }

    #[test]
    fn a_number_is_never_explained_as_a_proxy() {
        for code in GROUPS.iter().flat_map(|group| group.codes).chain(&[1]) {
            for status in [400, 401, 403] {
                let hint = hint(status, &[*code]).unwrap();
                assert!(!hint.contains("proxy"), "AADSTS{code}: {hint}");
            }
        }
        assert_eq!(hint(401, &[1]), Some(UNLISTED));
        assert_eq!(hint(503, &[1]), None);
        assert_eq!(hint(400, &[]), None);
    }

    #[test]
    fn numbers_are_found_in_a_text() {
        assert_eq!(
            codes_in("AADSTS7000222: expired. AADSTS50012: x"),
            [7_000_222, 50_012]
        );
        assert!(codes_in("AADSTS: none").is_empty());
    }
}
