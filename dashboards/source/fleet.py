"""The dashboard of all tenants: what needs a decision, then scores.

For one tenant to a thousand: lists are limited, and graphs show median and
extremes instead of a line per tenant.
"""

from . import grafana as g
from .promql import CUSTOMER, CUSTOMER_INFO, MISSING, NEXT_ENDS, customers, of_partner
from .promql import ACCEPTED, APPROVED, CLAIMS, CONTROL, ENDING, FAILING, FAILING_FOR, LAST_ACCEPTED, MILLISECONDS, TITLE_OF_DECLARED, UNAPPROVED, UNAPPROVED_WATCHED, UNREADABLE, each, in_state, number, ratio, reported, since_success

LAST_WEEK = ratio(at="offset 7d")
CHANGE = f"({ratio()}) - ({LAST_WEEK})"
DISTANCE = f"({ratio()}) - {each('target_ratio')}"
NEWLY = f"{LAST_ACCEPTED} > time() - 7 * 86400"
# Those of the watch list first.
UNDECIDED = f"topk(20, 2 * ({UNAPPROVED_WATCHED}) or ({UNAPPROVED}))"

# A tenth is what is shown.
SIGNED = [(None, "red"), (-0.05, "text"), (0.05, "green")]
# Stands for the change of a tenant that has no score of a week ago.
NO_CHANGE = -1000

# The cells of the matrix, the most urgent first.
CELLS = {
    1: ("Unapproved", "red"),
    2: ("Unknown", "yellow"),
    3: ("Open", "orange"),
    4: ("Claimed", "purple"),
    5: ("Planned", "blue"),
    6: ("Approved", "blue"),
    7: ("Done", "green"),
}
# Headers for the default watch list, whose ids are too long for them.
SHORT = {
    "AdminMFAV2": "MFA of admins",
    "MFARegistrationV2": "MFA of all",
    "BlockLegacyAuthentication": "Legacy sign-in",
    "UserRiskPolicy": "User risk",
    "SigninRiskPolicy": "Sign-in risk",
}


def page():
    return g.dashboard(
        "fleet",
        "Fleet",
        "All tenants at a glance: missing decisions, failing refreshes, scores, and the watched controls of every tenant.",
        variables=[g.tenants(), g.declared(), g.watched()],
        annotations=[g.firing(), g.acceptances()],
        sections=[
            ("", [(4, decisions()), (8, [(24, undecided())]), (8, [(14, missing()), (10, trouble())])]),
            ("Score", [(4, scores()), (9, trend()), (10, [(24, everyone())])]),
            ("Watched controls", [(10, [(24, watched())])]),
            ("Accepted risks", [(9, risks())]),
            ("Coverage", [(8, coverage()), (7, [(24, ends())])]),
        ],
    )


def decisions():
    links = {"defaults": {"links": [g.TO_RISKS, g.TO_REGISTER, g.TO_RUNBOOK]}}
    return [
        (4, g.stat(
            "Watched, unapproved", "Accepted risks of watched controls (risk_accepted.watch) that no decision covers today. Decide these first.",
            g.now(number(UNAPPROVED_WATCHED)), steps=g.NONE_IS_GOOD, **links,
        )),
        (4, g.stat(
            "Unapproved risks", "Controls whose risk is accepted now and that no decision covers today. Each needs a decision.",
            g.now(number(UNAPPROVED)), steps=g.NONE_IS_GOOD, **links,
        )),
        (4, g.stat(
            "Unapproved claims", "Watched controls and those of Identity that are declared as solved by another product or other means, without a decision: Microsoft gives all points unverified.",
            g.now(f"sum({each('tenant_unapproved_claims')})"), steps=g.FEW_ARE_GOOD, defaults={"links": [g.TO_RISKS]},
        )),
        (3, g.stat(
            "Ending soon", "Accepted risks whose approval ends within 30 days: renew the decision, or have the risk fixed.",
            g.now(number(ENDING)), steps=g.FEW_ARE_GOOD, defaults={"links": [g.TO_RISKS]},
        )),
        (3, g.stat(
            "Approved", "Controls whose accepted risk a decision covers today.",
            g.now(number(APPROVED)), steps=[(None, "blue")], defaults={"links": [g.TO_RISKS]},
        )),
        (3, g.stat(
            "Not watched", "Customers of the partners that the exporter does not watch: not configured, or without consent.",
            g.now(NOT_WATCHED), steps=g.NONE_IS_GOOD, empty=g.NO_PARTNER, defaults={"links": [g.TO_STATUS, g.TO_CUSTOMER_RUNBOOK]},
        )),
        (3, g.stat(
            "Failing", "Tenants with a list whose last refresh failed; their data are the last good ones.",
            g.now(f"count(count by (tenant) ({FAILING})) or 0 * count({each('up')})"), steps=g.NONE_IS_GOOD, defaults={"links": [g.TO_EXPORTER]},
        )),
    ]


