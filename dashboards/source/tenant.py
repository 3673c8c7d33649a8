"""The dashboard of one tenant: points, and what would add more.

Several chosen tenants have the sections one after the other.
"""

from . import grafana as g
from .promql import RECOMMENDATION, STATUS_CHANGED
from .promql import ACCEPTED, APPROVED_LAST_DAY, CLAIM_UNTIL, CONTROL, MILLISECONDS, TITLE, UNAPPROVED, each, last_day, number, ratio, reported, since_success

SCORE = reported("control_score", by=CONTROL)
MAXIMUM = reported("control_max_score", by=CONTROL)
TO_GAIN = f"{MAXIMUM} - on (tenant, control, category) {SCORE}"

# Compared with the maximum of the time range, so that old losses show too.
BEST = "max by (tenant, control, category) (max_over_time(secure_score_control_score{tenant=~\"$tenant\"}[$__range]))"

AGE_OF_STATES = since_success(match='api="profiles"')

# Entra's own score, and the category of Secure Score that covers the same.
IN_ENTRA = f"{each('identity_score')} / ({each('identity_max_score')} > 0)"
OF_IDENTITY = "category=\"Identity\""
IN_SECURE_SCORE = f"{reported('category_score', match=OF_IDENTITY)} / ({reported('category_max_score', match=OF_IDENTITY)} > 0)"

# Smaller losses are noise: Microsoft computes shares of users and devices.
NOTICEABLE = 0.5
LOST = f"({BEST} - on (tenant, control, category) {SCORE}) >= {NOTICEABLE}"

BASES = {"AllTenants": "All tenants", "TotalSeats": "Similar size", "IndustryTypes": "Same industry"}


def page():
    return g.dashboard(
        "tenant",
        "Tenant",
        "A tenant's score and maximum, its categories against comparable tenants, and every control by points to gain.",
        variables=[g.tenants(everything=False)],
        annotations=[g.firing(), g.acceptances(), g.set_aside(), maximum_changed()],
        repeat="tenant",
        sections=[
            ("$tenant", [(5, headline()), (10, trend())]),
            ("$tenant: controls", [(13, [(24, controls())]), (7, [(24, regressions())]), (7, [(24, declared())])]),
            ("$tenant: against others", [(8, comparison())]),
            ("$tenant: identity in Entra", [(9, identity()), (11, [(24, recommendations())])]),
        ],
    )


def maximum_changed():
    maximum = reported("tenant_max_score")
    return g.annotation(
        "Maximum changed",
        f"({maximum} != bool {reported('tenant_max_score', at='offset 2h')}) == 1",
        "blue",
        "Microsoft changed the maximum",
        "{{tenant}}: controls were added or withdrawn, or licences changed",
    )


def headline():
    return [
        (6, scores()),
        (4, g.stat(
            "Points to target", "Points missing to the target; negative above it.",
            g.now(f"{each('target_ratio')} * on (tenant) {reported('tenant_max_score')} - on (tenant) {reported('tenant_score')}"),
            unit="short", steps=[(None, "green"), (0.01, "orange")], defaults={"decimals": 1}, empty="No target set",
        )),
        (4, g.stat(
            "Against all tenants", "Score minus Microsoft's average over all tenants, in percentage points.",
            g.now(f"100 * ({ratio()} - on (tenant) {average('AllTenants')})"),
            unit="suffix: pp", steps=[(None, "red"), (0, "green")], defaults={"decimals": 1}, empty="No average known",
        )),
        (3, g.stat(
            "Unapproved", "Controls whose risk is accepted now and that no decision covers today.",
            g.now(number(UNAPPROVED)), steps=g.NONE_IS_GOOD, defaults={"links": [g.TO_RISKS, g.TO_REGISTER, g.TO_RUNBOOK]},
        )),
        (4, g.stat(
            "Score of", "The day of Microsoft's newest score; usually yesterday.",
            g.now(f"{MILLISECONDS}{each('report_timestamp_seconds')}"), unit=g.DATE,
        )),
        (3, g.stat(
            "Age of states", "Time since the last refresh of the catalogue with its states; 15 minutes are usual.",
            g.now(f"max by (tenant) ({AGE_OF_STATES})"),
            unit=g.AGE, steps=[(None, "green"), (2700, "orange"), (86400, "red")], defaults={"decimals": 0, "links": [g.TO_EXPORTER]},
        )),
    ]


def scores():
    return g.stats(
        "Score: now, planned, achievable", "Points as a share of the maximum: now, once planned controls are completed, and the most that accepted risks leave. Planned or achievable is missing where a control's state or points are unknown.",
        [
            g.now(ratio(), "Now"),
            g.now(ratio("tenant_planned_score"), "Planned"),
            g.now(ratio("tenant_achievable_score"), "Achievable"),
        ],
        unit="percentunit", steps=g.RATIO, defaults={"decimals": 1},
    )


