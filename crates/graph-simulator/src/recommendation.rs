//! One element of `directory/recommendations`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::completion::number;
use crate::generated_tenant::GeneratedTenant;
use crate::initial_statuses::resource_id;
use crate::recommendation_catalogue::{ENTRIES, RecommendationEntry, Scope};
use crate::report_calendar::newest_day;
use crate::rng::{draw, draw_between};
use crate::status_change::{SYSTEM, to_text};

/// The time of Entra's daily check, in seconds after midnight: before the newest report
/// is published, so that it never lies ahead.
const CHECKED_BEFORE: u64 = 6 * 60 * 60 - 1;

/// Entra's admin center, where the steps of a recommendation are taken.
const ADMIN_CENTER: &str = "https://entra.microsoft.com/";

/// Given and family names of the generated users.
const GIVEN_NAMES: [&str; 8] = [
    "Irina", "Owen", "Maja", "Pradeep", "Lucia", "Sven", "Amara", "Hiro",
];
const FAMILY_NAMES: [&str; 8] = [
    "Brandt", "Okafor", "Lindholm", "Costa", "Iyer", "Novak", "Dubois", "Mori",
];

/// The names of the generated applications.
const APPLICATIONS: [&str; 6] = [
    "Payroll Connector",
    "Legacy Scanner",
    "Warehouse Sync",
    "Newsletter Import",
    "Door Control",
    "Visitor Kiosk",
];

impl GeneratedTenant {
    /// Graph's JSON of the recommendation at an index, impacted resources included.
    pub(crate) fn recommendation(&self, index: usize, now: Timestamp) -> Option<Value> {
        let entry = ENTRIES.get(index)?;
        let points = self.points(entry, newest_day(now), true);
        let is_complete = match points {
            Some((current, maximum)) => current == maximum,
            None => draw(self.seed, "recommendation done", index as u64).is_multiple_of(4),
        };
        let created = self.created(index, now);
        let checked = self.last_checked(now);
        let mut fields = json!({
            "id": entry.id(&self.entra_id),
            "recommendationType": entry.kind,
            "category": entry.category,
            "status": if is_complete { "completedBySystem" } else { "active" },
            "priority": entry.priority,
            "displayName": entry.title,
            "createdDateTime": created,
            "impactStartDateTime": created,
            "lastCheckedDateTime": checked,
            "lastModifiedBy": SYSTEM,
            "lastModifiedDateTime": checked,
            "postponeUntilDateTime": null,
            "impactType": impact_type(entry.scope),
            "featureAreas": [entry.feature_area],
            "releaseType": if index % 5 == 4 { "preview" } else { "generallyAvailable" },
            "requiredLicenses": entry.licence,
            "insights": format!("{}.", entry.title.trim_end()),
            "benefits": "Fewer accounts are taken over.",
            "remediationImpact": "People may notice the change; tell them beforehand.",
            "actionSteps": action_steps(entry),
        });
        let members = fields.as_object_mut()?;
        if let Some((current, maximum)) = points {
            let number = |points| number(points, self.profile.integers);
            members.insert("currentScore".to_owned(), number(current));
            members.insert("maxScore".to_owned(), number(maximum));
        }
        self.add_resources(members, (index, entry), is_complete, &checked);
        for edit in self.recommendation_edits.get(&index).into_iter().flatten() {
            edit.apply(&mut fields);
        }
        Some(fields)
    }

    /// The current and the maximum points on a day, in ten-thousandths; `None` outside
    /// the Identity Secure Score.
    pub(crate) fn points(
        &self,
        entry: &RecommendationEntry,
        day: Timestamp,
        is_newest: bool,
    ) -> Option<(u64, u64)> {
        if entry.category != "identitySecureScore" {
            return None;
        }
        let index = self.catalogue.position(entry.kind)?;
        let (_, control) = self.catalogue.entries().nth(index)?;
        let completion = self.completion_on(index, control, day, is_newest);
        let figures_day = self.calendar.figures_day(day);
        let maximum = self.calendar.maximum(index, control, figures_day);
        Some((completion.points(maximum), u64::from(maximum) * 10_000))
    }

