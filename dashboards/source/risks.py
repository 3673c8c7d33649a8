"""The register of accepted risks: who accepted what, when, and with which approval."""

from . import grafana as g
from .promql import ASIDE_APPROVED, ASIDE_ENDING, ASIDE_EXPIRED, ASIDE_UNAPPROVED, ASIDE_UNTIL, DISAGREEING, RECOMMENDATION, RECOMMENDATION_TITLE, SET_ASIDE, STATUS_CHANGED, in_status, of_entra
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

ASIDE_VERDICT = f"4 * ({ASIDE_EXPIRED}) or 3 * ({ASIDE_ENDING}) or 2 * ({ASIDE_APPROVED}) or ({ASIDE_UNAPPROVED})"
ASIDE_WATCHED = f"{SET_ASIDE} and on (tenant, recommendation) {each('recommendation_watched', by=RECOMMENDATION)}"
DISMISSED_ONES = each("recommendation_impacted_resources", by=RECOMMENDATION, match='status="dismissed"')
PLACES = {0: ("Agrees", "text"), 1: ("Open there", "orange")}

# No state before the first acceptance.
COURSE = {0: ("Withdrawn", g.FAINT), 1: ("Unapproved", "red"), 2: ("Approved", "blue")}


def page():
    return g.dashboard(
        "risks",
        "Accepted risks",
        "Every accepted risk of every tenant, in Secure Score and among Entra's recommendations: by whom, since when, and approved until when.",
        variables=[g.tenants(), g.declared()],
        annotations=[g.firing(), g.acceptances(), g.set_aside()],
        sections=[
            ("", [(4, headline())]),
            ("Register", [(10, [(24, register())])]),
            ("Set aside in Entra", [(4, entra()), (10, [(24, recommendations())])]),
            ("Over time", [(10, [(24, course())]), (8, [(24, statuses())]), (8, counts())]),
            ("Withdrawn and claimed", [(7, [(24, reverted())]), (7, [(24, claims())])]),
        ],
    )