def undecided():
    return g.table(
        "Accepted without a decision", "Accepted risks that no decision covers today, those of watched controls first; 20 at most. The person appears with the exporter's labels.accepted_by.",
        [
            g.rows(UNDECIDED),
            g.rows(f"{TITLE_OF_DECLARED} and on (tenant, control) {UNDECIDED}"),
            g.rows(f"{MILLISECONDS}{LAST_ACCEPTED} and on (tenant, control) {UNDECIDED}"),
            g.rows(f"{each('control_acceptance_info', by='tenant, control, accepted_by, comment')} and on (tenant, control) {UNDECIDED}"),
        ],
        [
            g.column("tenant", "Tenant", width=110, link=g.TO_TENANT),
            g.column("title", "Title", wrap=True),
            g.column("control", "Control", width=240, link=g.TO_CONTROL),
            g.column("Value #A", "Watched", width=92, words={1: ("No", "text"), 2: ("Yes", "red")}, paint="text"),
            g.column("Value #C", "Accepted", width=105, unit=g.DATE, empty="not dated"),
            g.column("accepted_by", "By", width=240, wrap=True),
            g.column("comment", "Reason", wrap=True),
        ],
        sort="-Watched", empty="Every accepted risk has a decision",
    )


def scores():
    return [
        (9, g.stat(
            "Lowest score", "The tenant with the smallest share of its maximum.",
            g.now(f"bottomk(1, {ratio()})", "{{tenant}}"),
            unit="percentunit", name="value_and_name", steps=g.RATIO, defaults={"decimals": 1, "links": [g.to_dashboard("tenant", "Tenant", {"tenant": "${__field.labels.tenant:percentencode}"})]},
        )),
        (8, g.stat(
            "All tenants", "Points of all tenants as a share of their maxima, so large tenants weigh more.",
            g.now(f"sum({reported('tenant_score')}) / (sum({reported('tenant_max_score')}) > 0)"),
            unit="percentunit", steps=g.RATIO, defaults={"decimals": 1},
        )),
        (7, g.stat(
            "Below target", "Tenants whose score is below their target. Empty if no tenant has a target.",
            g.now(f"count({DISTANCE} < 0) or 0 * count({each('target_ratio')})"), steps=g.FEW_ARE_GOOD, empty="No target set",
        )),
    ]


def trend():
    extremes = [
        g.over_time(f"max({ratio()})", "Highest"),
        g.over_time(f"quantile(0.5, {ratio()})", "Median"),
        g.over_time(f"min({ratio()})", "Lowest"),
    ]
    return [
        (15, g.lines(
            "Score of the fleet", "The highest, median and lowest score of all tenants, as a share of the maximum. A step of all three is usually a change by Microsoft. Tenants without data are not counted.",
            extremes, overrides=[g.series("Highest", color="green", fill=10, fillBelowTo="Lowest"), g.series("Median", color="blue", fill=0), g.series("Lowest", color="red", fill=0)],
            unit="percentunit", defaults={"decimals": 1}, maxDataPoints=150, empty=g.no_sample_yet(past=True),
        )),
        (9, g.table(
            "Biggest movers of 7 days", "The ten tenants whose score moved most against a week ago, in percentage points.",
            [
                g.rows(f"100 * ({CHANGE}) and on (tenant) topk(10, abs({CHANGE}))"),
                g.rows(f"({ratio()}) and on (tenant) topk(10, abs({CHANGE}))"),
            ],
            [
                g.column("tenant", "Tenant", link=g.TO_TENANT),
                g.column("Value #A", "Change", unit="suffix: pp", decimals=1, steps=SIGNED, paint="text", width=110),
                g.column("Value #B", "Now", unit="percentunit", decimals=1, width=90),
            ],
            sort="Change", empty=f"Prometheus has no score of a week ago yet{g.BACKFILL}",
        )),
    ]


def watched():
    in_list = each("control_watched", by=CONTROL)
    of_list = 'control=~"$watched"'
    share = f"{reported('control_score', by=CONTROL, match=of_list)} / ({reported('control_max_score', by=CONTROL, match=of_list)} > 0)"
    states = [
        UNAPPROVED,
        f"2 * {in_state('unknown', match=of_list)}",
        f"4 * {in_state(CLAIMS, match=of_list)}",
        f"5 * {in_state('planned', match=of_list)}",
        f"6 * ({APPROVED})",
        f"3 + 4 * ({share} >= bool 1)",
    ]
    cell = f"({' or '.join(states)}) and on (tenant, control) {in_list}"
    return g.matrix(
        "Tenants and watched controls", "Every tenant and each control of the watch list (risk_accepted.watch): accepted without a decision, open, or done; tenants with an unapproved acceptance first. An empty cell is a control that Microsoft does not score at this tenant.",
        g.rows(f"sort(max by (tenant, control) ({cell}))"),
        row="tenant", header="control", names=SHORT, values=CELLS, first=140,
        empty="No watched control is in the catalogue of a tenant",
    )


