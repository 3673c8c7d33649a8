"""Expressions that several dashboards share.

Every series is first aggregated to its subject, `max by (tenant, …)`, so that
two exporters of the same tenants, or a Prometheus pair behind one querier,
show each tenant once.
"""

OF_TENANT = 'tenant=~"$tenant"'
CONTROL = "tenant, control, category"
MILLISECONDS = "1000 * "


def each(family, by="tenant", match="", at=""):
    """One series per tenant, or per `by`."""
    return f"max by ({by}) ({of_tenant(family, match, at)})"


def reported(family, by="tenant", match="", at=""):
    """As `each`, but of the replicas with the tenant's newest report: the score of
    one report and the maximum of another make no ratio and no difference. All
    replicas count if the reports have no day."""
    value, day = of_tenant(family, match, at), of_tenant("report_timestamp_seconds", at=at)
    newest = f"({day} == on (tenant) group_left () max by (tenant) ({day}))"
    return f"max by ({by}) ({value} and on (job, instance, tenant) {newest} or {value} unless on (tenant) {day})"


# The end of the time range, by which graphs choose their series. Where nothing was
# scraped just then, the newest sample of the day before counts; the lines themselves
# look back no further than Prometheus does, so that a tenant that vanished ends.
AT_END = "@ end()"


def of_tenant(family, match="", at=""):
    match = f"{OF_TENANT}, {match}" if match else OF_TENANT
    series = f"secure_score_{family}{{{match}}}"
    if at == AT_END:
        return f"last_over_time({series}[1d] {at})"
    return f"{series} {at}" if at else series


def ratio(score="tenant_score", at="", match=""):
    """The score, or a projected one, as a share of the maximum."""
    return f"{reported(score, match=match, at=at)} / ({reported('tenant_max_score', match=match, at=at)} > 0)"


def in_state(states, by=CONTROL, at="", match=""):
    """The controls in a state. Only the current state has a series, so this reads
    a few hundred series; the flag of every control would be a few hundred per
    tenant."""
    op = "=~" if "|" in states else "="
    match = f'state{op}"{states}", {match}' if match else f'state{op}"{states}"'
    return each("control_state", by=by, match=match, at=at)


def last_day(until):
    """The last day of an approval, as the pages show it: a time in it, as its end is
    exclusive."""
    return f"{MILLISECONDS}({until} - 1)"


ACCEPTED = in_state("risk_accepted")
# Whether their risk is accepted is unknown.
UNREADABLE = in_state("unknown")
# The end of the last day, exclusive.
APPROVED_UNTIL = each("control_risk_approved_until_timestamp_seconds", by=CONTROL)
APPROVED = f"{ACCEPTED} and on (tenant, control) ({APPROVED_UNTIL} > time())"
UNAPPROVED = f"{ACCEPTED} unless on (tenant, control) ({APPROVED_UNTIL} > time())"
# Without a decision, of the watch list.
UNAPPROVED_WATCHED = f"{UNAPPROVED} and on (tenant, control) {each('control_watched', by=CONTROL)}"
EXPIRED = f"{ACCEPTED} and on (tenant, control) ({APPROVED_UNTIL} <= time())"
LAST_ACCEPTED = each("control_risk_last_accepted_timestamp_seconds", by=CONTROL)
APPROVED_LAST_DAY = last_day(APPROVED_UNTIL)
DAYS_LEFT = f"({APPROVED_UNTIL} - time()) / 86400"
ENDING = f"{ACCEPTED} and on (tenant, control) ({DAYS_LEFT} > 0 < 30)"

# Tenants with a catalogue. Without one the number of acceptances is unknown, not
# zero.
KNOWN = each("catalogue_controls", match='scored="false"')


def number(of, by=""):
    """The count; 0 only for tenants with a catalogue."""
    by = f" by ({by})" if by else ""
    return f"count{by} ({of}) or 0 * count{by} ({KNOWN})"


# Declared as solved by another product or by other means.
CLAIMS = "third_party|alternate_mitigation"
CLAIMED = in_state(CLAIMS, by=f"{CONTROL}, state")
CLAIM_UNTIL = each("control_claim_approved_until_timestamp_seconds", by=CONTROL)
# Whether the person who declared it is its only approver: 1 or 0.
SELF_APPROVED = each("control_self_approved", by=CONTROL)


def claim_verdict(until, claimed):
    """Of a claim: 4 ended, 2 approved, 1 without a decision."""
    return f"4 * ({until} <= bool time()) + 2 * ({until} > bool time()) or {claimed}"


# Entra's recommendations, of tenants that let the exporter read them.
RECOMMENDATION = "tenant, recommendation"


