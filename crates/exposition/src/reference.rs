//! The reference page of the families, from the table itself.

use super::catalogue::FAMILIES;
use super::family::{Family, Presence};
use super::partners::PARTNER_FAMILIES;
use std::fmt::Write as _;

/// How a value of Graph becomes a sample, or none.
const HOW_NUMBERS_ARE_READ: &str = "
## How numbers are read

What cannot be used is left out and counted in `secure_score_skipped_elements`; what Graph does not send is left out uncounted. A number may be written as text. The states of a control have [rules of their own](../acceptances.md#states).

| value | rule |
|---|---|
| points | from 0 to below 1,000,000 |
| percentage | from 0 to 100 |
| number of users | whole, from 0 to below 1,000,000,000 |
| date | RFC 3339; without an offset UTC; dates before 2010 cannot be used, and `0001-01-01` is no date |
| id | 1 to 128 bytes after the blanks at its ends are removed, without control characters and without characters that change the direction of writing; an element with another id is left out |
| text | control characters become blanks, several blanks one; blanks at its ends and characters that change the direction of writing are removed |

- A score and a control of the catalogue belong together if their ids are the same; of the others, if they differ only in case and neither list has a second one left in that spelling. Of two scores of one id the first in the report counts. A score in another case, whose control has its score already, is left out like the second.
- The maximum of a control is that of the catalogue. Without one it is implied by points and percentage, which Graph rounds to two decimals: the number with the fewest decimals, at most two, whose share differs from the points by no more than the rounding (0.005 each), or else the exact quotient. At 0 % it is unknown.
- A control with `NotScored` set to true, or its text, is not scored: its score is not read.
- A score without points is left out with its category, and counts in no sum.
- Sums are rounded to six decimals.
";

/// What the planned and the achievable score count.
const HOW_SCORES_ARE_PROJECTED: &str = "
## Planned and achievable score

Microsoft's portal shows both beside the score ([*Your secure score*, *Include*](https://learn.microsoft.com/defender-xdr/microsoft-secure-score-improvement-actions#check-your-current-score)): the *planned score* is the projected score when planned actions are completed, the *achievable score* the one that licences and current risk acceptance allow. Graph sends neither, and Microsoft publishes no formula. The exporter calculates them from the catalogue and the newest report:

- planned = score + what scored controls in the state *planned* lack
- achievable = maximum − what scored controls with an accepted risk lack

A control lacks its maximum less its score: an acceptance keeps partial points, since Microsoft lets an administrator accept the *remaining* risk. A control that is not scored (`NotScored`, a product that the tenant does not own) is in no total and changes nothing. Third party and alternate mitigation give full points, which the score contains from Microsoft's next report on; until then they are achievable, not planned.

The numbers of a tenant start from Microsoft's totals, those of a category from the sums of its scored controls. A difference between the two (`secure_score_unreconciled_score`, `secure_score_unreconciled_max_score`) remains in the tenant's numbers. Each number is at least the score and at most the maximum, where those are known.

Left out, rather than guessed:

| what is unknown | planned | achievable |
|---|---|---|
| the catalogue, the report, or the scores of all controls | left out | left out |
| the state of a control that lacks points, or of a scored control outside the catalogue that may lack some | left out | left out |
| points or maximum of a control in the state *planned*; its score, where the report has unusable scores | left out | |
| points or maximum of a control with an accepted risk; its score, where the report has unusable scores | | left out |
| the score of the tenant | left out | |
| the maximum of the tenant or category | | left out |
| a score above the maximum | left out | left out |

Two differences to the portal are possible. Graph's maximum counts the controls of the tenant's products, whatever their edition, while the portal subtracts what the licences lack; its achievable score can be lower. And Microsoft documents no word of Graph for *Planned*: while Graph sends another state for it, the planned score equals the score.
";

/// The head of the table of partners.
const PARTNERS: &str = "
## Partners

A configured partner (`partner`) has these families, with the label `partner` for its name and without the label `tenant`; `/probe` does not have them. A customer has 2 series, 2 for its relationship, and 1 while it is unwatched or without consent. With shards, the shard that owns the partner's name exports them.

| family | type | labels beside `partner` | meaning |
|---|---|---|---|
";

/// `docs/reference/metrics.md`, with the exporter's own families appended as
/// `(name, type, labels, help)`.
pub fn reference(own: &[(String, String, String, String)]) -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         Generated from the table of families; a test compares it.\n\n\
         All families of a tenant carry the label `tenant`, the alias from the configuration. \
         *Always* means: at least one series for each tenant as soon as both lists of Secure Score were refreshed once, provided that Graph sends the properties that it sends for every tenant with a score, and that the selection includes a control. \
         *Sets* says in which [sets of series](../scaling.md#fewer-series) a family is; *declared* are controls of which a state was ever declared, and recommendations whose status a person declared, is unknown, or of which a resource is dismissed. \
         *Cached from* names the lists (`api`) from whose last successful refresh the values are kept: `secure_score_last_refresh_success_timestamp_seconds` has its time, and series older than `refresh.max_staleness` end. The HELP of a scrape says the same. \
         Label values have at most 128 bytes; an empty label is left out.\n\n\
         A tenant that grants the permission for Entra's lists has for each recommendation 4 series (info, status, the two flags), the time of its status, 2 where it counts in the Identity Secure Score, one each where it is postponed, where a control has its name, where it is watched, approved or set aside by a person who is shown; 3 for the Identity Secure Score; and some 35 for the refreshes of each of the two lists. Impacted resources add two or more for each recommendation that has them.\n\n\
         ## Tenants and controls\n\n\
         | family | type | labels beside `tenant` | always | sets | cached from | meaning |\n|---|---|---|---|---|---|---|\n",
    );
    for family in FAMILIES {
        page += &row(family);
    }
    page += PARTNERS;
    for family in PARTNER_FAMILIES {
        let (kind, labels) = (family.kind.as_str(), names(family.labels));
        // Writing to a string cannot fail.
        let _written = writeln!(
            page,
            "| `{}` | {kind} | {labels} | {} |",
            family.name,
            family.scrape_help()
        );
    }
    page += "\n## The exporter itself\n\n| family | type | labels | meaning |\n|---|---|---|---|\n";
    for (name, kind, labels, help) in own {
        // Writing to a string cannot fail.
        let _written = writeln!(page, "| `{name}` | {kind} | {labels} | {help} |");
    }
    page + HOW_SCORES_ARE_PROJECTED + HOW_NUMBERS_ARE_READ
}

