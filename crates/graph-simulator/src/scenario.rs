//! The events that happen by themselves while a simulator runs.

use std::time::Duration;

use tokio::time::Instant;

use crate::fault::{Fault, FaultKind};
use crate::handle::{HandleError, SimulatorHandle};
use crate::options::Options;
use crate::recorded_request::Api;
use crate::rng::{draw, draw_between};
use crate::status_change::StatusChange;
use crate::tenant_profile::tenant_name;

/// The interval between two changes of a score.
const DRIFT_INTERVAL: Duration = Duration::from_secs(4);

/// The maximum change of a score, in percentage points.
const MAX_DRIFT: f64 = 3.0;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    /// Seconds after the start, or after the event before.
    after: u64,
    tenant: String,
    /// A control, a recommendation of Entra, a customer of the partner, or the application.
    subject: &'static str,
    by: &'static str,
    action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// With the administrator's comment.
    Accept(&'static str),
    Revert,
    /// Dismiss the recommendation.
    Dismiss,
    /// Let the application's secret expire.
    Expire,
    /// Extend the validity of the application's secret.
    Renew,
    /// Become a customer, with a display name.
    SignUp(&'static str),
    /// End the relationship with the partner.
    Leave,
}

use Action::{Accept, Dismiss, Expire, Leave, Renew, Revert, SignUp};

/// The first events: earliest and latest second, tenant number, control, administrator.
#[rustfmt::skip]
const FIRST_EVENTS: &[(u64, u64, usize, &str, &str, Action)] = &[
    (50, 95, 0, "UserRiskPolicy", "megan.bowen@contoso.example", Accept("Resets lock out the night shift; back on after the pilot")),
    (130, 160, 3, "MFARegistrationV2", "mei.tanaka@litware.example", Accept("Seasonal staff have no phones at work")),
    (200, 215, 1, "BlockLegacyAuthentication", "tomas.lind@fabrikam.example", Accept("The label printers still sign in the old way")),
    (240, 255, 1, "BlockLegacyAuthentication", "priya.raman@fabrikam.example", Revert),
    (330, 360, 2, "SigninRiskPolicy", "jonas.weber@adatum.example", Accept("Too many false alarms from the new offices")),
    (450, 480, 4, "RoleOverlap", "sara.holm@northwind.example", Accept("One administrator on duty over the holidays")),
    (570, 600, 0, "UserRiskPolicy", "alex.wilber@contoso.example", Revert),
];

/// The same in Entra, with recommendations.
#[rustfmt::skip]
const FIRST_EVENTS_IN_ENTRA: &[(u64, u64, usize, &str, &str, Action)] = &[
    (102, 125, 2, "userRiskPolicy", "Jonas Weber", Dismiss),
];

/// The same with the application that reads a tenant: one tenant fails from the first minute
/// on, until its secret is renewed, before the exporter's first attempt after five minutes.
#[rustfmt::skip]
const SECRET_EVENTS: &[(u64, u64, usize, &str, &str, Action)] = &[
    (20, 30, 4, "watcher", "sara.holm@northwind.example", Expire),
    (250, 275, 4, "watcher", "sara.holm@northwind.example", Renew),
];

/// Entra's code for an expired secret.
const EXPIRED: FaultKind = FaultKind::Aadsts(7_000_222);

/// The same among the customers of the first partner; tenant 4 is the customer that leaves.
#[rustfmt::skip]
const CUSTOMER_EVENTS: &[(u64, u64, usize, &str, &str, Action)] = &[
    (165, 185, 0, "margies-travel", LATER_ADMIN, SignUp("Margie's Travel")),
    (285, 310, 4, "northwind", LATER_ADMIN, Leave),
];

/// The administrator of the later events.
const LATER_ADMIN: &str = "duty.admin@partner.example";

/// The later events: controls of every catalogue, and the comment of the acceptance.
#[rustfmt::skip]
const LATER_EVENTS: &[(&str, &str)] = &[
    ("aad_linkedin_connection_disables", "Recruiting asked for it"),
    ("PWAgePolicyNew", "The auditor asked for expiry"),
    ("mdo_bulkthreshold", "Newsletters were lost"),
    ("SelfServicePasswordReset", "The portal is being moved"),
    ("meeting_autoadmitusers_v1", "A webinar this afternoon"),
];

/// The first events as text, a line each; empty unless the options ask for a scenario.
pub fn scenario(options: &Options) -> Vec<String> {
    match options.scenario {
        true => first_events(options)
            .iter()
            .map(Event::announcement)
            .collect(),
        false => Vec::new(),
    }
}

fn first_events(options: &Options) -> Vec<Event> {
    let tenants = match options.replay {
        Some(_) => 0,
        None => options.tenants,
    };
    let partner = options
        .partners
        .first()
        .map(|partner| partner.name.as_str());
    let secure_score = FIRST_EVENTS.iter().map(|event| ("story", event));
    let entra = FIRST_EVENTS_IN_ENTRA.iter();
    let entra = entra.map(|event| ("story in entra", event));
    let customers = CUSTOMER_EVENTS.iter().filter(|_| lists_tenants(options));
    let customers = customers.map(|event| ("story of customers", event));
    let secrets = SECRET_EVENTS.iter();
    let secrets = secrets.map(|event| ("story of secrets", event));
    let mut events: Vec<Event> = secure_score
        .enumerate()
        .chain(entra.enumerate())
        .chain(secrets.enumerate())
        .chain(customers.enumerate())
        .filter(|(_, (_, event))| event.2 < tenants)
        .map(
            |(index, (purpose, &(earliest, latest, tenant, subject, by, action)))| Event {
                after: draw_between(options.seed, purpose, index as u64, earliest, latest),
                tenant: match action {
                    SignUp(_) | Leave => partner.unwrap_or_default().to_owned(),
                    _ => tenant_name(tenant),
                },
                subject,
                by,
                action,
            },
        )
        .collect();
    events.sort_by_key(|event| event.after);
    events
}

/// Whether the first partner's customers are the tenants of the options.
fn lists_tenants(options: &Options) -> bool {
    let partner = options.partners.first();
    partner.is_some_and(|partner| partner.lists_tenants)
}

/// Runs the events and lets scores drift, until the future is dropped.
pub(crate) async fn run(handle: SimulatorHandle, options: Options) {
    let tenants = handle.tenants().into_iter();
    let tenants: Vec<String> = tenants.map(|tenant| tenant.name).collect();
    tokio::join!(
        run_events(&handle, &options, &tenants),
        drift(&handle, options.seed, &tenants)
    );
}

async fn run_events(handle: &SimulatorHandle, options: &Options, tenants: &[String]) {
    let start = Instant::now();
    for event in first_events(options) {
        tokio::time::sleep_until(start + Duration::from_secs(event.after)).await;
        event.run(handle);
    }
    let later = (0..).map_while(|round| later_events(tenants, options.seed, round));
    for event in later.flatten() {
        tokio::time::sleep(Duration::from_secs(event.after)).await;
        event.run(handle);
    }
}

/// An acceptance and its withdrawal.
///
/// They continue without end, so that a demo which runs for a day still shows
/// a change from its last hour.
fn later_events(tenants: &[String], seed: u64, round: u64) -> Option<[Event; 2]> {
    let tenant = pick(tenants, seed ^ 2, round)?;
    let (control, comment) = pick(LATER_EVENTS, seed ^ 3, round)?;
    let event = |after, action| Event {
        after,
        tenant: tenant.clone(),
        subject: control,
        by: LATER_ADMIN,
        action,
    };
    let pause = draw_between(seed, "pause", round, 180, 420);
    let duration = draw_between(seed, "regret", round, 45, 150);
    Some([event(pause, Accept(comment)), event(duration, Revert)])
}

/// Changes one score of one tenant per interval.
async fn drift(handle: &SimulatorHandle, seed: u64, tenants: &[String]) {
    for step in 0.. {
        tokio::time::sleep(DRIFT_INTERVAL).await;
        if let Some(tenant) = pick(tenants, seed, step) {
            change_score(handle, tenant, seed, step);
        }
    }
}

/// Changes one score between 1 and 99 %: a toggle's score does not drift.
fn change_score(handle: &SimulatorHandle, tenant: &str, seed: u64, step: u64) {
    let controls = handle.scored_controls(tenant).unwrap_or_default();
    let partial = controls.into_iter().filter_map(|id| {
        let score = handle.score(tenant, &id).ok()?;
        (1.0..99.0).contains(&score).then_some((id, score))
    });
    let partial: Vec<(String, f64)> = partial.collect();
    if let Some((id, score)) = pick(&partial, seed ^ 1, step) {
        // From -0.9 to 1.1: scores rise on average.
        let change = draw_between(seed, "drift", step, 0, 1000) as f64 / 500.0 - 0.9;
        let score = (score + change * MAX_DRIFT).clamp(1.0, 98.99);
        match handle.set_score(tenant, id, score) {
            Ok(()) => tracing::debug!("the score of {id} at {tenant} changes to {score:.2} %"),
            Err(error) => tracing::warn!(%error, "could not change the score of {id} at {tenant}"),
        }
    }
}

fn expire_secret(handle: &SimulatorHandle, tenant: &str) -> Result<(), HandleError> {
    let fault = Fault::new(Api::Token, EXPIRED);
    handle.inject(Some(tenant), fault)?;
    handle.revoke_tokens(tenant)
}

fn renew_secret(handle: &SimulatorHandle, tenant: &str) -> Result<(), HandleError> {
    let faults = handle.faults().into_iter();
    let mut expired =
        faults.filter(|it| it.tenant.as_deref() == Some(tenant) && it.fault.kind == EXPIRED);
    expired.try_for_each(|it| handle.remove_fault(it.id))
}

fn pick<T>(items: &[T], seed: u64, step: u64) -> Option<&T> {
    let index = draw(seed, "pick", step).checked_rem(items.len() as u64)?;
    items.get(usize::try_from(index).ok()?)
}

impl Event {
    fn run(&self, handle: &SimulatorHandle) {
        match self.apply(handle) {
            Ok(()) => tracing::info!("{}", self.sentence()),
            Err(error) => tracing::warn!(%error, "event failed: {}", self.sentence()),
        }
    }

    fn apply(&self, handle: &SimulatorHandle) -> Result<(), HandleError> {
        match self.action {
            Accept(comment) => handle.accept(&self.tenant, self.subject, self.by, comment),
            Revert => handle.revert(&self.tenant, self.subject, self.by),
            Dismiss => {
                let change = StatusChange::new("dismissed").by(self.by);
                handle.set_recommendation_status(&self.tenant, self.subject, change)
            }
            Expire => expire_secret(handle, &self.tenant),
            Renew => renew_secret(handle, &self.tenant),
            SignUp(display_name) => {
                let partner = handle.partner(&self.tenant)?;
                partner.sign_up(self.subject, display_name).map(|_| ())
            }
            Leave => handle.partner(&self.tenant)?.remove(self.subject),
        }
    }

    fn sentence(&self) -> String {
        let (tenant, subject, by) = (&self.tenant, self.subject, self.by);
        match self.action {
            Accept(comment) => {
                format!("{by} accepts the risk of {subject} at {tenant}: \"{comment}\"")
            }
            Revert => format!("{by} withdraws the acceptance of {subject} at {tenant}"),
            Dismiss => format!("{by} dismisses the recommendation {subject} of Entra at {tenant}"),
            Expire => format!("the secret of the application {subject} expires at {tenant}"),
            Renew => format!("{by} renews the secret of the application {subject} at {tenant}"),
            SignUp(display_name) => {
                format!("{display_name} ({subject}) becomes a customer of {tenant}")
            }
            Leave => format!("{subject} is no longer a customer of {tenant}"),
        }
    }

    fn announcement(&self) -> String {
        format!("about {} s after the start {}", self.after, self.sentence())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::list::List;
    use crate::partner_options::PartnerOptions;
    use crate::state::SimulatorState;

    fn options(seed: u64, tenants: usize) -> Options {
        Options {
            scenario: true,
            seed,
            tenants,
            partners: vec![PartnerOptions::default()],
            ..Options::default()
        }
    }

    fn handle(tenants: usize) -> (SimulatorHandle, Vec<String>) {
        let state = SimulatorState::new(&options(7, tenants), Timestamp::now());
        let handle = SimulatorHandle::new(state.unwrap());
        let tenants = handle.tenants().into_iter().map(|tenant| tenant.name);
        let tenants = tenants.collect();
        (handle, tenants)
    }

    #[test]
    fn a_seed_determines_the_scenario() {
        assert_eq!(scenario(&options(7, 5)), scenario(&options(7, 5)));
        assert!((0..20).any(|seed| scenario(&options(seed, 5)) != scenario(&options(20, 5))));
    }

    #[test]
    fn the_first_acceptance_is_at_contoso_within_the_first_minutes() {
        for seed in 0..200 {
            let events = first_events(&options(seed, 5));
            let first = events.iter().find(|it| matches!(it.action, Accept(_)));
            let first = first.unwrap();
            assert!((45..=100).contains(&first.after));
            assert_eq!(first.tenant, "contoso");
            assert_eq!(first.subject, "UserRiskPolicy");
            assert!(events.is_sorted_by_key(|event| event.after));
        }
    }

    #[test]
    fn one_tenant_fails_in_the_first_minute_until_its_secret_is_renewed() {
        for seed in 0..200 {
            let events = first_events(&options(seed, 5));
            assert_eq!(events[0].action, Expire);
            assert!(events[0].after < 31);
        }
        let (handle, _) = handle(5);
        let events = first_events(&options(7, 5));
        let of_secret = |action: &Action| matches!(action, Expire | Renew);
        let mut faults = Vec::new();
        for event in events.iter().filter(|it| of_secret(&it.action)) {
            event.apply(&handle).unwrap();
            let tenants = handle.faults().into_iter().map(|it| it.tenant);
            faults.push(tenants.collect::<Vec<_>>());
        }
        assert_eq!(faults, [vec![Some("northwind".to_owned())], vec![]]);
    }

    #[test]
    fn an_administrator_dismisses_a_recommendation_within_three_minutes() {
        for seed in 0..200 {
            let events = first_events(&options(seed, 5));
            let dismissal = events.iter().find(|event| event.action == Dismiss);
            let dismissal = dismissal.unwrap();
            assert!((100..180).contains(&dismissal.after));
            assert_eq!(dismissal.tenant, "adatum");
            let state = SimulatorState::new(&options(seed, 5), Timestamp::now()).unwrap();
            let adatum = state.tenant("adatum").unwrap();
            let elements = adatum.elements(List::Recommendations, Timestamp::now());
            let mut elements = elements.iter();
            let element = elements.find(|it| it["recommendationType"] == dismissal.subject);
            assert_eq!(element.unwrap()["status"], "active");
        }
    }

    #[test]
    fn one_customer_signs_up_and_later_another_leaves() {
        for seed in 0..200 {
            let events = first_events(&options(seed, 5));
            let position = |action: fn(&Action) -> bool| {
                events
                    .iter()
                    .position(|event| action(&event.action))
                    .unwrap()
            };
            let signs_up = position(|action| matches!(action, SignUp(_)));
            let leaves = position(|action| matches!(action, Leave));
            assert!(signs_up < leaves && events[leaves].subject == "northwind");
        }
        let few = first_events(&options(7, 2));
        assert!(few.iter().all(|event| event.action != Leave));
        let none = Options {
            partners: Vec::new(),
            ..options(7, 5)
        };
        let events = first_events(&none);
        assert!(
            events
                .iter()
                .all(|it| !matches!(it.action, SignUp(_) | Leave))
        );
    }

    #[test]
    fn every_event_can_be_applied() {
        let (handle, tenants) = handle(5);
        let later = (0..60).flat_map(|round| later_events(&tenants, 7, round).unwrap());
        for event in first_events(&options(7, 5)).into_iter().chain(later) {
            assert_eq!(event.apply(&handle), Ok(()), "{}", event.sentence());
        }
    }

    #[test]
    fn a_drifting_score_changes_and_stays_between_1_and_99() {
        let (handle, _) = handle(1);
        let scores = || {
            let ids = handle.scored_controls("contoso").unwrap();
            let scores = ids.iter().map(|id| handle.score("contoso", id).unwrap());
            scores.collect::<Vec<_>>()
        };
        let before = scores();
        for step in 0..200 {
            change_score(&handle, "contoso", 7, step);
        }
        let after = scores();
        let changed = before.iter().zip(&after).filter(|(a, b)| a != b);
        let changed: Vec<f64> = changed.map(|(_, score)| *score).collect();
        assert!(changed.len() > 5);
        assert!(changed.iter().all(|score| (1.0..99.0).contains(score)));
    }

    #[test]
    fn no_event_names_a_tenant_that_does_not_exist() {
        let events = first_events(&options(7, 1));
        let known = ["contoso", "partner"];
        assert!(
            events
                .iter()
                .all(|event| known.contains(&event.tenant.as_str()))
        );
        assert!(scenario(&Options::default()).is_empty());
    }
}
