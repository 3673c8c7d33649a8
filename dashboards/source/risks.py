"""The register of accepted risks: who accepted what, when, and with which approval."""

from . import grafana as g
from .promql import ASIDE_APPROVED, ASIDE_ENDING, ASIDE_EXPIRED, ASIDE_UNAPPROVED, ASIDE_UNTIL, DISAGREEING, RECOMMENDATION, RECOMMENDATION_TITLE, SET_ASIDE, STATUS_CHANGED, in_status, of_entra
from .promql import ACCEPTED, APPROVED, APPROVED_LAST_DAY, AT_END, CLAIM_UNTIL, CLAIMED, CLAIMS, CONTROL, DECLARED_ON, ENDING, EXPIRED, LAST_ACCEPTED, MILLISECONDS, SELF_APPROVED, TITLE_OF_DECLARED, UNAPPROVED, UNAPPROVED_WATCHED, UNREADABLE, claim_verdict, each, last_day, number, reported

REVERTED = f"{LAST_ACCEPTED} unless on (tenant, control) {ACCEPTED} unless on (tenant, control) {UNREADABLE}"
POINTS = reported("control_max_score", by=CONTROL, match=DECLARED_ON)
SCORED = reported("control_score", by=CONTROL, match=DECLARED_ON)
# As the exporter's pages compute it: none of a control that is not scored.
POINTS_LOST = f"clamp_min({POINTS} - on (tenant, control, category) {SCORED}, 0)"
REPORT_OF = f"{ACCEPTED} * on (tenant) group_left () {each('report_timestamp_seconds')}"

VERDICT = f"4 * ({EXPIRED}) or 3 * ({ENDING}) or 2 * ({APPROVED}) or ({UNAPPROVED})"
VERDICTS = {1: ("Unapproved", "red"), 2: ("Approved", "blue"), 3: ("Ends soon", "orange"), 4: ("Ended", "red")}

ASIDE_VERDICT = f"4 * ({ASIDE_EXPIRED}) or 3 * ({ASIDE_ENDING}) or 2 * ({ASIDE_APPROVED}) or ({ASIDE_UNAPPROVED})"
ASIDE_WATCHED = f"{SET_ASIDE} and on (tenant, recommendation) {each('recommendation_watched', by=RECOMMENDATION)}"
# What a person declared in Entra.
BY_PERSON = in_status(f"planned|postponed|dismissed|risk_accepted|{CLAIMS}|completed_by_user|unknown", by=f"{RECOMMENDATION}, status")
IN_ENTRA = in_status(f"planned|completed_by_user|{CLAIMS}", by=f"{RECOMMENDATION}, status")
CLAIMED_IN_ENTRA = in_status(CLAIMS)
ENTRA_CLAIM_UNTIL = each("recommendation_claim_approved_until_timestamp_seconds", by=RECOMMENDATION)
DISMISSED_ONES = each("recommendation_impacted_resources", by=RECOMMENDATION, match='status="dismissed"')
PLACES = {0: ("Agrees", "text"), 1: ("Open there", "orange")}

BY_ONESELF = {0: ("No", "text"), 1: ("Yes", "red")}
CLAIM_VERDICTS = {1: ("Unapproved", "orange"), 2: ("Approved", "blue"), 4: ("Ended", "red")}

# No state before the first acceptance.
COURSE = {0: ("Withdrawn", g.FAINT), 1: ("Unapproved", "red"), 2: ("Approved", "blue")}


def page():
    return g.dashboard(
        "risks",
        "Accepted risks",
        "Every accepted risk and claim of every tenant, in Secure Score and among Entra's recommendations: by whom, since when, and approved until when.",
        variables=[g.tenants(), g.declared()],
        annotations=[g.firing(), g.acceptances(), g.set_aside()],
        sections=[
            ("", [(4, headline())]),
            ("Register", [(9, [(24, register())]), (8, [(24, decisions())])]),
            ("Claims", [(4, claim_numbers()), (8, [(24, claims())])]),
            ("Entra", [(4, entra()), (10, [(24, recommendations())]), (9, declared_in_entra())]),
            ("Withdrawn", [(7, [(24, reverted())])]),
            ("Over time", [(12, [(24, course())]), (12, [(24, statuses())]), (9, counts())]),
        ],
    )