def risks():
    return [
        (9, g.lines(
            "Accepted risks over time", "Accepted risks of all tenants, with and without a decision at the time.",
            [g.over_time(number(UNAPPROVED), "Unapproved"), g.over_time(number(APPROVED), "Approved")],
            unit="short", style=g.AREAS,
            defaults={"decimals": 0, "min": 0}, maxDataPoints=150, empty=g.no_sample_yet(past=True),
            overrides=[g.series("Unapproved", color="red"), g.series("Approved", color="blue")],
        )),
        (15, g.table(
            "Accepted in the last 7 days", "The 20 newest acceptances, also those withdrawn since.",
            [
                g.rows(f"{MILLISECONDS}topk(20, {NEWLY})"),
                g.rows(f"{TITLE_OF_DECLARED} and on (tenant, control) topk(20, {NEWLY})"),
                g.rows(f"({ACCEPTED} or 2 * {UNREADABLE}) and on (tenant, control) topk(20, {NEWLY})"),
            ],
            [
                g.column("tenant", "Tenant", width=110, link=g.TO_TENANT),
                g.column("title", "Title", wrap=True),
                g.column("control", "Control", width=205, link=g.TO_CONTROL),
                g.column("Value #A", "Accepted", width=140, unit=g.MOMENT),
                g.column("Value #C", "Now", width=85, words={1: ("Accepted", "red"), 2: g.STATES["unknown"]}, paint="text", empty="Withdrawn"),
            ],
            sort="-Accepted", empty="No risk was accepted within a week",
        )),
    ]


def everyone():
    return g.table(
        "Ranking", "Every tenant, the lowest score first. The last column opens the tenant's Defender portal.",
        [
            g.rows(ratio()),
            g.rows(f"100 * ({DISTANCE})"),
            g.rows(f"100 * ({CHANGE}) or 0 * {each('tenant_score')} + {NO_CHANGE}"),
            g.rows(number(UNAPPROVED, by="tenant")),
            g.rows(number(APPROVED, by="tenant")),
            g.rows(f"{MILLISECONDS}{each('report_timestamp_seconds')}"),
            g.rows(f"max by (tenant) ({since_success()})"),
            g.rows(each("tenant_info", by="tenant, display_name, entra_tenant_id")),
        ],
        [
            g.column("tenant", "Tenant", width=130, pick=True, link=g.TO_TENANT),
            g.column("display_name", "Name", width=190, wrap=True),
            g.column("Value #A", "Score", unit="percentunit", decimals=1, steps=g.RATIO, gauge=True),
            g.column("Value #B", "To target", width=100, unit="suffix: pp", decimals=1, steps=SIGNED, paint="text"),
            g.column("Value #C", "7 days", width=90, unit="suffix: pp", decimals=1, steps=SIGNED, words={NO_CHANGE: ("–", "text")}, paint="text"),
            g.column("Value #D", "Unapproved", width=100, steps=g.NONE_IS_GOOD, paint="text"),
            g.column("Value #E", "Approved", width=95),
            g.column("Value #F", "Score of", width=105, unit=g.DATE),
            g.column("Value #G", "Age of data", width=110, unit=g.AGE, decimals=0, steps=[(None, "green"), (9000, "orange"), (86400, "red")], paint="text"),
            g.column("entra_tenant_id", "Defender", width=90, says="Open", link=g.to_web("Secure Score in the Defender portal", f"{g.PORTAL}?tid=${{__value.raw}}")),
        ],
        sort="Score", empty=g.NO_TENANT,
    )


def trouble():
    return g.table(
        "Failing tenants", "Lists whose last refresh failed, the longest without success first. The last good data are exported for 24 hours.",
        [
            g.rows(FAILING_FOR),
            g.rows(f"sum by (tenant, api, reason) (increase(secure_score_refresh_failures_total{{tenant=~\"$tenant\"}}[6h])) > 0 and on (tenant, api) ({FAILING})"),
        ],
        [
            g.column("tenant", "Tenant", width=95, link=g.TO_TENANT),
            g.column("api", "List", width=158, words=g.LISTS),
            g.column("reason", "Reason, 6 h", width=92, link=g.TO_EXPORTER),
            g.column("Value #B", "Failures, 6 h", width=95, decimals=0),
            g.column("Value #A", "Failing for", width=100, unit=g.AGE, decimals=0, steps=[(None, "orange"), (86400, "red")], words={0: ("Never read", "red")}, paint="text"),
        ],
        sort="-Failing for", empty="Every list of every tenant was refreshed when it was due",
    )


