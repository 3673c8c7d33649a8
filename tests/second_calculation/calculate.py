"""The samples of one tenant, calculated from Graph's answers a second time.

Written from docs/acceptances.md, docs/decisions.md and docs/reference/metrics.md, and
not from the exporter's sources: a misreading there must not be repeated here. Entra's
lists are not among the answers, so that the series of recommendations are not
calculated.
"""

import json
import math
import re
import unicodedata
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from fractions import Fraction

CATEGORIES = ["Identity", "Data", "Device", "Apps", "Infrastructure", "Unknown"]
BASES = ["AllTenants", "TotalSeats", "IndustryTypes"]
TIERS = {"core": "core", "advanced": "advanced", "defense in depth": "defense_in_depth"}
LEVELS = {"low": "low", "moderate": "moderate", "medium": "moderate", "high": "high"}
ACTIONS = {"config": "config", "review": "review", "behavior": "behavior"}
STATES = {
    "default": "to_address", "toaddress": "to_address", "active": "to_address",
    "ignored": "risk_accepted", "ignore": "risk_accepted", "riskaccepted": "risk_accepted",
    "thirdparty": "third_party", "resolvedthroughthirdparty": "third_party",
    "thirdpartymitigation": "third_party",
    "reviewed": "alternate_mitigation", "alternatemitigation": "alternate_mitigation",
    "resolvedthroughalternatemitigation": "alternate_mitigation",
    "planned": "planned", "inprogress": "planned",
}
RANKED_STATES = ["to_address", "risk_accepted", "third_party", "alternate_mitigation", "planned", "unknown"]
UNKNOWN_FIELDS = {
    "profiles": ["state", "category", "tier", "user_impact", "implementation_cost", "action_type"],
    "scores": ["category", "basis"],
}
SKIPPED_FIELDS = {
    "profiles": ["element", "id", "duplicate", "state_update", "max_score", "date"],
    "scores": ["element", "id", "duplicate", "score", "max_score", "date", "comparison", "users"],
}
LONGEST_LABEL = 128
INVALID = object()
FIRST_YEAR, LAST = 2010, datetime(2149, 12, 31, tzinfo=timezone.utc)


class Now(tuple):
    """A sample whose value is a time during the run: (earliest, latest)."""


# Reading -----------------------------------------------------------------


