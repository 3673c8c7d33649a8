//! What happens by itself while a living simulator runs.

use std::time::Duration;

use super::control::{Control, ControlError};
use super::dice::{between, roll};
use super::options::Options;
use super::world;

/// How often a score moves.
const DRIFT: Duration = Duration::from_secs(4);

/// The furthest a score moves at once, in percent.
const STRIDE: f64 = 3.0;

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    /// Seconds after the start.
    after: u64,
    tenant: String,
    control: &'static str,
    by: &'static str,
    act: Act,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Accept(&'static str),
    Revert,
}

/// The acts of the play, in order: earliest and latest second, who, and what.
static SCRIPT: &[(u64, u64, usize, &str, &str, Act)] = &[
    (
        50,
        95,
        0,
        "UserRiskPolicy",
        "megan.bowen@contoso.example",
        Act::Accept("Resets lock out the night shift; back on after the pilot"),
    ),
    (
        130,
        160,
        3,
        "MFARegistrationV2",
        "mei.tanaka@litware.example",
        Act::Accept("Seasonal staff have no phones at work"),
    ),
    (
        200,
        215,
        1,
        "BlockLegacyAuthentication",
        "tomas.lind@fabrikam.example",
        Act::Accept("The label printers still sign in the old way"),
    ),
    (
        240,
        255,
        1,
        "BlockLegacyAuthentication",
        "priya.raman@fabrikam.example",
        Act::Revert,
    ),
    (
        330,
        360,
        2,
        "SigninRiskPolicy",
        "jonas.weber@adatum.example",
        Act::Accept("Too many false alarms from the new offices"),
    ),
    (
        450,
        480,
        4,
        "RoleOverlap",
        "sara.holm@northwind.example",
        Act::Accept("One administrator on duty over the holidays"),
    ),
    (
        570,
        600,
        0,
        "UserRiskPolicy",
        "alex.wilber@contoso.example",
        Act::Revert,
    ),
];

/// Who plays on after the script.
const ENCORE_BY: &str = "duty.admin@partner.example";

/// Controls every catalogue holds, and why one would accept their risk.
static ENCORES: &[(&str, &str)] = &[
    (
        "aad_linkedin_connection_disables",
        "Recruiting asked for it",
    ),
    ("PWAgePolicyNew", "The auditor asked for expiry"),
    ("mdo_bulkthreshold", "Newsletters were lost"),
    ("SelfServicePasswordReset", "The portal is being moved"),
    ("meeting_autoadmitusers_v1", "A webinar this afternoon"),
];

/// What will happen, a line for each event, so that it can be told beforehand.
///
/// Empty unless the options ask for a living simulator.
pub fn story(options: &Options) -> Vec<String> {
    match options.living {
        true => script(options).iter().map(Event::announcement).collect(),
        false => Vec::new(),
    }
}

/// The events of the tenants there are.
fn script(options: &Options) -> Vec<Event> {
    let tenants = if options.replay.is_some() {
        0
    } else {
        options.tenants
    };
    let acts = SCRIPT.iter().enumerate().filter(|(_, act)| act.2 < tenants);
    acts.map(
        |(number, (earliest, latest, tenant, control, by, act))| Event {
            after: between(options.seed, "story", number as u64, *earliest, *latest),
            tenant: world::name(*tenant),
            control,
            by,
            act: *act,
        },
    )
    .collect()
}

/// Plays the events and lets scores drift, until it is dropped.
pub(super) async fn live(control: Control, options: Options) {
    tokio::join!(play(&control, &options), drift(&control, &options));
}

async fn play(control: &Control, options: &Options) {
    let start = tokio::time::Instant::now();
    for event in script(options) {
        tokio::time::sleep_until(start + Duration::from_secs(event.after)).await;
        event.run(control);
    }
    let names = names(control);
    for round in 0.. {
        let Some([accepted, withdrawn]) = encore(&names, options.seed, round) else {
            return;
        };
        tokio::time::sleep(Duration::from_secs(accepted.after)).await;
        accepted.run(control);
        tokio::time::sleep(Duration::from_secs(withdrawn.after)).await;
        withdrawn.run(control);
    }
}

/// After the script: somebody accepts, and thinks better of it.
///
/// The seconds count from the event before. A demonstration left alone for a
/// day still has something new to show in the last hour.
fn encore(names: &[String], seed: u64, round: u64) -> Option<[Event; 2]> {
    let tenant = pick(names, seed ^ 2, round)?;
    let (control, comment) = pick(ENCORES, seed ^ 3, round)?;
    let event = |after, act| Event {
        after,
        tenant: tenant.clone(),
        control,
        by: ENCORE_BY,
        act,
    };
    let pause = between(seed, "pause", round, 180, 420);
    let regret = between(seed, "regret", round, 45, 150);
    Some([
        event(pause, Act::Accept(comment)),
        event(regret, Act::Revert),
    ])
}

/// Moves one score of one tenant every few seconds.
async fn drift(control: &Control, options: &Options) {
    let names = names(control);
    for step in 0.. {
        tokio::time::sleep(DRIFT).await;
        if let Some(name) = pick(&names, options.seed, step) {
            nudge(control, name, options.seed, step);
        }
    }
}

