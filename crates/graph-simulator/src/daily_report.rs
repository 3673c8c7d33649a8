//! One element of `secureScores`: the report of one tenant on one day.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::catalogue::CatalogueEntry;
use crate::completion::{self, Completion, number};
use crate::control_profile::vendor;
use crate::generated_tenant::GeneratedTenant;
use crate::report_calendar::newest_day;
use crate::rng::draw_between;

/// Graph's JSON of the report at an index, newest first.
pub(crate) fn render(tenant: &GeneratedTenant, index: usize, now: Timestamp) -> Value {
    let report = DailyReport {
        tenant,
        day: tenant.calendar.day(index, newest_day(now)),
        is_newest: index == 0,
    };
    report.to_json()
}

struct DailyReport<'a> {
    tenant: &'a GeneratedTenant,
    day: Timestamp,
    is_newest: bool,
}

struct ControlScore<'a> {
    index: usize,
    entry: &'a CatalogueEntry,
    completion: Completion,
    maximum: u32,
}

impl DailyReport<'_> {
    fn to_json(&self) -> Value {
        let profile = self.tenant.profile;
        let scores = self.scores();
        let points = scores
            .iter()
            .map(|score| score.completion.points(score.maximum));
        let maxima = scores
            .iter()
            .map(|score| Completion::FULL.points(score.maximum));
        json!({
            "id": format!("{}_{}", self.tenant.entra_id, self.day.strftime("%Y-%m-%d")),
            "azureTenantId": self.tenant.entra_id,
            "activeUserCount": profile.users - profile.users / 9,
            "averageComparativeScores": self.comparisons(),
            "controlScores": scores.iter().map(|score| self.score(score)).collect::<Vec<_>>(),
            "createdDateTime": self.day.to_string(),
            "currentScore": self.number(points.sum()),
            "enabledServices": profile.licences,
            "licensedUserCount": profile.licensed_users,
            "maxScore": self.number(maxima.sum()),
            "vendorInformation": vendor(),
        })
    }

    fn scores(&self) -> Vec<ControlScore<'_>> {
        let calendar = &self.tenant.calendar;
        let day = calendar.figures_day(self.day);
        let scored = self.tenant.scored_on(day);
        scored
            .map(|(index, entry)| ControlScore {
                index,
                entry,
                completion: self
                    .tenant
                    .completion_on(index, entry, self.day, self.is_newest),
                maximum: calendar.maximum(index, entry, day),
            })
            .collect()
    }

    fn score(&self, score: &ControlScore<'_>) -> Value {
        let replaced = self.tenant.score_overrides.get(&score.index);
        if let Some(element) = replaced.filter(|_| self.is_newest) {
            return element.clone();
        }
        let (entry, completion) = (score.entry, score.completion);
        let population = self.tenant.population(entry);
        let status =
            completion::implementation_status(entry, completion, population, self.is_newest);
        let mut fields = json!({
            "controlCategory": entry.category,
            "controlName": entry.id,
            "description": null,
            "implementationStatus": status,
            "score": self.number(completion.points(score.maximum)),
            "scoreInPercentage": self.number(completion.hundredths() * 100),
        });
        if let Some(fields) = fields.as_object_mut().filter(|_| self.is_newest) {
            self.add_newest_fields(fields, entry, completion);
        }
        fields
    }

    /// Graph drops these fields from older reports.
    fn add_newest_fields(
        &self,
        fields: &mut Map<String, Value>,
        entry: &CatalogueEntry,
        completion: Completion,
    ) {
        fields.insert("description".into(), json!(description(entry)));
        fields.insert("lastSynced".into(), json!(self.last_synced(entry)));
        let population = self.tenant.population(entry);
        for (name, text) in completion::newest_report_fields(entry, completion, population) {
            fields.insert(name.into(), json!(text));
        }
    }

    fn last_synced(&self, entry: &CatalogueEntry) -> String {
        let lag = SignedDuration::from_secs(self.tenant.sync_lag(entry) as i64);
        self.day.saturating_sub(lag).unwrap_or(self.day).to_string()
    }

    fn comparisons(&self) -> Vec<Value> {
        let bases = ["AllTenants", "TotalSeats", "IndustryTypes"];
        let known = if self.tenant.profile.has_industry {
            3
        } else {
            2
        };
        let known = bases.iter().take(known);
        known.map(|basis| self.comparison(basis)).collect()
    }

    fn comparison(&self, basis: &str) -> Value {
        let users = self.tenant.profile.users;
        let area = |name: &str, low: u64, high: u64| {
            let purpose = format!("{basis} {name}");
            self.number(draw_between(users, &purpose, 0, low * 100, high * 100) * 100)
        };
        let mut fields = json!({
            "basis": basis,
            "averageScore": area("average", 38, 61),
            "identityScore": area("identity", 28, 44), "identityScoreMax": area("identity max", 52, 68),
            "appsScore": area("apps", 30, 60), "appsScoreMax": area("apps max", 80, 130),
            "dataScore": area("data", 0, 3), "dataScoreMax": area("data max", 4, 9),
            "deviceScore": area("device", 8, 24), "deviceScoreMax": area("device max", 25, 60),
            "infrastructureScore": self.number(0),
            "infrastructureScoreMax": self.number(0),
        });
        if let Some(fields) = fields.as_object_mut().filter(|_| basis == "TotalSeats") {
            let (lower, upper) = seat_range(users);
            fields.insert("SeatSizeRangeLowerValue".into(), json!(lower));
            fields.insert("SeatSizeRangeUpperValue".into(), json!(upper));
        }
        fields
    }

    fn number(&self, ten_thousandths: u64) -> Value {
        number(ten_thousandths, self.tenant.profile.integers)
    }
}

/// The size class; Graph writes these numbers as strings.
fn seat_range(users: u64) -> (&'static str, &'static str) {
    match users {
        0..=100 => ("1", "100"),
        101..=1000 => ("101", "1000"),
        1001..=5000 => ("1001", "5000"),
        _ => ("5001", "2147483647"),
    }
}

fn description(entry: &CatalogueEntry) -> String {
    let reason = match entry.category {
        "Identity" => "Most break-ins begin with an account.",
        "Data" => "What is labelled and watched does not leave unseen.",
        "Device" => "A hardened device gives an attacker no foothold.",
        _ => "What is shared and connected by default is open by default.",
    };
    format!(
        "\n\t\t\t{}.\n\t\t\t<br/>\n\t\t\t{reason}\n\t\t",
        entry.title
    )
}