def text_of(value):
    """A text, or the text of another scalar; INVALID for a list or an object."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, dict)):
        return INVALID
    whole = str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.strip() or None


def number_of(value):
    if value is None or isinstance(value, str) and not value.strip():
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return INVALID
    try:
        return float(value)
    except ValueError:
        return INVALID


def nanoseconds(text):
    """Nanoseconds since the epoch; None for no date, INVALID for none that is one."""
    if text is None or text is INVALID:
        return text
    if text.startswith("0001-01-01"):
        return None
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?", text)
    if not found:
        return INVALID
    try:
        at = datetime.fromisoformat(found[1] + (found[3] or "Z").replace("Z", "+00:00"))
    except ValueError:
        return INVALID
    if at.astimezone(timezone.utc).year < FIRST_YEAR:
        return INVALID
    if at > LAST:
        return int(LAST.timestamp()) * 10**9
    return int(at.timestamp()) * 10**9 + int(Fraction(found[2] or "0") * 10**9)


def seconds(nanos):
    """To the millisecond."""
    return nanos // 10**6 / 1000


DIRECTION = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_control(character):
    return unicodedata.category(character) == "Cc"


def one_line(text):
    kept = "".join(" " if is_control(it) else it for it in text if it not in DIRECTION)
    return " ".join(kept.split())


def label(text):
    return text.encode()[:LONGEST_LABEL].decode(errors="ignore")


def points(number):
    return number if 0 <= number < 1e6 else INVALID


def rounded(value):
    return math.copysign(math.floor(abs(value) * 1e6 + 0.5) / 1e6, value) + 0.0


class Counts:
    """What could not be used, by field."""

    def __init__(self):
        self.unknown, self.skipped = {}, {}

    def count(self, counts, field, times=1):
        counts[field] = counts.get(field, 0) + times

    def word(self, field, value, known, default="unknown"):
        """The meaning of a word in a closed set; a missing one is unknown, uncounted."""
        word = text_of(value)
        if word is None:
            return default
        meaning = known.get(word.lower()) if word is not INVALID else None
        if meaning is None and word != INVALID and word.lower() == "unknown" and default:
            return default
        if meaning is None:
            self.count(self.unknown, field)
        return meaning or default

    def valid(self, field, value, check):
        """A number that passes a check, or None."""
        number = number_of(value)
        if number is not None and number is not INVALID:
            number = check(number)
        if number is INVALID:
            self.count(self.skipped, field)
            return None
        return number

    def date(self, value):
        at = nanoseconds(text_of(value))
        if at is INVALID:
            self.count(self.skipped, "date")
        return at

    def id(self, value):
        id = text_of(value)
        usable = isinstance(id, str) and len(id.encode()) <= 128
        usable = usable and not any(is_control(it) or it in DIRECTION for it in id)
        if not usable:
            self.count(self.skipped, "id")
        return id if usable else None

    def category(self, value):
        return self.word("category", value, {it.lower(): it for it in CATEGORIES}, "Unknown")


# Histories ---------------------------------------------------------------


class Change:
    def __init__(self, state, at=None, by=None, comment=None, future=None):
        self.state, self.at, self.by, self.comment = state, at, by, comment
        # The date that Graph sends, where it is in the future; it counts as `at`.
        self.future = future

    def order(self):
        """What decides between two copies of a history that are equal in all else."""
        at = self.future or (self.at if isinstance(self.at, int) else -1)
        return RANKED_STATES.index(self.state), at, self.by or "", self.comment or ""


class History:
    """A control's changes, oldest first."""

    def __init__(self, updates, counts, now):
        self.now = now
        if not isinstance(updates, (list, type(None))):
            # A history that is no list may hide an acceptance.
            updates = [INVALID]
        entries = [self.entry(update, counts) for update in updates or [] if isinstance(update, dict)]
        unread = len(updates or []) - len(entries)
        counts.count(counts.skipped, "state_update", unread)
        entries = [it for it in entries if not is_placeholder(it)]
        entries += [Change("unknown") for _ in range(unread)]
        dates = [it.at for it in entries if it.at not in (None, INVALID)]
        undated = any(it.at in (None, INVALID) and it.state in ("risk_accepted", "unknown") for it in entries)
        self.recency = (undated, max(dates, default=-1), len(entries))
        accepting = [it for it in entries if it.state == "risk_accepted"]
        self.tie = (len(accepting), [it.order() for it in entries])
        self.changes = []
        date_futures(entries, now)
        for change in in_order(entries):
            if not self.changes or self.changes[-1].state != change.state:
                self.changes.append(change)

    def entry(self, update, counts):
        word = text_of(update.get("state"))
        state = None
        if isinstance(word, str):
            state = STATES.get(re.sub(r"[\s_-]", "", word).lower())
            if state is None:
                counts.count(counts.unknown, "state")
        else:
            counts.count(counts.skipped, "state_update")
        at = counts.date(update.get("updatedDateTime"))
        future = None
        if isinstance(at, int) and at > self.now[1]:
            at, future = None, at
        texts = [text_of(update.get(key)) for key in ("updatedBy", "comment")]
        by, comment = [one_line(it) if isinstance(it, str) else None for it in texts]
        return Change(state or "unknown", at, by, comment, future)

    def last_known(self):
        known = [it for it in self.changes if it.state != "unknown"]
        return known[-1].state if known else None

    def state(self):
        if not self.changes:
            return "to_address"
        return "risk_accepted" if self.last_known() == "risk_accepted" else self.changes[-1].state

    def since(self):
        """When the control entered its state."""
        newest = self.acceptances()[-1] if self.state() == "risk_accepted" else self.changes[-1]
        return newest.at

    def in_lookback(self, lookback):
        last = {it.state for it in self.changes[-lookback:]}
        if "risk_accepted" in last or self.state() == "risk_accepted":
            return 1.0
        return 0.0 if last and "unknown" not in last else None

    def acceptances(self):
        """The changes into risk accepted, which goes on over unknown states."""
        found, accepted = [], False
        for change in self.changes:
            if change.state == "risk_accepted" and not accepted:
                found.append(change)
            accepted = change.state == "risk_accepted" or accepted and change.state == "unknown"
        return found

    def count(self):
        found = len(self.acceptances())
        has_unknown = any(it.state == "unknown" for it in self.changes)
        return None if has_unknown and not found else float(found)