fn names(control: &Control) -> Vec<String> {
    let tenants = control.tenants().into_iter();
    tenants.map(|tenant| tenant.name).collect()
}

/// Moves a score that lies between nothing and all: switches do not drift.
fn nudge(control: &Control, tenant: &str, seed: u64, step: u64) {
    let controls = control.scored_controls(tenant).unwrap_or_default();
    let partly = |id: &String| {
        control
            .score(tenant, id)
            .ok()
            .filter(|score| (1.0..99.0).contains(score))
    };
    let partial: Vec<(String, f64)> = controls
        .into_iter()
        .filter_map(|id| partly(&id).map(|score| (id, score)))
        .collect();
    if let Some((id, score)) = pick(&partial, seed ^ 1, step) {
        let throw = between(seed, "drift", step, 0, 1000) as f64 / 500.0 - 0.9;
        let score = (score + throw * STRIDE).clamp(1.0, 98.99);
        match control.set_score(tenant, id, score) {
            Ok(()) => tracing::debug!("the score of {id} at {tenant} moves to {score:.2} %"),
            Err(error) => tracing::warn!(%error, "the score of {id} at {tenant} cannot move"),
        }
    }
}

fn pick<T>(things: &[T], seed: u64, step: u64) -> Option<&T> {
    let count = things.len() as u64;
    let place = roll(seed, "pick", step).checked_rem(count)?;
    things.get(usize::try_from(place).ok()?)
}

impl Event {
    fn run(&self, control: &Control) {
        let what = self.sentence();
        match self.happen(control) {
            Ok(()) => tracing::info!("{what}"),
            Err(error) => tracing::warn!(%error, "not done: {what}"),
        }
    }

    fn happen(&self, control: &Control) -> Result<(), ControlError> {
        match self.act {
            Act::Accept(comment) => control.accept(&self.tenant, self.control, self.by, comment),
            Act::Revert => control.revert(&self.tenant, self.control, self.by),
        }
    }

    fn sentence(&self) -> String {
        let Self {
            tenant,
            control,
            by,
            ..
        } = self;
        match self.act {
            Act::Accept(comment) => {
                format!("{by} accepts the risk of {control} at {tenant}: \"{comment}\"")
            }
            Act::Revert => format!("{by} withdraws the acceptance of {control} at {tenant}"),
        }
    }

    fn announcement(&self) -> String {
        format!("about {} s after the start {}", self.after, self.sentence())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::world::World;
    use super::*;

    fn living(seed: u64, tenants: usize) -> Options {
        Options {
            living: true,
            seed,
            tenants,
            ..Options::default()
        }
    }

    #[test]
    fn a_seed_tells_one_story() {
        assert_eq!(script(&living(7, 5)), script(&living(7, 5)));
        let told: Vec<_> = (0..20).map(|seed| story(&living(seed, 5))).collect();
        assert!(told.iter().any(|lines| Some(lines) != told.first()));
    }

    #[test]
    fn the_first_event_is_an_acceptance_at_contoso_within_the_first_minutes() {
        for seed in 0..200 {
            let script = script(&living(seed, 5));
            let first = &script[0];
            assert!((45..=100).contains(&first.after));
            assert_eq!(
                (first.tenant.as_str(), first.control),
                ("contoso", "UserRiskPolicy")
            );
            assert!(matches!(first.act, Act::Accept(_)));
            assert!(script.is_sorted_by_key(|event| event.after));
        }
    }

    fn world(tenants: usize) -> Control {
        let world = World::new(&living(7, tenants), Timestamp::now());
        Control::new(world.unwrap())
    }

    #[test]
    fn everything_told_can_happen() {
        let control = world(5);
        for event in script(&living(7, 5)) {
            assert_eq!(event.happen(&control), Ok(()), "{}", event.sentence());
        }
        let names = names(&control);
        for event in (0..60).flat_map(|round| encore(&names, 7, round).unwrap()) {
            assert_eq!(event.happen(&control), Ok(()), "{}", event.sentence());
        }
    }

    #[test]
    fn a_drifting_score_stays_on_the_scale_and_moves() {
        let control = world(1);
        let scores = || {
            let ids = control.scored_controls("contoso").unwrap();
            let scores = ids.iter().map(|id| control.score("contoso", id).unwrap());
            scores.collect::<Vec<_>>()
        };
        let before = scores();
        for step in 0..200 {
            nudge(&control, "contoso", 7, step);
        }
        let after = scores();
        assert_ne!(before, after);
        let moved = before.iter().zip(&after).filter(|(a, b)| a != b);
        assert!(moved.clone().count() > 5);
        assert!(
            moved
                .into_iter()
                .all(|(_, score)| (1.0..99.0).contains(score))
        );
    }

    #[test]
    fn nothing_is_told_of_tenants_that_do_not_exist() {
        assert!(
            script(&living(7, 1))
                .iter()
                .all(|event| event.tenant == "contoso")
        );
        assert!(story(&Options::default()).is_empty());
    }
}
