"""The register of accepted risks: who accepted what, when, and with which approval."""

from . import grafana as g
from .promql import ACCEPTED, APPROVED, APPROVED_LAST_DAY, CONTROL, DECLARED_ON, ENDING, EXPIRED, MILLISECONDS, TITLE_OF_DECLARED, UNAPPROVED, UNREADABLE, each, in_state, number, reported

CLAIMED = in_state("third_party|alternate_mitigation", by=f"{CONTROL}, state")
LAST_ACCEPTED = each("control_risk_last_accepted_timestamp_seconds", by=CONTROL)
REVERTED = f"{LAST_ACCEPTED} unless on (tenant, control) {ACCEPTED} unless on (tenant, control) {UNREADABLE}"
WATCHED = f"{ACCEPTED} and on (tenant, control) {each('control_watched', by=CONTROL)}"
POINTS = reported("control_max_score", by=CONTROL, match=DECLARED_ON)
SCORED = reported("control_score", by=CONTROL, match=DECLARED_ON)
# As the exporter's pages compute it: none of a control that is not scored.
POINTS_LOST = f"clamp_min({POINTS} - on (tenant, control, category) {SCORED}, 0)"
REPORT_OF = f"{ACCEPTED} * on (tenant) group_left () {each('report_timestamp_seconds')}"

VERDICT = f"4 * ({EXPIRED}) or 3 * ({ENDING}) or 2 * ({APPROVED}) or ({UNAPPROVED})"
VERDICTS = {1: ("Unapproved", "red"), 2: ("Approved", "blue"), 3: ("Approved, ends soon", "orange"), 4: ("Approval ended", "red")}

# No state before the first acceptance.
COURSE = {0: ("Withdrawn", g.FAINT), 1: ("Unapproved", "red"), 2: ("Approved", "blue")}


def page():
    return g.dashboard(
        "risks",
        "Accepted risks",
        "Every accepted risk of every tenant: by whom, since when, and approved until when.",
        variables=[g.tenants(), g.declared()],
        annotations=[g.firing(), g.acceptances()],
        sections=[
            ("", [(4, headline())]),
            ("Register", [(10, [(24, register())])]),
            ("Over time", [(10, [(24, course())]), (8, counts())]),
            ("Reverted and claimed", [(7, [(24, reverted())]), (7, [(24, claims())])]),
        ],
    )


def headline():
    links = {"defaults": {"links": [g.TO_REGISTER, g.TO_RUNBOOK, g.TO_PORTAL]}}
    return [
        (4, g.stat("Accepted", "Controls whose risk is accepted now.", g.now(number(ACCEPTED)))),
        (4, g.stat("Unapproved", "Accepted risks that no exception covers today, including those whose approval has ended.", g.now(number(UNAPPROVED)), steps=g.NONE_IS_GOOD, **links)),
        (4, g.stat("On the watch list", "Accepted risks of watched controls (risk_accepted.watch): second factors, risk policies, legacy sign-in.", g.now(number(WATCHED)), steps=g.NONE_IS_GOOD, **links)),
        (3, g.stat("Expired", "Accepted risks whose approval has ended.", g.now(number(EXPIRED)), steps=g.FEW_ARE_GOOD, **links)),
        (3, g.stat("Ending soon", "Accepted risks whose approval ends within 30 days.", g.now(number(ENDING)), steps=g.FEW_ARE_GOOD, **links)),
        (3, g.stat("Withdrawn", "Controls whose risk was accepted earlier but not now, as far back as Microsoft's history.", g.now(number(REVERTED)))),
        (3, g.stat("Claimed", "Controls declared as solved by another product or other means: all points, unverified by Microsoft.", g.now(number(CLAIMED)), steps=[(None, "purple")])),
    ]


def register():
    return g.table(
        "Register", "Every accepted risk, the newest first. Person and reason appear if the exporter's labels.accepted_by and labels.comment export them; otherwise see the exporter's own register. Points lost are the maximum less the score of Microsoft's report of the day beside them.",
        [
            g.rows(f"{MILLISECONDS}{LAST_ACCEPTED} and on (tenant, control) {ACCEPTED}"),
            g.rows(VERDICT),
            g.rows(f"{POINTS_LOST} and on (tenant, control) {ACCEPTED}"),
            g.rows(f"{APPROVED_LAST_DAY} and on (tenant, control) {ACCEPTED}"),
            g.rows(f"{each('control_risk_approval_info', by='tenant, control, reference')} and on (tenant, control) {ACCEPTED}"),
            g.rows(each("control_acceptance_info", by="tenant, control, accepted_by, comment")),
            g.rows(f"{TITLE_OF_DECLARED} and on (tenant, control) {ACCEPTED}"),
            g.rows(f"{MILLISECONDS}({REPORT_OF})"),
        ],
        [
            g.column("tenant", "Tenant", width=90, pick=True, link=g.TO_TENANT),
            g.column("title", "Title"),
            g.column("control", "Control", width=170, link=g.TO_CONTROL),
            g.column("Value #A", "Since", width=100, unit=g.DATE, empty="not dated"),
            g.column("accepted_by", "Accepted by", width=200, pick=True),
            g.column("comment", "Reason"),
            g.column("Value #C", "Points lost", width=85, unit="short", decimals=1),
            g.column("Value #H", "Report of", width=95, unit=g.DATE),
            g.column("Value #B", "Approval", width=150, words=VERDICTS, paint="text", pick=True),
            g.column("Value #D", "Approved until", width=115, unit=g.DATE),
            g.column("reference", "Reference", width=90),
        ],
        sort="-Since", empty="No risk is accepted",
    )


