"""Random tenants, as Graph answers for them: regular ones, and ones with oddities."""

import json
import random
import uuid
from datetime import datetime, timedelta, timezone

CATEGORIES = ["Identity", "Data", "Device", "Apps", "Infrastructure"]
# Graph's words and the portal's, by state.
WORDS = {
    "to_address": ["Default", "default", "DEFAULT"],
    "risk_accepted": ["Ignored", "ignored", "ignore"],
    "third_party": ["ThirdParty", "thirdparty"],
    "alternate_mitigation": ["Reviewed", "REVIEWED"],
    "planned": ["Planned", "planned"],
}
ODD_WORDS = {
    "to_address": ["ToAddress", "To address", "to-address", "active"],
    "risk_accepted": ["RiskAccepted", "riskAccepted", "Risk accepted", "risk_accepted", "RISK-ACCEPTED"],
    "third_party": ["ResolvedThroughThirdParty", "Resolved through third party", "ThirdPartyMitigation", "third-party"],
    "alternate_mitigation": ["AlternateMitigation", "Resolved through alternate mitigation", "ResolvedThroughAlternateMitigation"],
    "planned": ["InProgress", "In progress", "in_progress"],
}
PERSONS = ["ann@contoso.example", "bob@contoso.example", "0b1c2d3e-0000-4000-8000-000000000001"]
COMMENTS = ["why not", "Third Party-Mitigation", "NEEDS MORE ACTION", "Completed by user!", "third party mitigation by ACME", "  pilot \t group ", 'said "yes"', "back\\slash", "näher", "x" * 140, ""]
NEVER = "0001-01-01T00:00:00Z"
LONE_SURROGATE = '"half \\ud83d of a pair"'


class Raw(str):
    """JSON that is written as it is."""