def order_of(changes):
    """How the dates that are not in the future are sorted: 1, oldest first, -1, or None."""
    dates = [it.at for it in changes if isinstance(it.at, int)]
    if len(changes) == 1:
        return 1
    if len(set(dates)) > 1 and dates in (sorted(dates), sorted(dates, reverse=True)):
        return 1 if dates[0] < dates[-1] else -1
    return None


def date_futures(changes, now):
    """When changes count whose dates are in the future."""
    order = order_of(changes)
    futures = [it for it in changes if it.future]
    for change in futures:
        # Without an order, no acceptance may be hidden.
        may_be_newest = change.state in ("risk_accepted", "unknown")
        change.at = Now(now) if may_be_newest and order is None else None
    if order is None:
        return
    oldest_first = changes[::order]
    # Equal times are in the list's order, where it is newest first too.
    step = 0 if order == 1 else 1
    for place, change in enumerate(oldest_first):
        if change.future:
            older = [it.at for it in oldest_first[:place] if isinstance(it.at, int)]
            newer = [it.at for it in oldest_first[place:] if isinstance(it.at, int)]
            if not newer:
                change.at = Now(now)
                change.at.rank = place
            elif older:
                change.at = min(older[-1] + step, newer[0] - step)
            else:
                change.at = newer[0] - step * len(futures)


def latest(at):
    """A number to sort by."""
    return at[1] + getattr(at, "rank", 0) if isinstance(at, Now) else at


def in_order(changes):
    """Oldest first. Without a date, an unknown state or an acceptance could be the newest."""
    keeps_order = any(it.at is INVALID for it in changes)
    for change in changes:
        if change.at is INVALID:
            change.at = None
    dates = [latest(it.at) for it in changes if it.at is not None]
    oldest_first = dates == sorted(dates) and len(set(dates)) != 1
    if not dates and any(it.future for it in changes):
        # That is a list with dates, of an unknown order.
        oldest_first = False
    keys, newest = [], -1
    for change in changes:
        at = latest(change.at)
        newest = max(newest, -1 if at is None else at)
        is_last = at is None and change.state == "unknown"
        if at is None and change.state == "risk_accepted" and not keeps_order:
            # In a list that is sorted, or has no dates, it follows the change before it.
            is_last, at = not oldest_first, newest
        keys.append((is_last, -1 if at is None or keeps_order or is_last else at))
    return [changes[index] for index in sorted(range(len(changes)), key=keys.__getitem__)]


def is_placeholder(change):
    return change.state == "to_address" and change.at is None and change.by is None and not change.future


# The two lists -----------------------------------------------------------


class Profile:
    def __init__(self, id, element, counts, now):
        self.id = id
        self.title = one_line(text_or(element.get("title"), id))
        self.category = counts.category(element.get("controlCategory"))
        self.product = one_line(text_or(element.get("service"), ""))
        self.tier = counts.word("tier", element.get("tier"), TIERS)
        self.impact = counts.word("user_impact", element.get("userImpact"), LEVELS)
        self.cost = counts.word("implementation_cost", element.get("implementationCost"), LEVELS)
        self.action = counts.word("action_type", element.get("actionType"), ACTIONS)
        self.maximum = counts.valid("max_score", element.get("maxScore"), points)
        self.history = History(element.get("controlStateUpdates", INVALID), counts, now)


def text_or(value, default):
    text = text_of(value)
    return text if isinstance(text, str) else default


def fields(pairs):
    """An object in which a key may stand twice: the last value counts, of states none if they differ."""
    last = dict(pairs)
    for name in ("state", "controlStateUpdates"):
        if any(key == name and value != last[name] for key, value in pairs):
            del last[name]
    return last


def read_catalogue(pages, counts, now):
    """The profiles by id, in the order of their first copies."""
    profiles = {}
    for element in (element for page in pages for element in json.loads(page, object_pairs_hook=fields)["value"]):
        if not isinstance(element, dict):
            counts.count(counts.skipped, "element")
            continue
        id = counts.id(element.get("id"))
        if id is None:
            continue
        profile = Profile(id, element, counts, now)
        if id in profiles:
            counts.count(counts.skipped, "duplicate")
        if id not in profiles or is_newer(profile.history, profiles[id].history):
            profiles[id] = profile
    return profiles


