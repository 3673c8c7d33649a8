"""The dashboard of one control on all tenants: points, state and acceptances."""

from . import grafana as g
from .promql import AT_END, CLAIMS, MILLISECONDS, each, last_day, reported

THIS = 'control="$control"'
SCORE = reported("control_score", match=THIS)
MAXIMUM = reported("control_max_score", match=THIS)
SHARE = f"{SCORE} / ({MAXIMUM} > 0)"
STATE = each("control_state", by="tenant, state", match=THIS)
ACCEPTED = each("control_state", match=f'{THIS}, state="risk_accepted"')
CLAIMED_HERE = f'{THIS}, state=~"{CLAIMS}"'
LAST_DAY = last_day(each("control_risk_approved_until_timestamp_seconds", match=THIS))

# The recommendation of Entra with the control's name, on each tenant.
JOINED = each("recommendation_info", by="tenant, recommendation", match=THIS)
STATUS = f"max by (tenant, status) ({each('recommendation_status', by='tenant, recommendation, status')} and on (tenant, recommendation) {JOINED})"
ASIDE = f"{each('recommendation_set_aside', by='tenant, recommendation')} == 1 and on (tenant, recommendation) {JOINED}"
DISAGREES = each("recommendation_disagrees", match=THIS)
PLACES = {0: ("Agree", "text"), 1: ("Disagree", "orange")}

# One number per state, for the timeline.
NUMBERS = {name: number for number, name in enumerate(g.STATES)}
COURSE = {number: g.STATES[name] for name, number in NUMBERS.items()}
COURSE[NUMBERS["to_address"]] = ("To address", g.FAINT)


def page():
    return g.dashboard(
        "control",
        "Control across tenants",
        "One control on every tenant: points and state, in Secure Score and in Entra, now and over time.",
        variables=[g.tenants(), g.choice("control", "Control", "secure_score_control_info, control", many=False, first="AdminMFAV2")],
        annotations=[g.firing(), g.acceptances('tenant=~"$tenant", control="$control"')],
        sections=[
            ("", [(4, [(24, about())]), (4, headline()), (4, places())]),
            ("Now", [(10, [(24, tenants())])]),
            ("Over time", [(9, history()), (12, [(24, course())])]),
        ],
    )


def about():
    words = {"unknown": ("–", "text"), "low": ("Low", "text"), "moderate": ("Moderate", "text"), "high": ("High", "text"), "config": ("Setting", "text"), "review": ("Review", "text"), "behavior": ("Behaviour", "text")}
    info = "max by (control, title, category, product, tier, user_impact, implementation_cost, action_type) (secure_score_control_info{tenant=~\"$tenant\", control=\"$control\"})"
    return g.table(
        "$control", "Microsoft's description of the control. Two rows if it differs between tenants.",
        [g.rows(info), g.rows(f"max by (control) (secure_score_control_max_score{{tenant=~\"$tenant\", {THIS}}})")],
        [
            g.column("title", "Title", wrap=True, link=g.TO_PORTAL),
            g.column("category", "Category", width=120),
            g.column("product", "Product", width=140),
            g.column("Value #B", "Points", width=80, unit="short", decimals=0),
            g.column("tier", "Tier", width=150, words={"core": ("Core", "text"), "defense_in_depth": ("Defence in depth", "text"), "advanced": ("Advanced", "text"), **words}),
            g.column("user_impact", "User impact", width=130, words=words),
            g.column("implementation_cost", "Effort", width=130, words=words),
            g.column("action_type", "Kind", width=100, words=words),
        ],
        sort="Title", empty="No tenant has this control in its catalogue",
    )


def headline():
    scored = f"0 * count({SCORE})"
    return [
        (4, g.stat("Scored on it", "Tenants Microsoft scores on this control.", g.now(f"count({SCORE})"), empty="No tenant")),
        (5, g.stat("Points of all", "The points of all tenants as a share of their maximum.", g.now(f"sum({SCORE}) / (sum({MAXIMUM} and on (tenant) {SCORE}) > 0)"), unit="percentunit", steps=g.RATIO, defaults={"decimals": 0}, empty="No tenant scored")),
        (5, g.stat("Lowest", "The tenant with the smallest share of the points.", g.now(f"bottomk(1, {SHARE})", "{{tenant}}"), unit="percentunit", name="value_and_name", steps=g.RATIO, defaults={"decimals": 0}, empty="No tenant scored")),
        (5, g.stat("Risk accepted", "Tenants that accepted this risk.", g.now(f"count({ACCEPTED}) or {scored}"), steps=g.NONE_IS_GOOD, defaults={"links": [g.TO_RISKS, g.TO_REGISTER, g.TO_RUNBOOK]}, empty="No tenant scored")),
        (5, g.stat("Claimed", "Tenants that declared it solved by another product or other means: all points, unverified by Microsoft.", g.now(f"count({each('control_state', match=CLAIMED_HERE)}) or {scored}"), steps=[(None, "text"), (1, "purple")], empty="No tenant scored")),
    ]