def to_json(value):
    """The value as JSON; unlike json.dumps it writes Raw unchanged."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{%s}" % ",".join(f"{json.dumps(key)}:{to_json(it)}" for key, it in value.items())
    if isinstance(value, list):
        return "[%s]" % ",".join(map(to_json, value))
    return json.dumps(value)


class Generator:
    """Generates the tenants of a seed. Without `odd`, everything is as in known captures."""

    def __init__(self, seed, odd):
        self.random = random.Random(seed)
        self.odd = odd

    def chance(self, probability):
        return self.random.random() < probability

    def odd_chance(self, probability):
        return self.odd and self.chance(probability)

    def tenant(self):
        """The texts of the files of one tenant, by name."""
        self.entra_id = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        count = self.random.randint(4, 16)
        profiles = [self.profile(f"Control{number:02}") for number in range(count)]
        if self.chance(0.5):
            profiles.append(self.profile(self.random.choice(["UserRiskPolicy", "AdminMFAV2", "scid_7"])))
        scores = [self.score(profile) for profile in profiles if self.chance(0.7)]
        scores += [self.unlisted_score(number) for number in range(self.random.randint(0, 3))]
        if self.odd:
            self.pair_by_case(profiles, scores)
        if scores and self.chance(0.2):
            scores.append(dict(self.random.choice(scores)))
        if scores and self.odd_chance(0.3):
            scores.append(self.other_copy(self.random.choice(scores)))
        self.random.shuffle(scores)
        if self.chance(0.15):
            unusable = self.random.choice([None, "", "two\nlines", "x" * 129])
            profiles.append(self.profile(unusable))
            scores.append({"controlName": unusable, "score": 3})
        pages = self.pages(profiles)
        files = {"secureScores.json": [self.report(scores), *self.older_reports()]}
        self.random.shuffle(files["secureScores.json"])
        for number, page in enumerate(pages, 1):
            files[f"secureScoreControlProfiles.page{number}.json"] = page
        return {name: to_json({"value": elements}) for name, elements in files.items()}

    def pages(self, profiles):
        """One or two pages, and elements that stand on them twice."""
        self.random.shuffle(profiles)
        if self.chance(0.4):
            pages = [profiles]
        else:
            middle = self.random.randint(1, len(profiles) - 1)
            pages = [profiles[:middle], profiles[middle:]]
        # The exporter refuses a catalogue without any history.
        if not any("controlStateUpdates" in profile for profile in profiles):
            profiles[0]["controlStateUpdates"] = []
        if len(pages) == 1:
            return pages
        if self.chance(0.4):
            copy = dict(self.random.choice(pages[0]))
            if self.odd:
                copy["controlStateUpdates"] = self.other_history(copy.get("controlStateUpdates"))
            pages[1].append(copy)
        if self.odd_chance(0.1):
            self.random.choice(pages).append(self.random.choice([7, "Control00", None]))
        return pages

    def pair_by_case(self, profiles, scores):
        """Ids of both lists that differ in their case."""
        for number in range(self.random.randint(0, 2)):
            name = f"Case{number}"
            ids = self.random.sample([name, name.upper(), name.lower()], self.random.randint(1, 2))
            listed = [self.profile(it) for it in ids]
            profiles += listed
            names = self.random.sample([name, name.upper(), name.lower()], self.random.randint(1, 2))
            for it in names:
                score = self.score(self.random.choice(listed))
                score["controlName"] = it
                scores.append(score)

    def other_copy(self, score):
        """A copy of a score with other points, perhaps with its id in another case."""
        id = score["controlName"]
        points = self.random.choice([0, 1.5, 6])
        return {**score, "controlName": self.random.choice([id, id.upper(), id.lower()]), "score": points}

    def category(self):
        if self.chance(0.08):
            return self.random.choice(["identity", "Account", None, ""])
        return self.random.choice(CATEGORIES)

    def number(self, value):
        """A number, or its text."""
        return str(value) if self.chance(0.1) else value

    def spoilt(self, value):
        """A value, or one that cannot be used."""
        if not self.chance(0.06):
            return self.number(value)
        spoilt = [None, -1, "many", 1e9, [], ""]
        return Raw("1e400") if self.odd_chance(0.3) else self.random.choice(spoilt)

    def profile(self, id):
        words = lambda *them: self.random.choice([*them, None, "unknown", "Unknown"])
        title = self.random.choice([f"Title of {id}", f" Title\u202fof  {id} ", f'The "{id}" \\ rule', None, "ä" * 70])
        profile = {
            "id": id,
            "azureTenantId": self.entra_id,
            "title": Raw(LONE_SURROGATE) if self.odd_chance(0.03) else title,
            "controlCategory": self.category(),
            "service": self.random.choice(["AzureAD", "EXO", "MS Teams", None]),
            "tier": words("Core", "Advanced", "Defense In Depth", "Tier9"),
            "userImpact": words("Low", "low", "Moderate", "medium", "High", "Huge"),
            "implementationCost": words("Low", "Moderate", "medium", "high", "Free"),
            "actionType": words("Config", "Review", "Behavior", "Other"),
            "actionUrl": None,
            "maxScore": self.spoilt(self.random.choice([1, 2, 3.0, 5, 7.5, 8, 10])),
            "deprecated": False,
            "controlStateUpdates": self.history(),
        }
        if self.odd_chance(0.01):
            del profile["controlStateUpdates"]
        if self.odd_chance(0.01):
            profile["controlStateUpdates"] = self.random.choice(["none", 7])
        return profile

    def date(self, start, end):
        """A date with seven fractional digits or none, in UTC or with an offset."""
        at = start + timedelta(seconds=self.random.randint(0, int((end - start).total_seconds())))
        fraction = self.random.choice(["", f".{self.random.randint(0, 9_999_999):07}"])
        if self.chance(0.1):
            local = at.astimezone(timezone(timedelta(hours=2)))
            return local.strftime(f"%Y-%m-%dT%H:%M:%S{fraction}+02:00")
        return at.strftime(f"%Y-%m-%dT%H:%M:%S{fraction}Z")

    def history(self):
        if self.chance(0.3):
            return self.random.choice([None, [], [self.placeholder()]])
        updates = [self.update() for _ in range(self.random.choice([1, 1, 2, 3, 4, 6, 9]))]
        if self.chance(0.3):
            # A tool that writes the same state again.
            copy = dict(self.random.choice(updates))
            copy["updatedDateTime"] = self.date(*self.years())
            updates.append(copy)
        if self.odd:
            self.make_odd(updates)
        if self.chance(0.6):
            updates.insert(0, self.placeholder())
        if self.odd_chance(0.1):
            updates.append(self.placeholder())
        return updates

    def other_history(self, history):
        """The history of another copy; sometimes with equal dates, and longer."""
        if not isinstance(history, list) or self.chance(0.5):
            return self.history()
        undated = {"state": "Planned", "updatedBy": PERSONS[0], "updatedDateTime": None}
        longer = [undated, *history]
        return longer if self.chance(0.5) else [*longer, dict(undated)]

    def years(self):
        return datetime(2025, 1, 1, tzinfo=timezone.utc), datetime(2026, 11, 1, tzinfo=timezone.utc)

    def placeholder(self):
        return {"assignedTo": None, "comment": None, "state": "Default", "updatedBy": None, "updatedDateTime": self.random.choice([None, None, NEVER])}

    def update(self):
        state = self.random.choice([*WORDS, "risk_accepted", "risk_accepted"])
        words = WORDS[state] + (ODD_WORDS[state] if self.odd else [])
        return {
            "assignedTo": "",
            "comment": self.random.choice([None, *COMMENTS]),
            "state": self.random.choice(words),
            "updatedBy": self.random.choice(PERSONS),
            "updatedDateTime": self.date(*self.years()),
        }

    def make_odd(self, updates):
        """Makes some entries of a history odd."""
        for number, update in enumerate(updates):
            if not self.chance(0.12):
                continue
            kind = self.random.choice(["word", "no word", "comment", "undated", "date", "unreadable"])
            if kind == "word":
                update["state"] = self.random.choice(["Quantum", "Snoozed", "Accepted?", ["Ignored"]])
            elif kind == "no word":
                update["state"] = self.random.choice([None, ""])
            elif kind == "comment":
                update["comment"] = Raw(LONE_SURROGATE)
            elif kind == "undated":
                update["updatedDateTime"] = None
            elif kind == "date":
                update["updatedDateTime"] = self.random.choice(["yesterday", "2026-13-01T00:00:00Z", "9999-12-31T00:00:00Z"])
            else:
                twice = to_json(update).replace("{", '{"state":"Default",', 1)
                updates[number] = self.random.choice(["Ignored", None, 7, Raw(twice)])
        dated = [it for it in updates if isinstance(it, dict)]
        if dated and self.chance(0.1):
            # Two changes at one time.
            self.random.choice(dated)["updatedDateTime"] = self.random.choice(dated)["updatedDateTime"]
        if dated and self.chance(0.2):
            self.date_in_future(updates, dated)

    def date_in_future(self, updates, dated):
        """Gives some entries a date in the future, mostly in a list that is in order otherwise."""
        day = lambda it: datetime.fromisoformat(it["updatedDateTime"][:19] + "+00:00")
        has_days = all(isinstance(it["updatedDateTime"], str) and it["updatedDateTime"][:4] in ("2025", "2026") and it["updatedDateTime"][5:7] != "13" for it in dated)
        if has_days and len(dated) == len(updates) and self.chance(0.8):
            updates.sort(key=day, reverse=self.chance(0.5))
        for update in self.random.sample(dated, min(len(dated), self.random.choice([1, 1, 1, 2, 3]))):
            future = datetime.now(timezone.utc) + timedelta(days=self.random.randint(1, 900))
            update["updatedDateTime"] = future.strftime("%Y-%m-%dT%H:%M:%SZ")

    def score(self, profile):
        percentage = self.random.choice([0, 20, 25, 50, 75, 100, 100])
        listed = profile["maxScore"]
        maximum = float(listed) if isinstance(listed, (int, float)) and 0 < listed < 1000 else 4.0
        points = maximum * percentage / 100
        if self.odd_chance(0.3):
            percentage = self.random.randint(1, 9999) / 100
            points = round(maximum * percentage / 100, 2)
        score = {
            "controlName": profile["id"],
            "controlCategory": self.category(),
            "score": self.spoilt(points),
            "scoreInPercentage": self.spoilt(percentage),
            "lastSynced": self.random.choice([self.date(*self.years()), self.date(*self.years()), None, "never"]),
            "implementationStatus": self.random.choice(["1 of 3", "", None]),
        }
        if self.odd_chance(0.05):
            score["NotScored"] = self.random.choice([True, "true", "True", False, "false"])
        if self.odd_chance(0.03):
            score["implementationStatus"] = Raw(LONE_SURROGATE)
        return score

    def unlisted_score(self, number):
        return self.score({"id": f"Unlisted{number}", "maxScore": self.random.choice([3, 5, 8])})

    def report(self, scores):
        total = sum(it["score"] for it in scores if isinstance(it["score"], (int, float)))
        return {
            "id": self.entra_id + "_2026-11-20",
            "azureTenantId": self.entra_id,
            "createdDateTime": "2026-11-20T00:00:00Z",
            "currentScore": self.spoilt(round(total, 2)),
            "maxScore": self.spoilt(self.random.randint(20, 200)),
            "activeUserCount": self.spoilt(self.random.randint(0, 9000)),
            "licensedUserCount": self.spoilt(self.random.choice([0, 12, 700])),
            "averageComparativeScores": self.comparisons(),
            "controlScores": scores,
        }

    def older_reports(self):
        """Earlier days, which must not count."""
        for day in range(self.random.randint(0, 2)):
            yield {
                "azureTenantId": self.entra_id,
                "createdDateTime": f"2026-11-1{day}T00:00:00Z",
                "currentScore": 999,
                "maxScore": 999,
                "controlScores": [],
            }

    def comparisons(self):
        bases = ["AllTenants", "TotalSeats", "IndustryTypes"][: self.random.randint(0, 3)]
        if self.chance(0.1):
            bases.append(self.random.choice(["Planets", "alltenants", None]))
        return [self.comparison(basis) for basis in bases]

    def comparison(self, basis):
        average = {"basis": basis, "averageScore": self.spoilt(self.random.randint(0, 10_000) / 100)}
        for category in CATEGORIES:
            if self.chance(0.8):
                average[f"{category.lower()}Score"] = self.spoilt(self.random.randint(0, 9000) / 100)
                average[f"{category.lower()}ScoreMax"] = self.spoilt(self.random.randint(0, 200))
        return average