def headline():
    links = {"defaults": {"links": [g.TO_REGISTER, g.TO_RUNBOOK, g.TO_PORTAL]}}
    return [
        (4, g.stat("Watched, unapproved", "Accepted risks of watched controls (risk_accepted.watch) that no decision covers today: second factors, risk policies, legacy sign-in.", g.now(number(UNAPPROVED_WATCHED)), steps=g.NONE_IS_GOOD, **links)),
        (4, g.stat("Unapproved", "Accepted risks that no decision covers today, including those whose approval has ended.", g.now(number(UNAPPROVED)), steps=g.NONE_IS_GOOD, **links)),
        (3, g.stat("Expired", "Accepted risks whose approval has ended.", g.now(number(EXPIRED)), steps=g.FEW_ARE_GOOD, **links)),
        (3, g.stat("Ending soon", "Accepted risks whose approval ends within 30 days.", g.now(number(ENDING)), steps=g.FEW_ARE_GOOD, **links)),
        (3, g.stat("Self-approved", "Acceptances and claims whose only approver is the person who declared them: four eyes are missing.", g.now(number(f"{SELF_APPROVED} == 1")), steps=g.NONE_IS_GOOD, **links)),
        (4, g.stat("Without a reason", "Accepted risks with a comment that is no reason: empty, the name of a state, or too short (risk_accepted.minimum_reason).", g.now(f"sum({each('tenant_acceptances_without_reason')})"), steps=g.FEW_ARE_GOOD, **links)),
        (3, g.stat("Accepted", "Controls whose risk is accepted now.", g.now(number(ACCEPTED)))),
    ]


def register():
    return g.table(
        "Register", "Every accepted risk, the newest first. Person and reason appear if the exporter's labels.accepted_by and labels.comment export them; otherwise see the exporter's own register.",
        [
            g.rows(f"{MILLISECONDS}{LAST_ACCEPTED} and on (tenant, control) {ACCEPTED}"),
            g.rows(VERDICT),
            g.rows(each("control_acceptance_info", by="tenant, control, accepted_by, comment")),
            g.rows(f"{TITLE_OF_DECLARED} and on (tenant, control) {ACCEPTED}"),
        ],
        [
            g.column("tenant", "Tenant", width=100, pick=True, link=g.TO_TENANT),
            g.column("title", "Title", wrap=True),
            g.column("control", "Control", width=205, wrap=True, link=g.TO_CONTROL),
            g.column("Value #A", "Since", width=95, unit=g.DATE, empty="not dated"),
            g.column("accepted_by", "Accepted by", width=240, wrap=True, pick=True),
            g.column("comment", "Reason", wrap=True),
            g.column("Value #B", "Approval", width=118, words=VERDICTS, paint="text", pick=True),
        ],
        sort="-Since", empty="No risk is accepted",
    )


def decisions():
    return g.table(
        "Decisions on accepted risks", "The decision on every accepted risk: until when, by which reference, and whether the person who accepted it is its only approver (self-approved: four eyes are missing). Points lost are the maximum less the score of Microsoft's report of the day beside them.",
        [
            g.rows(VERDICT),
            g.rows(f"{APPROVED_LAST_DAY} and on (tenant, control) {ACCEPTED}"),
            g.rows(f"{each('control_risk_approval_info', by='tenant, control, reference')} and on (tenant, control) {ACCEPTED}"),
            g.rows(f"{SELF_APPROVED} and on (tenant, control) {ACCEPTED}"),
            g.rows(f"{POINTS_LOST} and on (tenant, control) {ACCEPTED}"),
            g.rows(f"{MILLISECONDS}({REPORT_OF})"),
            g.rows(f"{TITLE_OF_DECLARED} and on (tenant, control) {ACCEPTED}"),
        ],
        [
            g.column("tenant", "Tenant", width=100, pick=True, link=g.TO_TENANT),
            g.column("title", "Title", wrap=True),
            g.column("control", "Control", width=205, wrap=True, link=g.TO_CONTROL),
            g.column("Value #A", "Approval", width=118, words=VERDICTS, paint="text", pick=True),
            g.column("Value #B", "Approved until", width=125, unit=g.DATE),
            g.column("Value #D", "Self-approved", width=115, words=BY_ONESELF, paint="text"),
            g.column("reference", "Reference", width=150, wrap=True),
            g.column("Value #E", "Points lost", width=100, unit="short", decimals=1),
            g.column("Value #F", "Report of", width=100, unit=g.DATE),
        ],
        sort="Approval", empty="No risk is accepted",
    )