def headline():
    links = {"defaults": {"links": [g.TO_REGISTER, g.TO_RUNBOOK, g.TO_PORTAL]}}
    return [
        (4, g.stat("Accepted", "Controls whose risk is accepted now.", g.now(number(ACCEPTED)))),
        (4, g.stat("Unapproved", "Accepted risks that no decision covers today, including those whose approval has ended.", g.now(number(UNAPPROVED)), steps=g.NONE_IS_GOOD, **links)),
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


def entra():
    links = {"defaults": {"links": [g.TO_REGISTER, g.TO_ASIDE_RUNBOOK, g.TO_ENTRA]}}
    none = {"empty": g.NOT_READ}
    return [
        (4, g.stat("Set aside", "Recommendations of Entra whose risk is accepted, or that are dismissed or postponed, now. Only of tenants that let the exporter read them.", g.now(of_entra(SET_ASIDE)), **none)),
        (4, g.stat("Unapproved in Entra", "Recommendations set aside that no decision covers today.", g.now(of_entra(ASIDE_UNAPPROVED)), steps=g.NONE_IS_GOOD, **links, **none)),
        (4, g.stat("Watched in Entra", "Recommendations set aside that are on the watch list, or whose control is (risk_accepted.watch).", g.now(of_entra(ASIDE_WATCHED)), steps=g.NONE_IS_GOOD, **links, **none)),
        (4, g.stat("Places disagree", "Recommendations that are set aside in Entra and open in Secure Score, or the reverse.", g.now(of_entra(DISAGREEING)), steps=g.FEW_ARE_GOOD, defaults={"links": [g.TO_DISAGREES_RUNBOOK, g.TO_ENTRA, g.TO_PORTAL]}, **none)),
        (4, g.stat("Unknown status", "Recommendations whose status cannot be read: they may be set aside.", g.now(of_entra(in_status("unknown"))), steps=[(None, "green"), (1, "yellow")], **none)),
        (4, g.stat("Dismissed resources", "Single users or applications that are dismissed, with recommendations.impacted_resources.", g.now(f"sum({DISMISSED_ONES})"), steps=g.FEW_ARE_GOOD, empty="Not counted (impacted_resources)")),
    ]


def recommendations():
    return g.table(
        "Recommendations set aside", "Every recommendation of Entra that is accepted as a risk, dismissed or postponed, the newest first. The person appears with the exporter's labels.accepted_by. The time is the latest possible where Entra does not say it.",
        [
            g.rows(f"{MILLISECONDS}{STATUS_CHANGED} and on (tenant, recommendation) {SET_ASIDE}"),
            g.rows(ASIDE_VERDICT),
            g.rows(in_status("risk_accepted|dismissed|postponed", by=f"{RECOMMENDATION}, status")),
            g.rows(f"{MILLISECONDS}{each('recommendation_postponed_until_timestamp_seconds', by=RECOMMENDATION)} and on (tenant, recommendation) {SET_ASIDE}"),
            g.rows(f"{MILLISECONDS}({ASIDE_UNTIL} - 1) and on (tenant, recommendation) {SET_ASIDE}"),
            g.rows(ASIDE_WATCHED),
            g.rows(f"{each('recommendation_acceptance_info', by=f'{RECOMMENDATION}, accepted_by')} and on (tenant, recommendation) {SET_ASIDE}"),
            g.rows(f"{each('recommendation_disagrees', by=RECOMMENDATION)} and on (tenant, recommendation) {SET_ASIDE}"),
            g.rows(f"{RECOMMENDATION_TITLE} and on (tenant, recommendation) {SET_ASIDE}"),
        ],
        [
            g.column("tenant", "Tenant", width=85, pick=True, link=g.TO_TENANT),
            g.column("title", "Title"),
            g.column("recommendation", "Recommendation", width=135),
            g.column("control", "Control", width=125, link=g.TO_CONTROL),
            g.column("status", "Status", width=105, words=g.STATUSES, paint="text", pick=True),
            g.column("Value #A", "Since", width=92, unit=g.DATE, empty="not dated"),
            g.column("Value #D", "Postponed until", width=112, unit=g.DATE),
            g.column("accepted_by", "By", width=95, pick=True),
            g.column("Value #B", "Approval", width=150, words=VERDICTS, paint="text", pick=True),
            g.column("Value #E", "Approved until", width=108, unit=g.DATE),
            g.column("Value #F", "Watched", width=70, words={1: ("Yes", "orange")}, paint="text"),
            g.column("Value #H", "Secure Score", width=98, words=PLACES, paint="text"),
        ],
        sort="-Since", empty="Nothing is set aside, or no tenant grants DirectoryRecommendations.Read.All",
    )


def statuses():
    numbers = {"postponed": 1, "dismissed": 2, "risk_accepted": 3}
    words = {number: g.STATUSES[name] for name, number in numbers.items()}
    words = {0: ("Open or solved", g.FAINT), **words, 2: ("Dismissed", "purple")}
    of = [f"{number} * {in_status(name)}" for name, number in numbers.items()]
    flag = each("recommendation_set_aside", by=RECOMMENDATION)
    ever = f"max by ({RECOMMENDATION}) (max_over_time(secure_score_recommendation_set_aside{{tenant=~\"$tenant\"}}[$__range] @ end()))"
    expr = f"({' or '.join(of)} or 0 * {flag}) and on (tenant, recommendation) topk(30, {ever} == 1)"
    return g.timeline(
        "When a recommendation was set aside", "At most 30 recommendations that were set aside in the time range.",
        g.over_time(expr, "{{tenant}} · {{recommendation}}"), words, maxDataPoints=200, empty=g.NOT_READ,
    )


def course():
    # Limited to thirty, because a timeline of a thousand rows is unreadable.
    newest = f"topk(30, {each('control_risk_last_accepted_timestamp_seconds', by='tenant, control', at='@ end()')})"
    expr = f"(2 * ({APPROVED}) or ({ACCEPTED}) or 0 * ({REVERTED})) and on (tenant, control) {newest}"
    return g.timeline(
        "When a risk was accepted", "The 30 most recently accepted controls, from acceptance to withdrawal, with and without a decision at the time.",
        g.over_time(expr, "{{tenant}} · {{control}}"), COURSE, maxDataPoints=200,
    )


def counts():
    verdicts = [(UNAPPROVED, "Unapproved", "red"), (APPROVED, "Approved", "blue")]
    return [
        (12, g.lines(
            "Accepted risks", "The number of accepted risks, with and without a decision.",
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