def is_newer(history, other):
    rank = lambda it: (*it.recency, it.last_known() == "risk_accepted", *it.tie)
    return rank(history) > rank(other)


class Score:
    def __init__(self, id, element, score, counts):
        self.id, self.score = id, score
        self.category = counts.category(element.get("controlCategory"))
        percent = lambda it: it if 0 <= it <= 100 else INVALID
        self.percentage = counts.valid("score", element.get("scoreInPercentage"), percent)
        self.synced = counts.date(element.get("lastSynced"))

    def implied_maximum(self):
        """The maximum with the fewest decimals that fits two rounded numbers."""
        if not self.percentage or not self.score:
            return None
        exact = self.score * 100 / self.percentage
        for parts in (1, 10, 100):
            maximum = math.floor(exact * parts + 0.5) / parts
            slack = 0.005 + maximum * 0.005 / 100 + 1e-8
            if maximum and abs(maximum * self.percentage / 100 - self.score) <= slack:
                return maximum
        return rounded(exact)


def read_scores(report, counts):
    scores = []
    for element in report.get("controlScores") or []:
        if not isinstance(element, dict):
            counts.count(counts.skipped, "element")
            continue
        if text_of(element.get("NotScored")) in ("true", "True"):
            continue
        id = counts.id(element.get("controlName"))
        if id is None:
            continue
        if number_of(element.get("score")) is None:
            counts.count(counts.skipped, "score")
            continue
        category = element.get("controlCategory")
        score = counts.valid("score", element.get("score"), points)
        if score is None:
            counts.category(category)
            continue
        scores.append(Score(id, element, score, counts))
    return scores


class Control:
    def __init__(self, profile, score):
        self.profile, self.score = profile, score
        self.id = profile.id if profile else score.id
        self.category = profile.category if profile else score.category

    def maximum(self):
        if self.profile and self.profile.maximum is not None:
            return self.profile.maximum
        return self.score.implied_maximum() if self.score else None


def joined(profiles, scores, counts):
    """Pairs the lists by exact id, then without case where that is unambiguous.
    What is left is a control of its own, or a second copy of a score."""
    by_id = {}
    for score in scores:
        if score.id in by_id:
            counts.count(counts.skipped, "duplicate")
        by_id.setdefault(score.id, score)
    partners = {id: by_id.pop(id) for id in profiles if id in by_id}
    same = lambda id, ids: [it for it in ids if it.lower() == id.lower()]
    for id in profiles:
        alone = [it for it in same(id, profiles) if it not in partners]
        found = same(id, by_id)
        if id not in partners and len(alone) == 1 and len(found) == 1:
            partners[id] = by_id.pop(found[0])
    for id in list(by_id):
        listed = same(id, profiles)
        if listed and all(it in partners for it in listed):
            counts.count(counts.skipped, "duplicate")
            del by_id[id]
    controls = [Control(profile, partners.get(id)) for id, profile in profiles.items()]
    controls += [Control(None, score) for score in by_id.values()]
    return sorted(controls, key=lambda control: control.id.encode())


# Samples -----------------------------------------------------------------


class Samples(dict):
    def __init__(self, tenant):
        self.tenant = tenant

    def add(self, family, value, **labels):
        if value is None:
            return
        shown = {name: label(text) for name, text in labels.items() if text}
        key = (f"secure_score_{family}", frozenset({"tenant": self.tenant, **shown}.items()))
        assert key not in self, key
        self[key] = value


def time_sample(at):
    if isinstance(at, Now):
        return Now(seconds(it) for it in at)
    return None if at is None else seconds(at)