def claim_numbers():
    return [
        (6, g.stat("Claimed", "Controls declared as solved by another product or other means: all points, unverified by Microsoft.", g.now(number(CLAIMED)), steps=[(None, "purple")])),
        (6, g.stat("Unapproved claims", "Claims of watched controls and those of Identity that no decision covers today.", g.now(f"sum({each('tenant_unapproved_claims')})"), steps=g.FEW_ARE_GOOD, defaults={"links": [g.TO_REGISTER, g.TO_PORTAL]})),
        (6, g.stat("Claimed in Entra", "Recommendations of Entra declared as solved by another product or other means.", g.now(of_entra(CLAIMED_IN_ENTRA)), steps=[(None, "purple")], empty=g.NOT_READ)),
        (6, g.stat("Unapproved in Entra", "Recommendations claimed in Entra that no decision covers today.", g.now(f"sum({each('tenant_unapproved_recommendation_claims')})"), steps=g.FEW_ARE_GOOD, empty=g.NOT_READ, defaults={"links": [g.TO_REGISTER, g.TO_ENTRA]})),
    ]


def entra():
    links = {"defaults": {"links": [g.TO_REGISTER, g.TO_ASIDE_RUNBOOK, g.TO_ENTRA]}}
    none = {"empty": g.NOT_READ}
    return [
        (4, g.stat("Set aside", "Recommendations of Entra whose risk is accepted, or that are dismissed or postponed, now. Only of tenants that let the exporter read them.", g.now(of_entra(SET_ASIDE)), **none)),
        (4, g.stat("Set aside, unapproved", "Recommendations set aside that no decision covers today.", g.now(of_entra(ASIDE_UNAPPROVED)), steps=g.NONE_IS_GOOD, **links, **none)),
        (4, g.stat("Watched in Entra", "Recommendations set aside that are on the watch list, or whose control is (risk_accepted.watch).", g.now(of_entra(ASIDE_WATCHED)), steps=g.NONE_IS_GOOD, **links, **none)),
        (4, g.stat("Places disagree", "Recommendations that are set aside in Entra and open in Secure Score, or the reverse.", g.now(of_entra(DISAGREEING)), steps=g.FEW_ARE_GOOD, defaults={"links": [g.TO_DISAGREES_RUNBOOK, g.TO_ENTRA, g.TO_PORTAL]}, **none)),
        (4, g.stat("Unknown status", "Recommendations whose status cannot be read: they may be set aside.", g.now(of_entra(in_status("unknown"))), steps=[(None, "green"), (1, "yellow")], **none)),
        (4, g.stat("Dismissed resources", "Single users or applications that are dismissed. Counted with recommendations.impacted_resources.", g.now(f"sum({DISMISSED_ONES})"), steps=g.FEW_ARE_GOOD, empty="Not counted")),
    ]