def places():
    none = f"0 * count({JOINED})"
    return [
        (8, g.stat("Set aside in Entra", "Tenants that accepted, dismissed or postponed the recommendation of Entra with the control's name. Nothing where no tenant lets the exporter read it, or Entra has none.", g.now(f"count({ASIDE}) or {none}"), steps=g.NONE_IS_GOOD, empty="Not read in Entra", defaults={"links": [g.TO_ASIDE_RUNBOOK, g.TO_ENTRA]})),
        (8, g.stat("Places disagree", "Tenants where the risk is accepted in one place and open in the other.", g.now(f"count({DISAGREES} == 1) or {none}"), steps=g.FEW_ARE_GOOD, empty="Not read in Entra", defaults={"links": [g.TO_DISAGREES_RUNBOOK, g.TO_ENTRA, g.TO_PORTAL]})),
        (8, g.stat("Read in Entra", "Tenants whose recommendation with the control's name the exporter reads.", g.now(f"count({JOINED})"), empty="Not read in Entra")),
    ]


def tenants():
    return g.table(
        "Tenants", "Every tenant with the control, the smallest share of the points first.",
        [
            g.rows(SHARE),
            g.rows(SCORE),
            g.rows(STATE),
            g.rows(f"{MILLISECONDS}{each('control_state_updated_timestamp_seconds', match=THIS)}"),
            g.rows(each("control_risk_acceptances", match=THIS)),
            g.rows(LAST_DAY),
            g.rows(f"{MILLISECONDS}{each('control_last_synced_timestamp_seconds', match=THIS)}"),
            g.rows(each("control_acceptance_info", by="tenant, accepted_by, comment", match=THIS)),
            g.rows(STATUS),
            g.rows(DISAGREES),
        ],
        [
            g.column("tenant", "Tenant", width=110, pick=True, link=g.TO_TENANT),
            g.column("Value #A", "Share", unit="percentunit", decimals=0, steps=g.RATIO, gauge=True),
            g.column("Value #B", "Points", width=80, unit="short", decimals=1),
            g.column("state", "State", width=135, words=g.STATES, paint="text", pick=True),
            g.column("Value #D", "Since", width=135, unit=g.MOMENT),
            g.column("status", "In Entra", width=130, words=g.STATUSES, paint="text", pick=True, empty="not read"),
            g.column("Value #J", "Places", width=80, words=PLACES, paint="text"),
            g.column("accepted_by", "Accepted by", width=210, wrap=True),
            g.column("Value #E", "Times accepted", width=115, unit="short", decimals=0, steps=[(None, "text"), (1, "orange")], paint="text"),
            g.column("Value #F", "Approved until", width=110, unit=g.DATE),
            g.column("Value #G", "Last synced", width=100, unit=g.DATE),
        ],
        sort="Share", empty="Microsoft scores no tenant on this control",
    )


def history():
    lowest = f"({SHARE}) and on (tenant) bottomk(10, {at_the_end()})"
    share = {"unit": "percentunit", "defaults": {"decimals": 0, "min": 0, "max": 1}, "maxDataPoints": 200, "empty": g.no_sample_yet("Microsoft scores no tenant on this control", past=True)}
    return [
        (12, g.lines(
            "Share of the points", "The highest, median and lowest share of all tenants.",
            [g.over_time(f"max({SHARE})", "Highest"), g.over_time(f"quantile(0.5, {SHARE})", "Median"), g.over_time(f"min({SHARE})", "Lowest")],
            overrides=[g.series("Highest", color="green", fill=10, fillBelowTo="Lowest"), g.series("Median", color="blue", fill=0), g.series("Lowest", color="red", fill=0)],
            **share,
        )),
        (12, g.lines(
            "Ten lowest tenants", "The history of the ten tenants with the smallest share at the end of the time range.",
            [g.over_time(lowest, "{{tenant}}")], style={"fillOpacity": 0}, **share,
        )),
    ]


def at_the_end():
    score = reported("control_score", match=THIS, at=AT_END)
    maximum = reported("control_max_score", match=THIS, at=AT_END)
    return f"{score} / ({maximum} > 0)"


def course():
    def of(name):
        return each("control_state", match=f'{THIS}, state="{name}"')

    numbered = " or ".join(f"{number} * {of(name)}" for name, number in NUMBERS.items())
    touched = each("control_state_updated_timestamp_seconds", match=THIS, at=AT_END)
    some = f"topk(20, {touched} or 0 * {each('control_score', match=THIS, at=AT_END)})"
    return g.timeline(
        "State over time", "The declared state per tenant, tenants with a change first; at most 20.",
        g.over_time(f"({numbered}) and on (tenant) {some}", "{{tenant}}"), COURSE, maxDataPoints=200,
        empty=g.no_sample_yet("No tenant has a state of this control", past=True),
    )