def calculate(tenant, files, settings, now):
    """The data samples of a tenant. `now` is the time of the run, (earliest, latest)."""
    samples = Samples(tenant)
    of_profiles, of_scores = Counts(), Counts()
    pages = [text for name, text in sorted(files.items()) if "Profiles" in name]
    profiles = read_catalogue(pages, of_profiles, now)
    reports = [it for it in json.loads(files["secureScores.json"])["value"] if isinstance(it, dict)]
    report = max(reports, key=lambda it: it["createdDateTime"])
    controls = joined(profiles, read_scores(report, of_scores), of_scores)
    for control in controls:
        control.category = settings["category_overrides"].get(control.id, control.category)
    add_report(samples, report, controls, of_scores)
    for control in controls:
        if is_selected(control, settings):
            add_control(samples, control, settings, now)
    add_declarations(samples, [it for it in controls if it.profile], settings, now)
    scored = sum(1 for it in controls if it.score)
    samples.add("catalogue_controls", float(scored), scored="true")
    samples.add("catalogue_controls", float(len(controls) - scored), scored="false")
    samples.add("catalogue_recategorised_controls", 0.0)
    for api, counts in {"profiles": of_profiles, "scores": of_scores}.items():
        for field in UNKNOWN_FIELDS[api]:
            samples.add("unknown_values", float(counts.unknown.get(field, 0)), api=api, field=field)
        for field in SKIPPED_FIELDS[api]:
            samples.add("skipped_elements", float(counts.skipped.get(field, 0)), api=api, field=field)
    return samples


CLAIMS = ("third_party", "alternate_mitigation")
# Beside Graph's words: those of the portal and of Entra.
STATE_NAMES = {
    *STATES, "accepted", "resolved", "completed", "completedbyuser", "completedbysystem", "dismiss",
    "dismissed", "postpone", "postponed", "needsmoreaction", "unknown",
}


def add_declarations(samples, controls, settings, now):
    """What is counted of all controls, selected or not."""
    is_sensitive = lambda it: it.id in settings["watch"] or it.category == "Identity"
    claims = [it for it in controls if it.profile.history.state() in CLAIMS and is_sensitive(it)]
    is_approved = lambda it: any(is_unexpired(decision, now) for decision in Decisions(samples.tenant, it, settings).of_present())
    samples.add("tenant_unapproved_claims", float(sum(1 for it in claims if not is_approved(it))))
    accepted = [it.profile.history for it in controls if it.profile.history.state() == "risk_accepted"]
    without = [it for it in accepted if not is_reason(it.acceptances()[-1].comment)]
    samples.add("tenant_acceptances_without_reason", float(len(without)))


def is_reason(comment):
    """Ten characters or more that are not the name of a state."""
    comment = (comment or "").strip()
    letters = "".join(it for it in comment if it.isalnum()).lower()
    return bool(letters) and len(comment) >= 10 and letters not in STATE_NAMES


def is_selected(control, settings):
    categories = settings["categories"]
    return not categories or control.category in categories


def add_report(samples, report, controls, counts):
    users = lambda it: it if 0 <= it < 1e9 and it == int(it) else INVALID
    samples.add("report_timestamp_seconds", time_sample(counts.date(report["createdDateTime"])))
    total = counts.valid("score", report.get("currentScore"), points)
    maximum = counts.valid("max_score", report.get("maxScore"), points)
    samples.add("tenant_score", total)
    samples.add("tenant_max_score", maximum)
    samples.add("active_users", counts.valid("users", report.get("activeUserCount"), users))
    samples.add("licensed_users", counts.valid("users", report.get("licensedUserCount"), users))
    add_comparisons(samples, report.get("averageComparativeScores") or [], counts)
    scored = [it for it in controls if it.score]
    for category in CATEGORIES:
        them = [it for it in scored if it.category == category]
        if them:
            score = rounded(sum(it.score.score for it in them))
            maxima = [it.maximum() for it in them]
            most = None if None in maxima else rounded(sum(maxima))
            samples.add("category_score", score, category=category)
            samples.add("category_max_score", most, category=category)
            of_category = [it for it in controls if it.category == category]
            add_projection(samples, score, most, of_category, counts, "category", category=category)
    if scored:
        add_projection(samples, total, maximum, controls, counts, "tenant")
    if total is not None:
        samples.add("unreconciled_score", rounded(total - rounded(sum(it.score.score for it in scored))))
    if maximum is not None:
        known = rounded(sum(it.maximum() or 0 for it in scored))
        samples.add("unreconciled_max_score", rounded(maximum - known))