WATCHED = customers("watched")
NOT_WATCHED = f"{customers('unwatched')} + {customers('not_consented')}"


def coverage():
    """The customers of the partners in the configuration, of all tenants."""
    states = [
        ("watched", "Watched", "green"),
        ("unwatched", "Not configured", "red"),
        ("not_consented", "Not consented", "orange"),
        ("left", "Left, still watched", "purple"),
        ("excluded", "Excluded", "gray"),
    ]
    return [
        (4, g.stat(
            "Customers watched", "Share of the partners' customers that the exporter watches. Excluded ones and those that left do not count.",
            g.now(f"{WATCHED} / ({WATCHED} + {NOT_WATCHED} > 0)"), unit="percentunit", steps=[(None, "red"), (1, "green")],
            defaults={"decimals": 1, "links": [g.TO_STATUS, g.TO_CUSTOMER_RUNBOOK]}, empty=g.NO_PARTNER,
        )),
        (10, g.lines(
            "Customers by state", "The customers of all partners, by whether the exporter watches them.",
            [g.over_time(customers(state), name) for state, name, _ in states],
            unit="short", style=g.AREAS,
            defaults={"decimals": 0, "min": 0}, maxDataPoints=150, empty=g.no_sample_yet("No partner is configured"),
            overrides=[g.series(name, color=color) for _, name, color in states],
        )),
        (10, g.table(
            "Partner lists", "The refreshes of the list of customers, every six hours unless configured otherwise. After a failure the last list stays.",
            [
                g.rows(of_partner("up")),
                g.rows(f"time() - {of_partner('last_refresh_success_timestamp_seconds')}"),
                g.rows(f"sum by (partner) ({of_partner('customers', by='partner, state')})"),
                g.rows("sum by (partner) (increase(secure_score_partner_refresh_failures_total[1d]))"),
            ],
            [
                g.column("partner", "Partner", width=100),
                g.column("Value #A", "Last refresh", width=105, words={0: ("Failed", "red"), 1: ("Good", "green")}, paint="text", link=g.TO_PARTNER_RUNBOOK),
                g.column("Value #B", "Age of list", width=105, unit=g.AGE, decimals=0, steps=[(None, "green"), (54000, "orange"), (86400, "red")], paint="text"),
                g.column("Value #C", "Customers", width=95),
                g.column("Value #D", "Failures, 1 day", width=120, decimals=0),
            ],
            sort="Partner", empty=g.NO_PARTNER,
        )),
    ]


def missing():
    return g.table(
        "Customers not watched, or gone", "Customers of the partners that the exporter does not watch, and why, and watched ones that left a partner; those excluded last. The name is shown with display_names: plain. 50 at most.",
        [
            g.rows(MISSING),
            g.rows(f"{CUSTOMER_INFO} and on ({CUSTOMER}) {MISSING}"),
        ],
        [
            g.column("partner", "Partner", width=80),
            g.column("display_name", "Name", wrap=True),
            g.column("entra_tenant_id", "Entra id", width=300, link=g.TO_STATUS),
            g.column("tenant", "Tenant", width=105),
            g.column("state", "Why", width=140, words=g.CUSTOMERS, paint="text", link=g.TO_CUSTOMER_RUNBOOK),
        ],
        sort="-Why", empty="None, or no partner is configured",
    )


def ends():
    return g.table(
        "Relationships that end", "Customers whose last relationship with the partner ends within 90 days or has ended, the next 20. Without extension your staff lose their access then.",
        [
            g.rows(f"{MILLISECONDS}{NEXT_ENDS}"),
            g.rows(f"{of_partner('relationship_extends', by=CUSTOMER)} and on ({CUSTOMER}) {NEXT_ENDS}"),
            g.rows(f"{CUSTOMER_INFO} and on ({CUSTOMER}) {NEXT_ENDS}"),
        ],
        [
            g.column("partner", "Partner", width=110),
            g.column("display_name", "Name"),
            g.column("entra_tenant_id", "Entra id", width=320),
            g.column("tenant", "Tenant", width=140),
            g.column("Value #A", "Ends", width=110, unit=g.DATE, link=g.TO_RELATIONSHIP_RUNBOOK),
            g.column("Value #B", "Extends", width=90, words={0: ("No", "red"), 1: ("Yes", "green")}, paint="text"),
        ],
        sort="Ends", empty="None within 90 days, or no partner is configured",
    )