def recommendations():
    return g.table(
        "Recommendations set aside", "Every recommendation of Entra that is accepted as a risk, dismissed or postponed, the newest first. The person appears with the exporter's labels.accepted_by. The time is the latest possible where Entra does not say it.",
        [
            g.rows(f"{MILLISECONDS}{STATUS_CHANGED} and on (tenant, recommendation) {SET_ASIDE}"),
            g.rows(ASIDE_VERDICT),
            g.rows(in_status("risk_accepted|dismissed|postponed", by=f"{RECOMMENDATION}, status")),
            g.rows(f"{MILLISECONDS}{each('recommendation_postponed_until_timestamp_seconds', by=RECOMMENDATION)} and on (tenant, recommendation) {SET_ASIDE}"),
            g.rows(f"{last_day(ASIDE_UNTIL)} and on (tenant, recommendation) {SET_ASIDE}"),
            g.rows(ASIDE_WATCHED),
            g.rows(f"{each('recommendation_acceptance_info', by=f'{RECOMMENDATION}, accepted_by')} and on (tenant, recommendation) {SET_ASIDE}"),
            g.rows(f"{each('recommendation_disagrees', by=RECOMMENDATION)} and on (tenant, recommendation) {SET_ASIDE}"),
            g.rows(f"{RECOMMENDATION_TITLE} and on (tenant, recommendation) {SET_ASIDE}"),
        ],
        [
            g.column("tenant", "Tenant", width=92, pick=True, link=g.TO_TENANT),
            g.column("title", "Title", wrap=True),
            g.column("recommendation", "Recommendation", width=195),
            g.column("status", "Status", width=112, words=g.STATUSES, paint="text", pick=True),
            g.column("Value #A", "Since", width=95, unit=g.DATE, empty="not dated"),
            g.column("Value #D", "Postponed to", width=112, unit=g.DATE),
            g.column("accepted_by", "By", width=170, wrap=True, pick=True),
            g.column("Value #B", "Approval", width=118, words=VERDICTS, paint="text", pick=True),
            g.column("Value #E", "Until", width=95, unit=g.DATE),
            g.column("Value #F", "Watched", width=78, words={1: ("Yes", "orange")}, paint="text"),
            g.column("Value #H", "Secure Score", width=108, words=PLACES, paint="text"),
        ],
        sort="-Since", empty="Nothing is set aside, or no tenant grants DirectoryRecommendations.Read.All",
    )


def declared_in_entra():
    until = f"({ENTRA_CLAIM_UNTIL} and on (tenant, recommendation) {CLAIMED_IN_ENTRA})"
    return [
        (8, g.table(
            "Declared in Entra by status", "How many recommendations of Entra are in each status that a person declared.",
            [g.rows(f"count by (status) ({BY_PERSON})")],
            g.STATUS_COLUMNS, sort="-Recommendations", empty=f"No person declared a status, or else: {g.NOT_READ_SENTENCE}",
        )),
        (16, g.table(
            "Planned, claimed or completed in Entra", "Recommendations of Entra that a person plans, completed, or declared as solved by other means, the newest first. A claim needs a decision.",
            [
                g.rows(f"{MILLISECONDS}{STATUS_CHANGED} and on (tenant, recommendation) {IN_ENTRA}"),
                g.rows(IN_ENTRA),
                g.rows(f"{RECOMMENDATION_TITLE} and on (tenant, recommendation) {IN_ENTRA}"),
                g.rows(claim_verdict(until, CLAIMED_IN_ENTRA)),
                g.rows(last_day(until)),
            ],
            [
                g.column("tenant", "Tenant", width=92, pick=True, link=g.TO_TENANT),
                g.column("title", "Title", wrap=True),
                g.column("recommendation", "Recommendation", width=195),
                g.column("status", "Status", width=165, words=g.STATUSES, paint="text", pick=True),
                g.column("Value #A", "Since", width=95, unit=g.DATE, empty="not dated"),
                g.column("Value #D", "Approval", width=105, words=CLAIM_VERDICTS, paint="text"),
                g.column("Value #E", "Until", width=95, unit=g.DATE),
            ],
            sort="-Since", empty=f"None, or else: {g.NOT_READ_SENTENCE}",
        )),
    ]


def statuses():
    numbers = {"postponed": 1, "dismissed": 2, "risk_accepted": 3}
    words = {number: g.STATUSES[name] for name, number in numbers.items()}
    words = {0: ("Open or solved", g.FAINT), **words, 2: ("Dismissed", "purple")}
    of = [f"{number} * {in_status(name)}" for name, number in numbers.items()]
    flag = each("recommendation_set_aside", by=RECOMMENDATION)
    ever = f"max by ({RECOMMENDATION}) (max_over_time(secure_score_recommendation_set_aside{{tenant=~\"$tenant\"}}[$__range] {AT_END}))"
    expr = f"({' or '.join(of)} or 0 * {flag}) and on (tenant, recommendation) topk(20, {ever} == 1)"
    return g.timeline(
        "When a recommendation was set aside", "At most 20 recommendations that were set aside in the time range.",
        g.over_time(expr, "{{tenant}} · {{recommendation}}"), words, maxDataPoints=120,
        empty=g.no_sample_yet("Nothing was set aside in the time range, Entra is not read"),
    )