def add_projection(samples, score, maximum, controls, counts, scope, **labels):
    """The score with plans completed, and the maximum while accepted risks stay."""
    if score is not None and maximum is not None and score > maximum:
        return
    may_miss_scores = any(counts.skipped.get(field) for field in ("element", "id", "score"))
    gaps = {"planned": [], "risk_accepted": []}
    for control in controls:
        gap = None
        if control.score:
            most = control.maximum()
            gap = None if most is None else max(0.0, rounded(most - control.score.score))
        elif not may_miss_scores:
            continue
        if gap == 0:
            continue
        state = control.profile.history.state() if control.profile else "unknown"
        if state == "unknown":
            return
        if state in gaps:
            gaps[state].append(gap)
    if score is not None and None not in gaps["planned"]:
        planned = score + sum(gaps["planned"])
        samples.add(f"{scope}_planned_score", rounded(planned if maximum is None else min(planned, maximum)), **labels)
    if maximum is not None and None not in gaps["risk_accepted"]:
        achievable = maximum - sum(gaps["risk_accepted"])
        samples.add(f"{scope}_achievable_score", rounded(max(achievable, score or 0.0)), **labels)


def add_comparisons(samples, comparisons, counts):
    seen = set()
    percent = lambda it: it if 0 <= it <= 100 else INVALID
    for comparison in comparisons:
        basis = counts.word("basis", comparison.get("basis"), {it.lower(): it for it in BASES}, None)
        if basis is None:
            continue
        if basis in seen:
            counts.count(counts.skipped, "duplicate")
            continue
        seen.add(basis)
        average = counts.valid("comparison", comparison.get("averageScore"), percent)
        if average is not None:
            samples.add("comparison_ratio", math.floor(average * 1e6 + 0.5) / 1e8, basis=basis)
        for category in CATEGORIES[:-1]:
            for key, family in {"Score": "score", "ScoreMax": "max_score"}.items():
                value = counts.valid("comparison", comparison.get(category.lower() + key), points)
                samples.add(f"comparison_category_{family}", value, basis=basis, category=category)


def add_control(samples, control, settings, now):
    ids = {"control": control.id, "category": control.category}
    if control.score:
        samples.add("control_score", control.score.score, **ids)
        synced = control.score.synced
        samples.add("control_last_synced_timestamp_seconds", None if synced is INVALID else time_sample(synced), **ids)
    profile = control.profile
    state = profile.history.state() if profile else "to_address"
    if control.score or state != "to_address":
        samples.add("control_max_score", control.maximum(), **ids)
    if profile:
        add_listed_control(samples, control, state, ids, settings, now)


def add_listed_control(samples, control, state, ids, settings, now):
    profile, history = control.profile, control.profile.history
    samples.add(
        "control_info", 1.0, **ids, title=profile.title, product=profile.product, tier=profile.tier,
        user_impact=profile.impact, implementation_cost=profile.cost, action_type=profile.action,
    )
    samples.add("control_state", 1.0, **ids, state=state)
    if state != "unknown":
        samples.add("control_risk_accepted", float(state == "risk_accepted"), **ids)
    samples.add("control_risk_accepted_in_lookback", history.in_lookback(settings["lookback"]), **ids)
    acceptances = history.acceptances()
    samples.add("control_risk_acceptances", history.count(), **ids)
    if acceptances:
        samples.add("control_risk_last_accepted_timestamp_seconds", time_sample(acceptances[-1].at), **ids)
    if history.changes:
        samples.add("control_state_updated_timestamp_seconds", time_sample(history.since()), **ids)
    if state == "risk_accepted":
        current = acceptances[-1]
        samples.add("control_acceptance_info", 1.0, control=control.id, accepted_by=current.by, comment=current.comment)
    if control.id in settings["watch"]:
        samples.add("control_watched", 1.0, **ids)
    add_approvals(samples, Decisions(samples.tenant, control, settings), state, ids, now)


