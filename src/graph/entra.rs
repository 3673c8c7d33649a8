//! Entra's error numbers, and what each asks a person to do.

use secure_score_model::Reason;

/// One family of AADSTS numbers.
struct Meaning {
    codes: &'static [u32],
    reason: Reason,
    hint: &'static str,
}

/// From Microsoft's list of error codes (learn.microsoft.com, Entra identity
/// platform, "error codes"). The numbers are stable; the texts are not, so
/// only the numbers are read.
const MEANINGS: &[Meaning] = &[
    Meaning {
        codes: &[7_000_215],
        reason: Reason::Credential,
        hint: "the client secret is wrong: use the secret's value, not its id, and check for a cut-off character",
    },
    Meaning {
        codes: &[7_000_222],
        reason: Reason::Credential,
        hint: "the client secret has expired: create a new one for the application and put it in place",
    },
    Meaning {
        codes: &[7_000_218],
        reason: Reason::Credential,
        hint: "no credential arrived: look for a proxy that rewrites requests",
    },
    Meaning {
        codes: &[700_027, 50_012, 50_013, 700_021, 700_023],
        reason: Reason::Credential,
        hint: "the certificate is not accepted: upload it to this application (Certificates & secrets), and compare its thumbprint with the file's",
    },
    Meaning {
        codes: &[700_024],
        reason: Reason::Credential,
        hint: "the assertion is outside its time range: set this machine's clock",
    },
    Meaning {
        codes: &[700_030, 1_000_502],
        reason: Reason::Credential,
        hint: "the certificate is expired or not valid: make a new one, upload it to the application and put it in place",
    },
    Meaning {
        codes: &[70_021, 700_211, 700_212, 700_213, 700_222],
        reason: Reason::Credential,
        hint: "no federated credential matches: compare issuer, subject and audience of the token, letter by letter, with the application's federated credentials",
    },
    Meaning {
        codes: &[50_027, 5_002_738],
        reason: Reason::Credential,
        hint: "the federated token is not readable or has expired: see whether whoever writes the token file still renews it",
    },
    Meaning {
        codes: &[90_061, 501_661],
        reason: Reason::Server,
        hint: "Entra could not fetch the keys of the federated token's issuer: its OpenID configuration must be reachable from the internet",
    },
    Meaning {
        codes: &[700_016, 7_000_229, 650_052, 65_001],
        reason: Reason::Consent,
        hint: "the application is not known in this tenant: have an administrator consent to it, and check client_id and cloud",
    },
    Meaning {
        codes: &[500_011],
        reason: Reason::Consent,
        hint: "Microsoft Graph is not known by this name in the tenant's cloud: check cloud",
    },
    Meaning {
        codes: &[7_000_112],
        reason: Reason::Consent,
        hint: "the application is disabled in this tenant: enable its enterprise application",
    },
    Meaning {
        codes: &[53_003, 530_003, 53_000, 530_032],
        reason: Reason::Policy,
        hint: "a Conditional Access policy blocks the application: exclude it or its address range",
    },
    Meaning {
        codes: &[90_002, 900_023, 50_059, 90_013],
        reason: Reason::UnknownTenant,
        hint: "the tenant is not known in this cloud: check tenant_id and cloud",
    },
    Meaning {
        codes: &[50_196],
        reason: Reason::Throttled,
        hint: "Entra saw too many equal requests and asks to wait",
    },
    Meaning {
        codes: &[90_033, 90_006],
        reason: Reason::Server,
        hint: "Entra is in trouble for the moment; the exporter tries again",
    },
];

/// The table for the documentation.
pub fn table() -> String {
    let mut page = String::from(
        "# What Entra answers, and what to do\n\n\
         Written from the code; a test holds it current. When Entra refuses a token the log, the \
         status page and `check` show its first line and this remedy. The metric knows the reason only.\n\n\
         | AADSTS | reason | what to do |\n|---|---|---|\n",
    );
    for meaning in MEANINGS {
        let codes: Vec<_> = meaning.codes.iter().map(u32::to_string).collect();
        let (codes, reason) = (codes.join(", "), meaning.reason.as_str());
        page += &format!("| {codes} | `{reason}` | {} |\n", meaning.hint);
    }
    page
}

fn meaning(codes: &[u32]) -> Option<&'static Meaning> {
    MEANINGS
        .iter()
        .find(|meaning| meaning.codes.iter().any(|code| codes.contains(code)))
}

/// The closed word for a refused token.
pub(super) fn reason(status: u16, codes: &[u32]) -> Reason {
    if let Some(meaning) = meaning(codes) {
        return meaning.reason;
    }
    match status {
        401 => Reason::Credential,
        429 => Reason::Throttled,
        500..=599 => Reason::Server,
        _ => Reason::Token,
    }
}

/// What to do about a refused token.
pub(super) fn hint(codes: &[u32]) -> Option<&'static str> {
    meaning(codes).map(|meaning| meaning.hint)
}

/// The AADSTS numbers named in a text, for answers that list none apart.
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
    fn each_number_stands_in_one_family_only() {
        let mut seen = std::collections::HashSet::new();
        for code in MEANINGS.iter().flat_map(|meaning| meaning.codes) {
            assert!(seen.insert(code), "AADSTS{code} twice");
        }
    }

    #[test]
    fn a_wrong_secret_is_a_matter_of_the_credential() {
        assert_eq!(reason(401, &[7_000_215]), Reason::Credential);
        assert!(hint(&[7_000_215]).is_some_and(|hint| hint.contains("value")));
    }

    #[test]
    fn an_unlisted_number_is_judged_by_the_status() {
        assert_eq!(reason(503, &[1]), Reason::Server);
        assert_eq!(reason(429, &[]), Reason::Throttled);
        assert_eq!(reason(400, &[1]), Reason::Token);
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
