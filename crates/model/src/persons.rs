//! Who and why: how much of it is shown.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Turns a person's name into what may be shown in its place.
pub type Naming = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// What of persons may be shown to somebody.
#[derive(Clone, Default)]
pub enum Persons {
    /// Names and comments as Graph gives them.
    Plain,
    /// Each person under a pseudonym, the same everywhere; no comment, since
    /// people write names into comments.
    Pseudonyms(Naming),
    /// Neither.
    #[default]
    Hidden,
}

impl Persons {
    /// The person as shown, where there is one and may be shown.
    pub fn name<'a>(&self, person: Option<&'a str>) -> Option<Cow<'a, str>> {
        match self {
            Self::Plain => person.map(Cow::Borrowed),
            Self::Pseudonyms(naming) => person.map(|person| Cow::Owned(naming(person))),
            Self::Hidden => None,
        }
    }

    /// The comment, where there is one and may be shown.
    pub fn comment<'a>(&self, comment: Option<&'a str>) -> Option<&'a str> {
        comment.filter(|_| matches!(self, Self::Plain))
    }

    /// Whether anything at all is shown.
    pub const fn are_hidden(&self) -> bool {
        matches!(self, Self::Hidden)
    }
}

impl fmt::Debug for Persons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Pseudonyms(_) => "Pseudonyms",
            Self::Hidden => "Hidden",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_takes_the_comment_with_it() {
        let persons = Persons::Pseudonyms(Arc::new(|person| person.len().to_string()));
        assert_eq!(persons.name(Some("alex")).as_deref(), Some("4"));
        assert_eq!(persons.name(None), None);
        assert_eq!(persons.comment(Some("ask alex")), None);
        assert_eq!(Persons::Plain.comment(Some("why")), Some("why"));
        assert_eq!(Persons::Hidden.name(Some("alex")), None);
    }
}