def add_approvals(samples, decisions, state, ids, now):
    """What the decisions say of the newest acceptance, or of a first one, and of the present state."""
    last_end = lambda covering: max(end_of(it) for it in covering).timestamp()
    covering = decisions.of_acceptance()
    if covering:
        samples.add("control_risk_approved_until_timestamp_seconds", last_end(covering), **ids)
    for reference in {it["reference"] for it in covering}:
        samples.add("control_risk_approval_info", 1.0, control=ids["control"], reference=reference)
    if state in CLAIMS and decisions.of_present():
        samples.add("control_claim_approved_until_timestamp_seconds", last_end(decisions.of_present()), **ids)
    naming = [it for it in decisions.naming_present() if is_unexpired(it, now)]
    if state in ("risk_accepted", *CLAIMS) and naming:
        own = [it for it in naming if decisions.is_self_approved(it)]
        samples.add("control_self_approved", float(len(own) == len(naming)), **ids)


class Declaration:
    """A time in which a control was in a state that a decision can approve."""

    def __init__(self, change):
        self.state, self.at, self.by, self.ended_at = change.state, latest(change.at), change.by, None


class Decisions:
    """The exceptions and decisions that name a control of a tenant."""

    def __init__(self, tenant, control, settings):
        self.needs_approver = settings["require_separate_approver"] == "on"
        exceptions = [{**it, "states": ["risk_accepted"]} for it in settings["exceptions"]]
        self.all = [
            it for it in exceptions + settings["decisions"]
            if fnmatchcase(control.id.lower(), it["control"].lower())
            and (it["tenants"] == "all" or tenant == it["tenants"] or tenant in it["tenants"] and isinstance(it["tenants"], list))
        ]
        self.state = control.profile.history.state()
        self.declarations = declarations_of(control.profile.history)

    def of_acceptance(self):
        """Those that cover the newest acceptance, or would cover a first one."""
        accepted = [it for it in self.declarations if it.state == "risk_accepted"]
        about = [it for it in self.all if "risk_accepted" in it["states"]]
        if not accepted:
            return [it for it in about if not self.lacks_approver(it)]
        return [it for it in about if self.covers(it, accepted[-1])]

    def of_present(self):
        """Those that cover the present state."""
        return [it for it in self.naming_present() if self.covers(it, self.declarations[-1])]

    def naming_present(self):
        """Those that name the present state, with any approver."""
        if not self.declarations or self.declarations[-1].state != self.state:
            return []
        return [it for it in self.all if self.declarations[-1] in self.named(it)]

    def covers(self, decision, declaration):
        refused = self.needs_approver and self.is_approver_of(decision, declaration)
        return not refused and not self.lacks_approver(decision) and declaration in self.named(decision)

    def lacks_approver(self, decision):
        return self.needs_approver and not decision.get("approver")

    def is_self_approved(self, decision):
        return self.is_approver_of(decision, self.declarations[-1])

    def is_approver_of(self, decision, declaration):
        """Only sign-in names stand in the settings."""
        approver, by = decision.get("approver"), declaration.by
        return bool(approver and by and "@" in by and by.lower() in re.split(r"[\s(),]+", approver.lower()))

    def named(self, decision):
        """The declarations that a decision is about: with a day, the one in effect on it, or else the first one after it."""
        person, day = decision["accepted_by"], decision.get("approved_on")
        is_own = lambda it: person is None or it.by is not None and it.by.lower() == person.lower()
        named = [it for it in self.declarations if it.state in decision["states"] and is_own(it)]
        if day is None:
            return named
        start = int(datetime.fromisoformat(day + "T00:00:00+00:00").timestamp()) * 10**9
        has_begun = lambda it: it.at is not None and it.at < start + 86400 * 10**9
        begun = [it for it in named if has_begun(it)]
        later = [it for it in named if not has_begun(it)]
        if begun and (begun[-1].ended_at is None or begun[-1].ended_at >= start):
            return begun[-1:]
        return later[:1]


def declarations_of(history):
    """Oldest first; an unknown state ends none of them."""
    found, state = [], None
    for change in history.changes:
        if change.state in ("unknown", state):
            continue
        if found and found[-1].state == state:
            found[-1].ended_at = latest(change.at)
        state = change.state
        if state != "to_address":
            found.append(Declaration(change))
    return found


def end_of(decision):
    """Midnight UTC after the last day."""
    return datetime.fromisoformat(decision["expires"] + "T00:00:00+00:00") + timedelta(days=1)


def is_unexpired(decision, now):
    """Whether it still approves at the end of the run."""
    return now[1] < end_of(decision).timestamp() * 10**9