def course():
    # Limited to thirty, because a timeline of a thousand rows is unreadable.
    newest = f"topk(30, {each('control_risk_last_accepted_timestamp_seconds', by='tenant, control', at='@ end()')})"
    expr = f"(2 * ({APPROVED}) or ({ACCEPTED}) or 0 * ({REVERTED})) and on (tenant, control) {newest}"
    return g.timeline(
        "When a risk was accepted", "The 30 most recently accepted controls, from acceptance to withdrawal, with and without an exception at the time.",
        g.over_time(expr, "{{tenant}} · {{control}}"), COURSE, maxDataPoints=200,
    )


def counts():
    verdicts = [(UNAPPROVED, "Unapproved", "red"), (APPROVED, "Approved", "blue")]
    return [
        (12, g.lines(
            "Accepted risks", "The number of accepted risks, with and without an exception.",
            [g.over_time(number(expr), name) for expr, name, _ in verdicts],
            unit="short", style={"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 60, "lineWidth": 1, "lineInterpolation": "stepAfter"},
            defaults={"decimals": 0, "min": 0}, maxDataPoints=200,
            overrides=[g.series(name, color=color) for _, name, color in verdicts],
        )),
        (12, g.bars(
            "Tenants with most", "The ten tenants with most accepted risks, approved or not.",
            g.now(f"topk(10, count by (tenant) ({ACCEPTED}))", "{{tenant}}"), unit="short", steps=[(None, "orange")],
            defaults={"min": 0, "decimals": 0}, empty="No risk is accepted", descending=True,
        )),
    ]


def reverted():
    return g.table(
        "Accepted and withdrawn", "Controls whose risk was accepted and later withdrawn, possibly unnoticed.",
        [
            g.rows(f"{MILLISECONDS}({REVERTED})"),
            g.rows(f"{MILLISECONDS}{each('control_state_updated_timestamp_seconds', by=CONTROL)} and on (tenant, control) ({REVERTED})"),
            g.rows(f"{each('control_risk_acceptances', by=CONTROL, match=DECLARED_ON)} and on (tenant, control) ({REVERTED})"),
            g.rows(f"{TITLE_OF_DECLARED} and on (tenant, control) ({REVERTED})"),
            g.rows(f"{each('control_state', by=f'{CONTROL}, state', match=DECLARED_ON)} and on (tenant, control) ({REVERTED})"),
        ],
        [
            g.column("tenant", "Tenant", width=110, pick=True, link=g.TO_TENANT),
            g.column("title", "Title"),
            g.column("control", "Control", width=230, link=g.TO_CONTROL),
            g.column("category", "Category", width=100, pick=True),
            g.column("Value #A", "Last accepted", width=150, unit=g.MOMENT),
            g.column("Value #B", "State since", width=150, unit=g.MOMENT),
            g.column("state", "State now", width=150, words=g.STATES, paint="text"),
            g.column("Value #C", "Times accepted", width=125, unit="short", decimals=0),
        ],
        sort="-Last accepted", empty="No acceptance was withdrawn",
    )


def claims():
    return g.table(
        "Claims", "Controls declared as solved elsewhere. Microsoft gives all points without verifying them; review them now and then.",
        [
            g.rows(CLAIMED),
            g.rows(f"{MILLISECONDS}{each('control_state_updated_timestamp_seconds', by=CONTROL)} and on (tenant, control) {CLAIMED}"),
            g.rows(f"{POINTS} and on (tenant, control) {CLAIMED}"),
            g.rows(f"{TITLE_OF_DECLARED} and on (tenant, control) {CLAIMED}"),
        ],
        [
            g.column("tenant", "Tenant", width=110, pick=True, link=g.TO_TENANT),
            g.column("title", "Title"),
            g.column("control", "Control", width=230, link=g.TO_CONTROL),
            g.column("category", "Category", width=100, pick=True),
            g.column("state", "Claim", width=170, words=g.STATES, paint="text", pick=True),
            g.column("Value #B", "Since", width=150, unit=g.MOMENT, empty="not dated"),
            g.column("Value #C", "Points claimed", width=125, unit="short", decimals=1),
        ],
        sort="-Points claimed", empty="No control is declared as solved elsewhere",
    )