fn row(family: &Family) -> String {
    let kind = family.kind.as_str();
    let labels = names(family.labels);
    let always = match family.presence {
        Presence::Always => "yes",
        Presence::Sometimes => "",
    };
    let cached_from: Vec<&str> = family.cached_from.iter().map(|it| it.as_str()).collect();
    let cached_from = names(&cached_from);
    format!(
        "| `{}` | {kind} | {labels} | {always} | {} | {} | {} |\n",
        family.name,
        family.membership.describe(),
        cached_from,
        family.help
    )
}

fn names(names: &[&str]) -> String {
    match names {
        [] => "–".to_owned(),
        names => format!("`{}`", names.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_a_row() {
        let own = ["x_total", "counter", "`code`", "Requests."].map(str::to_owned);
        let page = reference(&[own.into()]);
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        assert_eq!(rows.count(), FAMILIES.len() + PARTNER_FAMILIES.len() + 1);
        for row in [
            "| `secure_score_up` | gauge | `api` | yes | every | – | Whether",
            "| `secure_score_refresh_failures_total` | counter | `api`, `reason` | yes | every, `acceptances` if not 0 | – | Refreshes",
            "| `secure_score_control_risk_approval_info` | info | `control`, `reference` |  | every | `profiles` | A decision",
            "| `secure_score_target_ratio` | gauge | – |  | every | – | The configured target",
            "| `x_total` | counter | `code` | Requests. |",
        ] {
            assert!(page.contains(row), "{row}");
        }
    }
}
