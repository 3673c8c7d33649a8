//! All tenants, the faults, and what was asked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::character::{CHARACTERS, Character};
use super::confidences::Confidences;
use super::dice::{guid, roll};
use super::fault_board::FaultBoard;
use super::made::Made;
use super::options::Options;
use super::replay::{Replay, ReplayError};
use super::request_log::RequestLog;
use super::tenant::Tenant;
use super::trust::Trust;

/// The tenant that captured answers are served for.
const REPLAYED: &str = "replay";

/// Everything the servers and the handles share.
#[derive(Debug)]
pub(super) struct World {
    tenants: Vec<Tenant>,
    /// Where a tenant stands, by name, Entra id and domain in lower case.
    places: HashMap<String, usize>,
    faults: FaultBoard,
    log: RequestLog,
    seed: u64,
    page_size: usize,
    token_lifetime: Duration,
    trust: Trust,
    confidences: Confidences,
}

impl World {
    /// Populates a world; reads captured answers if there are any to serve.
    pub(super) fn new(options: &Options, now: Timestamp) -> Result<Arc<Self>, ReplayError> {
        let tenants = match &options.replay {
            Some(directory) => vec![replayed(Replay::load(directory)?, options.seed)],
            None => (0..options.tenants)
                .map(|number| made(number, options, now))
                .collect(),
        };
        Ok(Arc::new(Self {
            places: places(&tenants),
            tenants,
            faults: FaultBoard::default(),
            log: RequestLog::default(),
            seed: options.seed,
            page_size: options.page_size,
            token_lifetime: options.token_lifetime,
            trust: Trust::default(),
            confidences: Confidences::default(),
        }))
    }

    pub(super) fn tenants(&self) -> &[Tenant] {
        &self.tenants
    }

    /// A tenant by its name.
    pub(super) fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.tenants
            .get(*self.places.get(&name.to_ascii_lowercase())?)
            .filter(|tenant| tenant.name == name)
    }

    /// A tenant by the two things Entra knows it by.
    pub(super) fn tenant_by_entra(&self, id: &str) -> Option<&Tenant> {
        let tenant = self
            .tenants
            .get(*self.places.get(&id.to_ascii_lowercase())?);
        tenant.filter(|tenant| {
            [&tenant.entra_id, &tenant.domain]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(id))
        })
    }

    pub(super) fn faults(&self) -> &FaultBoard {
        &self.faults
    }

    pub(super) fn log(&self) -> &RequestLog {
        &self.log
    }

    pub(super) fn page_size(&self) -> usize {
        self.page_size
    }

    pub(super) fn token_lifetime(&self) -> Duration {
        self.token_lifetime
    }

    /// Whom the applications trust.
    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// What was handed out and came in, and must not be told.
    pub(super) fn confidences(&self) -> &Confidences {
        &self.confidences
    }

    /// What App Service gives to an app, and wants to see again.
    pub(super) fn identity_header(&self) -> String {
        guid(self.seed, "identity header", 0).to_string()
    }

    /// What tokens are sealed with.
    pub(super) fn token_key(&self) -> u64 {
        roll(self.seed, "token", 0)
    }
}

/// The name of the tenant with this number, from 0.
pub(super) fn name(number: usize) -> String {
    match CHARACTERS.get(number) {
        Some(character) => character.name.to_owned(),
        None => format!("tenant-{:04}", number + 1),
    }
}

fn made(number: usize, options: &Options, now: Timestamp) -> Tenant {
    let character = Character::of(number);
    let name = name(number);
    let display_name = match number < CHARACTERS.len() {
        true => character.display_name.to_owned(),
        false => format!("Tenant {}", number + 1),
    };
    let seed = roll(options.seed, "tenant", number as u64);
    let entra_id = guid(seed, "entra", 0).to_string();
    let newest_change = now.saturating_sub(options.state_age).unwrap_or(now);
    let records = Made::new(
        &name,
        entra_id.clone(),
        character,
        seed,
        (now, newest_change),
    );
    Tenant::new((name, display_name), entra_id, seed, Box::new(records))
}

fn replayed(replay: Replay, seed: u64) -> Tenant {
    let names = (REPLAYED.to_owned(), "Captured answers".to_owned());
    let seed = roll(seed, REPLAYED, 0);
    Tenant::new(names, replay.entra_id.clone(), seed, Box::new(replay))
}

fn places(tenants: &[Tenant]) -> HashMap<String, usize> {
    let mut places = HashMap::with_capacity(tenants.len() * 3);
    for (place, tenant) in tenants.iter().enumerate() {
        for key in [&tenant.name, &tenant.entra_id, &tenant.domain] {
            places.insert(key.to_ascii_lowercase(), place);
        }
    }
    places
}