def in_status(statuses, by=RECOMMENDATION, at="", match=""):
    """The recommendations in a status."""
    op = "=~" if "|" in statuses else "="
    match = f'status{op}"{statuses}", {match}' if match else f'status{op}"{statuses}"'
    return each("recommendation_status", by=by, match=match, at=at)


SET_ASIDE = in_status("risk_accepted|dismissed|postponed")
ASIDE_UNTIL = each("recommendation_approved_until_timestamp_seconds", by=RECOMMENDATION)
ASIDE_APPROVED = f"{SET_ASIDE} and on (tenant, recommendation) ({ASIDE_UNTIL} > time())"
ASIDE_UNAPPROVED = f"{SET_ASIDE} unless on (tenant, recommendation) ({ASIDE_UNTIL} > time())"
ASIDE_EXPIRED = f"{SET_ASIDE} and on (tenant, recommendation) ({ASIDE_UNTIL} <= time())"
ASIDE_ENDING = f"{SET_ASIDE} and on (tenant, recommendation) (({ASIDE_UNTIL} - time()) / 86400 > 0 < 30)"
STATUS_CHANGED = each("recommendation_status_changed_timestamp_seconds", by=RECOMMENDATION)
DISAGREEING = f"{each('recommendation_disagrees', by='tenant, recommendation')} == 1"
RECOMMENDATION_TITLE = each("recommendation_info", by="tenant, recommendation, control, title")

# Tenants with a list.
LISTED = each("unknown_values", match='api="recommendations", field="status"')


def of_entra(of):
    """The count; 0 only for tenants with a list."""
    return f"count({of}) or 0 * count({LISTED})"


TITLE = each("control_info", by=f"{CONTROL}, title")

# The variable holds the controls with a declared state, a few dozen. Without it
# the titles of a thousand tenants are a quarter of a million series.
DECLARED_ON = 'control=~"$declared"'
TITLE_OF_DECLARED = each("control_info", by=f"{CONTROL}, title", match=DECLARED_ON)
# Customers of partners. Most have no tenant, so the choice of tenants does not
# apply to them.
CUSTOMER = "partner, entra_tenant_id"


def of_partner(family, by="partner", match=""):
    """One series per partner, or per `by`."""
    match = f"{{{match}}}" if match else ""
    return f"max by ({by}) (secure_score_partner_{family}{match})"


def customers_in(states, by=CUSTOMER):
    """One series per customer in one of the states."""
    op = "=~" if "|" in states else "="
    return of_partner("customer_state", by=by, match=f'state{op}"{states}"')


def counted(state):
    """The number of customers in a state, over all partners, as the exporters count them."""
    match = f'state="{state}"'
    return f"sum({of_partner('customers', by='partner, state', match=match)})"


# With shards, the one that exports the partner counts the customers of the others
# as watched, and each shard knows which of its own lack consent.
ELSEWHERE = f"{of_partner('customer_consent_missing', by=CUSTOMER)} == 1 and {customers_in('watched')}"


def customers(state):
    """The number of customers in a state, over all partners and shards."""
    if state == "watched":
        return f"({counted(state)} - (count({ELSEWHERE}) or 0 * {counted(state)}))"
    if state == "not_consented":
        return f"(count({customers_in(state)} or {ELSEWHERE}) or {counted(state)})"
    return counted(state)


# Those that need attention before those that were excluded.
BY_STATE = f"{CUSTOMER}, state"
LACKS_CONSENT = f'label_replace({ELSEWHERE}, "state", "not_consented", "", "")'
ATTENTION = f"({customers_in('unwatched|not_consented|left', by=BY_STATE)} or {LACKS_CONSENT})"
MISSING = f"topk(50, 2 * {ATTENTION} or {customers_in('excluded', by=BY_STATE)})"
CUSTOMER_INFO = of_partner("customer_info", by=f"{CUSTOMER}, display_name, tenant")
RELATIONSHIP_END = of_partner("relationship_end_timestamp_seconds", by=CUSTOMER)
NEXT_ENDS = f"bottomk(20, {RELATIONSHIP_END} < time() + 90 * 86400)"

FAILING = each("up", by="tenant, api") + " == 0"


def since_success(match="", at=""):
    """Seconds since the last successful refresh of a list."""
    return f"time() - {each('last_refresh_success_timestamp_seconds', by='tenant, api', match=match, at=at)}"


# Of lists that fail; 0 of one that was never refreshed.
FAILING_FOR = f"topk(50, (({since_success()}) or 0 * {each('up', by='tenant, api')}) and on (tenant, api) ({FAILING}))"