def course():
    # Limited to twenty, because a timeline of a thousand rows is unreadable.
    newest = f"topk(20, {each('control_risk_last_accepted_timestamp_seconds', by='tenant, control', at=AT_END)})"
    expr = f"(2 * ({APPROVED}) or ({ACCEPTED}) or 0 * ({REVERTED})) and on (tenant, control) {newest}"
    return g.timeline(
        "When a risk was accepted", "The 20 most recently accepted controls, from acceptance to withdrawal, with and without a decision at the time.",
        g.over_time(expr, "{{tenant}} · {{control}}"), COURSE, maxDataPoints=200,
        empty=g.no_sample_yet("No risk was accepted as far back as Microsoft's history", past=True),
    )


def counts():
    verdicts = [(UNAPPROVED, "Unapproved", "red"), (APPROVED, "Approved", "blue")]
    return [
        (12, g.lines(
            "Accepted risks", "The number of accepted risks, with and without a decision.",
            [g.over_time(number(expr), name) for expr, name, _ in verdicts],
            unit="short", style=g.AREAS,
            defaults={"decimals": 0, "min": 0}, maxDataPoints=200, empty=g.no_sample_yet(past=True),
            overrides=[g.series(name, color=color) for _, name, color in verdicts],
        )),
        (12, g.table(
            "Tenants with most", "The ten tenants with most accepted risks, approved or not.",
            [g.rows(f"topk(10, count by (tenant) ({ACCEPTED}))"), g.rows(f"count by (tenant) ({UNAPPROVED}) and on (tenant) topk(10, count by (tenant) ({ACCEPTED}))")],
            [
                g.column("tenant", "Tenant", link=g.TO_TENANT),
                g.column("Value #A", "Accepted", width=140, steps=[(None, "orange")], paint="text"),
                g.column("Value #B", "Unapproved", width=140, steps=g.NONE_IS_GOOD, paint="text"),
            ],
            sort="-Accepted", empty="No risk is accepted",
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
            g.column("title", "Title", wrap=True),
            g.column("control", "Control", width=230, wrap=True, link=g.TO_CONTROL),
            g.column("category", "Category", width=100, pick=True),
            g.column("Value #A", "Last accepted", width=150, unit=g.MOMENT),
            g.column("Value #B", "State since", width=150, unit=g.MOMENT),
            g.column("state", "State now", width=150, words=g.STATES, paint="text"),
            g.column("Value #C", "Times accepted", width=125, unit="short", decimals=0),
        ],
        sort="-Last accepted", empty="No acceptance was withdrawn",
    )


def claims():
    until = f"({CLAIM_UNTIL} and on (tenant, control) {CLAIMED})"
    return g.table(
        "Claims", "Controls declared as solved elsewhere, the most points first. Microsoft gives all points without verifying them, so a claim of a watched control or of Identity needs a decision. Self-approved: the person who declared it is its only approver.",
        [
            g.rows(CLAIMED),
            g.rows(f"{MILLISECONDS}{each('control_state_updated_timestamp_seconds', by=CONTROL)} and on (tenant, control) {CLAIMED}"),
            g.rows(f"{POINTS} and on (tenant, control) {CLAIMED}"),
            g.rows(f"{TITLE_OF_DECLARED} and on (tenant, control) {CLAIMED}"),
            g.rows(claim_verdict(until, f"max by ({CONTROL}) ({CLAIMED})")),
            g.rows(last_day(until)),
            g.rows(f"{SELF_APPROVED} and on (tenant, control) {CLAIMED}"),
        ],
        [
            g.column("tenant", "Tenant", width=92, pick=True, link=g.TO_TENANT),
            g.column("title", "Title", wrap=True),
            g.column("control", "Control", width=230, wrap=True, link=g.TO_CONTROL),
            g.column("category", "Category", width=100, pick=True),
            g.column("state", "Claim", width=160, words=g.STATES, paint="text", pick=True),
            g.column("Value #B", "Since", width=95, unit=g.DATE, empty="not dated"),
            g.column("Value #C", "Points", width=75, unit="short", decimals=1),
            g.column("Value #E", "Approval", width=105, words=CLAIM_VERDICTS, paint="text", pick=True),
            g.column("Value #F", "Until", width=95, unit=g.DATE),
            g.column("Value #G", "Self-approved", width=115, words=BY_ONESELF, paint="text"),
        ],
        sort="-Points", empty="No control is declared as solved elsewhere",
    )
