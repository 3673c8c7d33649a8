//! One element of `secureScores`: the report of one tenant on one day.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::catalogue::Entry;
use super::dice::between;
use super::made::Made;
use super::measure::{self, Share, number};
use super::{day, profile};

/// Renders the report of a place in the list, newest first.
pub(super) fn render(tenant: &Made, place: usize, now: Timestamp) -> Value {
    let report = Report {
        tenant,
        day: tenant.calendar().day(place, day::newest(now)),
        newest: place == 0,
    };
    report.to_json()
}

struct Report<'a> {
    tenant: &'a Made,
    day: Timestamp,
    newest: bool,
}

/// A scored control of the day.
struct Scored {
    index: usize,
    entry: &'static Entry,
    share: Share,
    /// The most points of the day.
    maximum: u32,
}

impl Report<'_> {
    fn to_json(&self) -> Value {
        let character = self.tenant.character;
        let scored = self.scored();
        json!({
            "id": format!("{}_{}", self.tenant.entra_id, self.day.strftime("%Y-%m-%d")),
            "azureTenantId": self.tenant.entra_id,
            "activeUserCount": character.users - character.users / 9,
            "averageComparativeScores": self.comparisons(),
            "controlScores": scored.iter().map(|control| self.control(control)).collect::<Vec<_>>(),
            "createdDateTime": self.day.to_string(),
            "currentScore": self.number(scored.iter().map(Scored::points).sum()),
            "enabledServices": character.licences,
            "licensedUserCount": character.licensed_users,
            "maxScore": self.number(scored.iter().map(Scored::maximum).sum()),
            "vendorInformation": profile::vendor(),
        })
    }

    fn scored(&self) -> Vec<Scored> {
        let calendar = self.tenant.calendar();
        let day = calendar.counted(self.day);
        let scored = self.tenant.scored_on(day);
        scored
            .map(|(index, entry)| {
                let share = self.tenant.share(index, entry, self.day, self.newest);
                Scored {
                    index,
                    entry,
                    share,
                    maximum: calendar.maximum(index, entry, day),
                }
            })
            .collect()
    }

    fn control(
        &self,
        Scored {
            index,
            entry,
            share,
            maximum,
        }: &Scored,
    ) -> Value {
        if let Some(odd) = self.tenant.odd_score(*index).filter(|_| self.newest) {
            return odd.clone();
        }
        let population = self.tenant.population(entry);
        let mut fields = json!({
            "controlCategory": entry.category,
            "controlName": entry.id,
            "description": null,
            "implementationStatus": measure::sentence(entry, *share, population, self.newest),
            "score": self.number(share.points(*maximum)),
            "scoreInPercentage": self.number(share.hundredths() * 100),
        });
        if let Some(fields) = fields.as_object_mut().filter(|_| self.newest) {
            self.add_details(fields, entry, *share);
        }
        fields
    }

    /// What Microsoft keeps for the newest day only.
    ///
    /// A reader that counts on these fields works until it meets the second
    /// report; that is why the older ones here lack them too.
    fn add_details(&self, fields: &mut Map<String, Value>, entry: &Entry, share: Share) {
        fields.insert("description".into(), json!(description(entry)));
        fields.insert("lastSynced".into(), json!(self.synced(entry)));
        let population = self.tenant.population(entry);
        for (name, text) in measure::extras(entry, share, population) {
            fields.insert(name.into(), json!(text));
        }
    }

    fn synced(&self, entry: &Entry) -> String {
        let lag = SignedDuration::from_secs(self.tenant.sync_lag(entry) as i64);
        self.day.saturating_sub(lag).unwrap_or(self.day).to_string()
    }

    fn comparisons(&self) -> Vec<Value> {
        let bases = ["AllTenants", "TotalSeats", "IndustryTypes"];
        let known = if self.tenant.character.industry { 3 } else { 2 };
        bases
            .iter()
            .take(known)
            .map(|basis| self.comparison(basis))
            .collect()
    }

    fn comparison(&self, basis: &str) -> Value {
        let area = |name: &str, low: u64, high: u64| {
            let users = self.tenant.character.users;
            let hundredths = between(users, &format!("{basis} {name}"), 0, low * 100, high * 100);
            number(hundredths * 100, self.tenant.character.bare_numbers)
        };
        let mut fields = json!({
            "basis": basis,
            "averageScore": area("average", 38, 61),
            "identityScore": area("identity", 28, 44), "identityScoreMax": area("identity max", 52, 68),
            "appsScore": area("apps", 30, 60), "appsScoreMax": area("apps max", 80, 130),
            "dataScore": area("data", 0, 3), "dataScoreMax": area("data max", 4, 9),
            "deviceScore": area("device", 8, 24), "deviceScoreMax": area("device max", 25, 60),
            "infrastructureScore": number(0, self.tenant.character.bare_numbers),
            "infrastructureScoreMax": number(0, self.tenant.character.bare_numbers),
        });
        if let Some(fields) = fields.as_object_mut().filter(|_| basis == "TotalSeats") {
            let (lower, upper) = seats(self.tenant.character.users);
            fields.insert("SeatSizeRangeLowerValue".into(), json!(lower));
            fields.insert("SeatSizeRangeUpperValue".into(), json!(upper));
        }
        fields
    }

    fn number(&self, ten_thousandths: u64) -> Value {
        number(ten_thousandths, self.tenant.character.bare_numbers)
    }
}

impl Scored {
    fn points(&self) -> u64 {
        self.share.points(self.maximum)
    }

    fn maximum(&self) -> u64 {
        Share::FULL.points(self.maximum)
    }
}

/// The class of size, as strings with a capital: Graph's spelling.
fn seats(users: u64) -> (&'static str, &'static str) {
    match users {
        0..=100 => ("1", "100"),
        101..=1000 => ("101", "1000"),
        1001..=5000 => ("1001", "5000"),
        _ => ("5001", "2147483647"),
    }
}

fn description(entry: &Entry) -> String {
    let why = match entry.category {
        "Identity" => "Most break-ins begin with an account.",
        "Data" => "What is labelled and watched does not leave unseen.",
        "Device" => "A hardened device gives an attacker no foothold.",
        _ => "What is shared and connected by default is open by default.",
    };
    format!("\n\t\t\t{}.\n\t\t\t<br/>\n\t\t\t{why}\n\t\t", entry.title)
}
