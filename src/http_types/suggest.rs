//! Names that resemble a mistyped one.

use crate::store::Tenants;

/// The most names to suggest.
const MAX_SUGGESTIONS: usize = 5;

/// Characters compared; names are shorter, and the time grows with the length.
const MAX_COMPARED: usize = 64;

/// The least Jaro-Winkler similarity, of 1; below it a suggestion is a guess.
const MIN_SIMILARITY: f64 = 0.7;

/// The known names similar to a mistyped one, the most similar first.
pub fn similar<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name: String = name.chars().take(MAX_COMPARED).collect();
    let name = name.to_lowercase();
    let mut likely: Vec<(f64, &str)> = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&known.to_lowercase(), &name), known))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .collect();
    likely.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    likely.truncate(MAX_SUGGESTIONS);
    likely.into_iter().map(|(_, known)| known).collect()
}

/// The aliases similar to a mistyped one, the most similar first.
pub fn similar_tenants<'a>(name: &str, tenants: &'a Tenants) -> Vec<&'a str> {
    let aliases = tenants.states.iter().map(|state| &*state.identity.alias);
    similar(name, aliases)
}