    /// The impacted resources: omitted for the whole tenant, none where it is complete.
    fn add_resources(
        &self,
        fields: &mut Map<String, Value>,
        (index, entry): (usize, &RecommendationEntry),
        is_complete: bool,
        checked: &str,
    ) {
        let names: Vec<String> = match entry.scope {
            Scope::Tenant => return,
            Scope::Users | Scope::Applications if is_complete => Vec::new(),
            Scope::Users => self.users(index),
            Scope::Applications => self.applications(index),
        };
        let resources = names.iter().enumerate();
        let resources = resources.map(|(rank, name)| self.resource(entry, rank, name, checked));
        fields.insert("impactedResources".to_owned(), resources.collect());
    }

    fn users(&self, index: usize) -> Vec<String> {
        let count = draw_between(self.seed, "impacted users", index as u64, 2, 6);
        let start = draw(self.seed, "first impacted user", index as u64) as usize;
        let name = |number: usize| {
            let given = GIVEN_NAMES.iter().cycle().nth(number % GIVEN_NAMES.len())?;
            let family = (number / GIVEN_NAMES.len() + number) % FAMILY_NAMES.len();
            let family = FAMILY_NAMES.iter().cycle().nth(family)?;
            Some(format!("{given} {family}"))
        };
        let numbers = (0..count as usize).map(|offset| (start % 64).saturating_add(offset));
        numbers.filter_map(name).collect()
    }

    fn applications(&self, index: usize) -> Vec<String> {
        let count = draw_between(self.seed, "impacted applications", index as u64, 1, 4);
        let names = APPLICATIONS.iter().take(count as usize);
        names.map(|name| (*name).to_owned()).collect()
    }

    fn resource(
        &self,
        entry: &RecommendationEntry,
        rank: usize,
        name: &str,
        checked: &str,
    ) -> Value {
        let id = resource_id(self.seed, entry.kind, rank as u64);
        let (kind, path) = match entry.scope {
            Scope::Applications => ("app", "applications"),
            Scope::Tenant | Scope::Users => ("user", "users"),
        };
        json!({
            "id": id,
            "subjectId": id,
            "displayName": name,
            "resourceType": kind,
            "owner": "",
            "rank": rank + 1,
            "status": "active",
            "addedDateTime": checked,
            "lastModifiedBy": SYSTEM,
            "lastModifiedDateTime": checked,
            "postponeUntilDateTime": null,
            "portalUrl": format!("https://entra.example/{path}/{id}"),
            "apiUrl": format!("https://graph.example/beta/{path}/{id}"),
        })
    }

    /// When Entra found that the recommendation applies.
    fn created(&self, index: usize, now: Timestamp) -> String {
        let days = draw_between(self.seed, "recommended", index as u64, 100, 500);
        let age = SignedDuration::from_hours(days as i64 * 24);
        let created = self.calendar.start().saturating_sub(age);
        to_text(created.unwrap_or(now))
    }

    /// When Entra last checked the tenant.
    fn last_checked(&self, now: Timestamp) -> String {
        let second = draw_between(self.seed, "checked", 0, 0, CHECKED_BEFORE);
        let offset = SignedDuration::from_secs(second as i64);
        to_text(newest_day(now).saturating_add(offset).unwrap_or(now))
    }
}

fn impact_type(scope: Scope) -> &'static str {
    match scope {
        Scope::Tenant => "Tenant level",
        Scope::Users => "users",
        Scope::Applications => "applications",
    }
}

fn action_steps(entry: &RecommendationEntry) -> Value {
    json!([
        {"stepNumber": 1, "text": "Open the settings of the service.", "actionUrl": {"displayName": "Settings", "url": ADMIN_CENTER}},
        {"stepNumber": 2, "text": format!("{}.", entry.title.trim_end()), "actionUrl": null},
    ])
}
