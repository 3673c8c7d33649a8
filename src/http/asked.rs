//! What an address asks of a page.

use super::query::{self, PARAMETERS};
use super::views::{Address, By, ControlColumn, Order, Page};
use crate::acceptances::Filter;
use secure_score_model::{Category, ControlState, Timestamp};

/// What is asked of the status page.
#[derive(Debug)]
pub(super) struct AskedStatus {
    /// Tenants whose names hold these words, in any case.
    pub(super) find: Option<String>,
    pub(super) page: Page,
}

/// What is asked of the register.
#[derive(Debug)]
pub(super) struct AskedRegister {
    pub(super) filter: Filter,
    pub(super) order: Option<Order<By>>,
    pub(super) page: Page,
}

/// What is asked of a tenant's page.
#[derive(Debug)]
pub(super) struct AskedControls {
    pub(super) category: Option<Category>,
    pub(super) state: Option<ControlState>,
    pub(super) order: Option<Order<ControlColumn>>,
    pub(super) page: Page,
}

impl AskedStatus {
    pub(super) fn read(address: &Address) -> Result<Self, String> {
        only(address, &["find", "page"])?;
        Ok(Self {
            find: address.asked("find").map(str::to_lowercase),
            page: Page::parse(address.asked("page"))?,
        })
    }
}

impl AskedRegister {
    pub(super) fn read(address: &Address, now: Timestamp) -> Result<Self, String> {
        let query = address.query();
        let (filter, others) = query::filter(Some(&query), now).map_err(|bad| bad.to_string())?;
        let names = [&PARAMETERS[..], &["sort", "page"]].concat();
        for (name, _) in &others {
            known(name, &names)?;
        }
        Ok(Self {
            filter,
            order: address.asked("sort").map(Order::parse).transpose()?,
            page: Page::parse(address.asked("page"))?,
        })
    }
}

impl AskedControls {
    pub(super) fn read(address: &Address) -> Result<Self, String> {
        only(address, &["category", "state", "sort", "page"])?;
        Ok(Self {
            category: address.asked("category").map(category).transpose()?,
            state: address.asked("state").map(state).transpose()?,
            order: address.asked("sort").map(Order::parse).transpose()?,
            page: Page::parse(address.asked("page"))?,
        })
    }
}

fn only(address: &Address, names: &[&str]) -> Result<(), String> {
    address.names().try_for_each(|name| known(name, names))
}

/// A mistyped parameter would show everything and look like an answer.
fn known(name: &str, names: &[&str]) -> Result<(), String> {
    match names.contains(&name) {
        true => Ok(()),
        false => Err(format!(
            "an address of this page holds no such parameter; it knows {}",
            names.join(", ")
        )),
    }
}

fn category(word: &str) -> Result<Category, String> {
    word.parse().map_err(|_| {
        let known = Category::ALL.map(Category::as_str).join(", ");
        format!("category is none we know; write one of {known}")
    })
}

fn state(word: &str) -> Result<ControlState, String> {
    let found = ControlState::ALL
        .into_iter()
        .find(|state| state.as_str() == word);
    found.ok_or_else(|| {
        let known = ControlState::ALL.map(ControlState::as_str).join(", ");
        format!("state is none we know; write one of {known}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_421_700);

    fn address(query: &str) -> Address {
        Address::new("/".to_owned(), Some(query))
    }

    #[test]
    fn an_empty_form_asks_for_everything() {
        let query = "tenant=&control=&category=&since=&approved=&in_force=&sort=";
        let asked = AskedRegister::read(&address(query), NOW).unwrap();
        assert_eq!(asked.filter, Filter::default());
        assert!(asked.order.is_none());
    }

    #[test]
    fn what_is_not_understood_is_refused_with_what_would_be() {
        for (query, remedy) in [
            ("category=Identities", "Identity"),
            ("sort=colour", "points"),
            ("page=0", "1 or more"),
            ("approve=true", "approved"),
            ("approved=perhaps", "true"),
            ("since=yesterday", "2026-11-23"),
        ] {
            let message = AskedRegister::read(&address(query), NOW).unwrap_err();
            assert!(message.contains(remedy), "{query}: {message}");
        }
        for (query, remedy) in [
            ("state=ignored", "risk_accepted"),
            ("category=x", "Identity"),
            ("sort=-x", "gain"),
            ("tenant=x", "state"),
        ] {
            let message = AskedControls::read(&address(query)).unwrap_err();
            assert!(message.contains(remedy), "{query}: {message}");
        }
        assert!(AskedStatus::read(&address("sort=points")).is_err());
    }
}