def trend():
    score, maximum, target = reported("tenant_score"), reported("tenant_max_score"), each("target_ratio")
    return [
        (14, g.lines(
            "Score and maximum", "The tenant's points and their maximum. A step of the maximum is a change by Microsoft or of licences: it moves the percentage without any action of the tenant.",
            [
                g.over_time(maximum, "Maximum"),
                g.over_time(f"{target} * on (tenant) {maximum}", "Target"),
                g.over_time(score, "Score"),
            ],
            unit="short", style={"lineInterpolation": "stepAfter"}, defaults={"decimals": 0}, empty=g.no_sample_yet(past=True),
            overrides=[g.series("Maximum", color="gray", fill=0, width=1), g.series("Target", color="green", dashed=True, fill=0, width=1), g.series("Score", color="blue")],
        )),
        (10, g.lines(
            "Changes from day to day", "Points gained or lost per day, and points that Microsoft added to or removed from the maximum.",
            [
                g.over_time(f"{score} - {reported('tenant_score', at='offset 1d')}", "Score"),
                g.over_time(f"{maximum} - {reported('tenant_max_score', at='offset 1d')}", "Maximum"),
            ],
            unit="short", interval="1d", defaults={"decimals": 1},
            style={**g.BARS, "axisCenteredZero": True},
            overrides=[g.series("Maximum", color="gray"), g.series("Score", color="blue")],
            empty=f"Each day is compared with the day before, so the first bar comes a day after the first scrape{g.BACKFILL}",
        )),
    ]


def average(basis):
    return each("comparison_ratio", match=f'basis="{basis}"')


def comparison():
    def share(basis):
        match = f'basis="{basis}"'
        score = reported("comparison_category_score", by="tenant, category", match=match)
        maximum = reported("comparison_category_max_score", by="tenant, category", match=match)
        return f"{score} / ({maximum} > 0)"

    score = reported("category_score", by="tenant, category")
    maximum = reported("category_max_score", by="tenant, category")
    return [
        (14, g.table(
            "Categories", "The share of points reached per category, and the averages of comparable tenants: all, those of a similar size, and those of the same industry if Microsoft knows it.",
            [
                g.rows(f"{score} / ({maximum} > 0)"),
                g.rows(f"{maximum} - {score}"),
                *[g.rows(share(basis)) for basis in BASES],
            ],
            [
                g.column("category", "Category", width=120),
                g.column("Value #A", "Reached", unit="percentunit", decimals=0, steps=g.RATIO, gauge=True),
                g.column("Value #B", "To gain", width=75, unit="short", decimals=1),
                *[
                    g.column(f"Value #{letter}", name, width=110, unit="percentunit", decimals=0)
                    for letter, name in zip("CDE", BASES.values())
                ],
            ],
            sort="-To gain", empty="No score of this tenant was read yet",
        )),
        (10, g.lines(
            "Score against comparable tenants", "The tenant's share of its maximum, and Microsoft's averages (dashed).",
            [
                g.over_time(ratio(), "{{tenant}}"),
                *[g.over_time(average(basis), name) for basis, name in BASES.items()],
            ],
            unit="percentunit", defaults={"decimals": 1}, empty=g.no_sample_yet(past=True),
            overrides=[g.series(name, dashed=True, fill=0, width=1) for name in BASES.values()],
        )),
    ]


def identity():
    return [
        (6, g.stats(
            "Identity by Entra and by Secure Score", "The Identity Secure Score as the Entra admin center shows it, beside the sum of Secure Score's category Identity, both as shares of their maximum. They are two calculations of Microsoft's. Entra's is missing where the tenant does not grant DirectoryRecommendations.Read.All.",
            [g.now(IN_ENTRA, "Entra"), g.now(IN_SECURE_SCORE, "Secure Score")],
            unit="percentunit", steps=g.RATIO, defaults={"decimals": 1},
        )),
        (10, g.lines(
            "Identity over time", "The same over time. Entra has no line where the tenant does not grant DirectoryRecommendations.Read.All.",
            [g.over_time(IN_ENTRA, "Entra"), g.over_time(IN_SECURE_SCORE, "Secure Score")],
            unit="percentunit", style={"fillOpacity": 0, "lineInterpolation": "stepAfter"}, defaults={"decimals": 0},
            overrides=[g.series("Secure Score", dashed=True, width=1)],
        )),
        (8, g.table(
            "Recommendations by status", "How many recommendations of Entra are in each status.",
            [g.rows(f"count by (status) ({each('recommendation_status', by=f'{RECOMMENDATION}, status')})")],
            g.STATUS_COLUMNS, sort="-Recommendations", empty=g.NOT_READ_SENTENCE,
        )),
    ]


