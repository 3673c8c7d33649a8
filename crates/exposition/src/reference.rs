//! The reference page of the families, from the table itself.

use super::catalogue::FAMILIES;
use super::family::{Family, Presence};
use std::fmt::Write as _;

/// `docs/reference/metrics.md`, with the exporter's own families appended as
/// `(name, type, labels, help)`.
pub fn reference(own: &[(String, String, String, String)]) -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         Generated from the table of families; a test compares it.\n\n\
         All families of a tenant carry the label `tenant`, the alias from the configuration. \
         *Always* means: at least one series for each tenant as soon as both lists were refreshed once, provided that Graph sends the properties that it sends for every tenant with a score, and that the selection includes a control. \
         Label values have at most 128 bytes; an empty label is left out.\n\n\
         ## Tenants and controls\n\n\
         | family | type | labels beside `tenant` | always | meaning |\n|---|---|---|---|---|\n",
    );
    for family in FAMILIES {
        page += &row(family);
    }
    page += "\n## The exporter itself\n\n| family | type | labels | meaning |\n|---|---|---|---|\n";
    for (name, kind, labels, help) in own {
        // Writing to a string cannot fail.
        let _written = writeln!(page, "| `{name}` | {kind} | {labels} | {help} |");
    }
    page
}

fn row(family: &Family) -> String {
    let kind = family.kind.as_str();
    let labels = match family.labels {
        [] => "–".to_owned(),
        labels => format!("`{}`", labels.join("`, `")),
    };
    let always = match family.presence {
        Presence::Always => "yes",
        Presence::Sometimes => "",
    };
    format!(
        "| `{}` | {kind} | {labels} | {always} | {} |\n",
        family.name, family.help
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_a_row() {
        let own = ["x_total", "counter", "`code`", "Requests."].map(str::to_owned);
        let page = reference(&[own.into()]);
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        assert_eq!(rows.count(), FAMILIES.len() + 1);
        for row in [
            "| `secure_score_up` | gauge | `api` | yes | Whether",
            "| `secure_score_refresh_failures_total` | counter | `api`, `reason` | yes | Refreshes",
            "| `secure_score_control_risk_approval_info` | info | `control`, `reference` |  | An",
            "| `secure_score_target_ratio` | gauge | – |  | The configured target",
            "| `x_total` | counter | `code` | Requests. |",
        ] {
            assert!(page.contains(row), "{row}");
        }
    }
}
