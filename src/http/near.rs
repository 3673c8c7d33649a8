//! Names that look like one that was mistyped.

use crate::store::Tenants;

/// Names that are offered.
const OFFERED: usize = 5;

/// No name is longer; of a longer one the beginning is compared.
const LONGEST: usize = 64;

/// How alike two names must be, of 1; below it the offer is a guess.
const ALIKE: f64 = 0.7;

/// The aliases nearest to a name, the nearest first.
pub(super) fn near<'a>(name: &str, tenants: &'a Tenants) -> Vec<&'a str> {
    let aliases = tenants.states.iter().map(|state| &*state.identity.alias);
    among(name, aliases)
}

/// Those of some names that are nearest to another, the nearest first.
pub(super) fn among<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let name: String = name
        .chars()
        .take(LONGEST)
        .collect::<String>()
        .to_lowercase();
    let mut likely: Vec<(f64, &str)> = known
        .map(|known| (strsim::jaro_winkler(&known.to_lowercase(), &name), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    likely.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    likely.truncate(OFFERED);
    likely.into_iter().map(|(_, known)| known).collect()
}