def recommendations():
    return g.table(
        "Recommendations", "Every recommendation of Entra, the most points to gain first. Points only of those that count in the Identity Secure Score.",
        [
            g.rows(f"{each('recommendation_max_score', by=RECOMMENDATION)} - on (tenant, recommendation) {each('recommendation_score', by=RECOMMENDATION)}"),
            g.rows(each("recommendation_score", by=RECOMMENDATION)),
            g.rows(each("recommendation_max_score", by=RECOMMENDATION)),
            g.rows(each("recommendation_info", by="tenant, recommendation, control, title, priority")),
            g.rows(each("recommendation_status", by=f"{RECOMMENDATION}, status")),
            g.rows(f"{MILLISECONDS}{STATUS_CHANGED}"),
            g.rows(f"{each('recommendation_disagrees', by=RECOMMENDATION)} == 1"),
        ],
        [
            g.column("title", "Title", wrap=True),
            g.column("recommendation", "Recommendation", width=215),
            g.column("control", "Control", width=215, link=g.TO_CONTROL),
            g.column("priority", "Priority", width=85, pick=True),
            g.column("Value #B", "Points", width=75, unit="short", decimals=2),
            g.column("Value #C", "Of", width=60, unit="short", decimals=2),
            g.column("Value #A", "To gain", width=85, unit="short", decimals=2, steps=[(None, "green"), (0.01, "yellow"), (3, "orange")], paint="text"),
            g.column("status", "Status", width=170, words=g.STATUSES, paint="text", pick=True),
            g.column("Value #F", "Since", width=95, unit=g.DATE),
            g.column("Value #G", "Secure Score", width=115, words={1: ("Says otherwise", "orange")}, paint="text"),
        ],
        sort="-To gain", empty=g.NOT_READ_SENTENCE,
    )


def controls():
    declared = f"on (tenant, control) {MAXIMUM}"
    return g.table(
        "Controls", "Every scored or declared control, the most points to gain first. An accepted risk gives no points; the two claims give all points, unverified by Microsoft.",
        [
            g.rows(TO_GAIN),
            g.rows(SCORE),
            g.rows(MAXIMUM),
            g.rows(f"{TITLE} and {declared}"),
            g.rows(f"{each('control_state', by=f'{CONTROL}, state')} and {declared}"),
            g.rows(f"{MILLISECONDS}{each('control_state_updated_timestamp_seconds', by=CONTROL)}"),
            g.rows(f"{MILLISECONDS}{each('control_last_synced_timestamp_seconds', by=CONTROL)}"),
        ],
        [
            g.column("title", "Title", wrap=True),
            g.column("control", "Control", width=330, link=g.TO_CONTROL),
            g.column("category", "Category", width=110, pick=True),
            g.column("Value #B", "Points", width=75, unit="short", decimals=1),
            g.column("Value #C", "Of", width=60, unit="short", decimals=0),
            g.column("Value #A", "To gain", width=85, unit="short", decimals=1, steps=[(None, "green"), (0.01, "yellow"), (5, "orange")], paint="text"),
            g.column("state", "State", width=140, words=g.STATES, paint="text", pick=True),
            g.column("Value #F", "Since", width=100, unit=g.DATE),
            g.column("Value #G", "Last synced", width=105, unit=g.DATE),
        ],
        sort="-To gain", empty="The catalogue of this tenant was not read yet",
    )


def regressions():
    return g.table(
        "Regressions", "Controls that lost half a point or more against their most points in the time range, the largest loss first. An accepted risk loses its points too.",
        [
            g.rows(f"topk(50, {LOST})"),
            g.rows(f"{SCORE} and on (tenant, control) topk(50, {LOST})"),
            g.rows(f"{TITLE} and on (tenant, control) topk(50, {LOST})"),
            g.rows(f"{each('control_state', by=f'{CONTROL}, state')} and on (tenant, control) topk(50, {LOST})"),
        ],
        [
            g.column("title", "Title", wrap=True),
            g.column("control", "Control", width=330, link=g.TO_CONTROL),
            g.column("category", "Category", width=110, pick=True),
            g.column("Value #A", "Fallen by", width=90, unit="short", decimals=1, steps=[(None, "orange"), (3, "red")], paint="text"),
            g.column("Value #B", "Points now", width=110, unit="short", decimals=1),
            g.column("state", "State", width=150, words=g.STATES, paint="text"),
        ],
        sort="-Fallen by", empty="No control lost half a point or more in the time range, as far as Prometheus has scraped it",
    )


def declared():
    return g.table(
        "Accepted, claimed and planned", "Controls with a declared state, the newest first.",
        [
            g.rows(f"{MILLISECONDS}{each('control_state_updated_timestamp_seconds', by=CONTROL)} and on (tenant, control) {DECLARED}"),
            g.rows(f"{TITLE} and on (tenant, control) {DECLARED}"),
            g.rows(DECLARED),
            g.rows(f"{APPROVED_LAST_DAY} and on (tenant, control) {ACCEPTED} or {last_day(CLAIM_UNTIL)}"),
        ],
        [
            g.column("title", "Title", wrap=True),
            g.column("control", "Control", width=330, link=g.TO_CONTROL),
            g.column("category", "Category", width=110, pick=True),
            g.column("state", "State", width=150, words=g.STATES, paint="text"),
            g.column("Value #A", "Since", width=140, unit=g.MOMENT),
            g.column("Value #D", "Approved until", width=120, unit=g.DATE),
        ],
        sort="-Since", empty="No control has a declared state",
    )


DECLARED = each("control_state", by=f"{CONTROL}, state", match='state!="to_address"')
