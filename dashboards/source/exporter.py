"""The dashboard of the exporter: refreshes, requests to Graph, and the process."""

from . import grafana as g
from .promql import AT_END, FAILING, FAILING_FOR, each, since_success

OF_PROCESS = 'job=~"$job", instance=~"$instance"'
SELF = f"{{{OF_PROCESS}}}"
OF_BOTH = f'{OF_PROCESS}, tenant=~"$tenant"'
RATE = "[$__rate_interval]"
NO_RATE = "A rate needs two samples: the line begins a few scrapes after the first one."
NOTHING_YET = "or else Prometheus has fewer than two samples in this time range"


def page():
    return g.dashboard(
        "exporter",
        "Exporter",
        "Refreshes, answers of Microsoft Graph, and resources of the exporter.",
        variables=[
            g.choice("job", "job", "secure_score_exporter_build_info, job"),
            g.choice("instance", "instance", 'secure_score_exporter_build_info{job=~"$job"}, instance'),
            g.tenants(),
        ],
        annotations=[g.firing()],
        since="now-24h",
        refresh="1m",
        sections=[
            ("", [(4, headline())]),
            ("Refreshes", [(8, refreshes()), (8, ages()), (7, [(24, trouble())])]),
            ("Microsoft Graph", [(8, graph()), (8, slow())]),
            ("Events", [(7, events())]),
            ("Process", [(8, process()), (6, [(24, replicas())])]),
        ],
    )


def headline():
    return [
        (3, g.stat(
            "Answering", "Share of Prometheus' targets that answer.",
            g.now(f"sum(up{SELF}) / (count(up{SELF}) > 0)"), unit="percentunit", steps=[(None, "red"), (1, "green")],
            defaults={"decimals": 0, "links": [g.TO_DOWN_RUNBOOK]},
        )),
        (3, g.stat(
            "Lists failing", "Lists of tenants whose last refresh failed. Each tenant has two, the catalogue with its states and the scores, and two more where Entra is read.",
            g.now(f"count({FAILING}) or 0 * count({each('up')})"), steps=g.NONE_IS_GOOD,
        )),
        (4, g.stat(
            "Oldest states", "The tenant whose catalogue was refreshed longest ago.",
            g.now(f"topk(1, {states_age()})", "{{tenant}}"), unit=g.AGE, name="value_and_name",
            steps=[(None, "green"), (2700, "orange"), (86400, "red")], defaults={"decimals": 0},
        )),
        (4, g.stat(
            "Next credential expiry", "The tenant whose credential expires first, by its certificate or, for a secret, the configuration.",
            g.now(f"bottomk(1, {each('credential_expiry_timestamp_seconds')} - time())", "{{tenant}}"), unit=g.AGE, name="value_and_name",
            steps=[(None, "red"), (7 * 86400, "orange"), (30 * 86400, "green")], defaults={"decimals": 0}, empty="No expiry known",
        )),
        (3, g.stat(
            "Configuration", "Whether every exporter accepted its configuration at the last reload.",
            g.now(f"min(secure_score_exporter_config_last_reload_successful{SELF})"), steps=[(None, "red"), (1, "green")],
            defaults={"mappings": g.value_map({0: ("Rejected", "red"), 1: ("Good", "green")})},
        )),
        (4, g.stat(
            "Configurations in use", "1 if all replicas agree. Shards differ, and replicas during a rollout.",
            g.now(f"count(count_values by (job) (\"hash\", secure_score_exporter_config_hash{SELF}))"), steps=[(None, "green"), (2, "orange")],
        )),
        (3, g.stat(
            "Tenants", "Tenants watched, each counted once.",
            g.now(f"count(count by (tenant) (secure_score_tenant_info{{{OF_BOTH}}}))"),
        )),
    ]


def states_age():
    return f"max by (tenant) ({since_success(match=PROFILES)})"


PROFILES = 'api="profiles"'


def refreshes():
    good = f"avg by (api) ({each('up', by='tenant, api')})"
    return [
        (12, g.lines(
            "Lists refreshed", "Share of the tenants' lists whose last refresh succeeded.",
            [g.over_time(good, "{{api}}")], unit="percentunit", defaults={"min": 0, "max": 1, "decimals": 0},
        )),
        (12, hourly(
            "Failures by reason", "Failed refreshes per hour. credential, consent and permission need an administrator of the tenant; throttled, timeout and server pass by themselves.",
            [counted("reason", "secure_score_refresh_failures_total", f"{{{OF_BOTH}}}")], empty=f"No refresh failed, {NOTHING_YET}",
        )),
    ]


def hourly(title, description, queries, **more):
    """Whole numbers: what was counted in each hour."""
    return g.lines(
        title, description, queries,
        unit="short", style={**g.BARS, **g.STACKED},
        interval="1h", defaults={"min": 0, "decimals": 0}, **more,
    )


def counted(label, family, match=SELF):
    return g.over_time(f"round(sum by ({label}) (increase({family}{match}[$__interval]))) > 0", f"{{{{{label}}}}}")


def ages():
    worst = f"topk(5, max by (tenant) ({since_success(at=AT_END)}))"
    return [
        (12, g.lines(
            "Age of data", "Time since the last refresh of a list: maximum and median of all tenants. After 24 hours a tenant's data are no longer exported.",
            [
                g.over_time(f"max by (api) ({since_success()}) / 3600", "{{api}}, oldest"),
                g.over_time(f"quantile by (api) (0.5, {since_success()}) / 3600", "{{api}}, median"),
            ],
            unit="suffix:h", style={"axisSoftMax": 1}, defaults={"min": 0},
        )),
        (12, g.lines(
            "Five oldest tenants", "The tenants with the oldest data at the end of the time range.",
            [g.over_time(f"max by (tenant) ({since_success()}) / 3600 and on (tenant) {worst}", "{{tenant}}")],
            unit="suffix:h", style={"fillOpacity": 0, "axisSoftMax": 1}, defaults={"min": 0}, maxDataPoints=150,
        )),
    ]


def trouble():
    return g.table(
        "Failing tenants", "Lists whose last refresh failed, and the reasons of the last six hours.",
        [
            g.rows(FAILING_FOR),
            g.rows(f"sum by (tenant, api, reason) (increase(secure_score_refresh_failures_total{{{OF_BOTH}}}[6h])) > 0 and on (tenant, api) ({FAILING})"),
        ],
        [
            g.column("tenant", "Tenant", width=180, pick=True, link=g.TO_TENANT),
            g.column("api", "List", width=200, words=g.LISTS),
            g.column("reason", "Reason, last 6 hours"),
            g.column("Value #B", "Failures, last 6 hours", width=180, decimals=0),
            g.column("Value #A", "Without success for", width=180, unit=g.AGE, decimals=0, steps=[(None, "orange"), (86400, "red")], words={0: ("Never read", "red")}, paint="text"),
        ],
        sort="-Without success for", empty="Every list of every tenant was refreshed when it was due",
    )


def graph():
    return [
        (8, g.lines(
            "Requests by answer", "Requests to Microsoft Graph a minute, of all exporters; `none` without an answer. Microsoft allows 150 a minute per tenant.",
            [g.over_time(f"60 * sum by (code) (rate(secure_score_graph_requests_total{{{OF_BOTH}}}{RATE}))", "{{code}}")],
            unit="reqpm", style={**g.STACKED, "fillOpacity": 40, "lineWidth": 1}, defaults={"min": 0},
            overrides=[g.series("200", color="green")], empty=NO_RATE,
        )),
        (8, g.lines(
            "Throttled", "Throttled answers of Graph an hour, for the five tenants with most. The exporter waits as asked; if it lasts, another program uses the same limit.",
            [g.over_time(f"topk(5, 3600 * sum by (tenant) (rate(secure_score_graph_throttled_total{{{OF_BOTH}}}{RATE})) > 0)", "{{tenant}}")],
            unit="short", style={**g.BARS, **g.STACKED}, defaults={"min": 0, "decimals": 1}, empty=f"No request was throttled, {NOTHING_YET}",
        )),
        (8, g.lines(
            "Tokens", "Token requests to Entra an hour, and those of them that failed. A token lasts about an hour, so one per tenant and hour is usual.",
            [
                g.over_time(f"3600 * sum(rate(secure_score_token_attempts_total{{{OF_BOTH}}}{RATE}))", "requests"),
                g.over_time(f"3600 * sum(rate(secure_score_token_failures_total{{{OF_BOTH}}}{RATE}))", "failed"),
            ],
            unit="short", defaults={"min": 0, "decimals": 1},
            overrides=[g.series("requests", color="green"), g.series("failed", color="red")], empty=NO_RATE,
        )),
    ]


def slow():
    def quantiles(family):
        bucket = f"sum by (le, api) (rate({family}_bucket{SELF}{RATE}))"
        return [g.over_time(f"histogram_quantile({share}, {bucket})", f"{{{{api}}}}, {name}") for share, name in [(0.5, "median"), (0.95, "95th percentile")]]

    return [
        (12, g.lines(
            "Duration of requests", "Median and 95th percentile of requests to Graph.",
            quantiles("secure_score_exporter_graph_request_duration_seconds"), unit="s", style={"fillOpacity": 0}, defaults={"min": 0}, empty=NO_RATE,
        )),
        (12, g.lines(
            "Duration of refreshes", "The same for whole refreshes, without the wait for a free slot. Scrapes do not wait for them.",
            quantiles("secure_score_exporter_refresh_duration_seconds"), unit="s", style={"fillOpacity": 0}, defaults={"min": 0}, empty=NO_RATE,
        )),
    ]


def events():
    attempts, failures = "secure_score_exporter_webhook_attempts_total", "secure_score_exporter_webhook_failures_total"
    delivered = f"round(sum(increase({attempts}{SELF}[$__interval])) - sum(increase({failures}{SELF}[$__interval]))) > 0"
    return [
        (8, hourly(
            "Events", "How many changes of state and signs of tampering the exporters reported in each hour, or longer step of a long time range; each replica counts its own.",
            [counted("event", "secure_score_exporter_events_total")], empty=f"No event, {NOTHING_YET}",
        )),
        (8, hourly(
            "Webhook", "How many events the webhook accepted, and how many were given up (not accepted, or not sent), in each hour or longer step. The log has those that were given up.",
            [g.over_time(delivered, "delivered"), counted("reason", failures)], empty=f"No delivery, {NOTHING_YET}",
        )),
        (8, g.lines(
            "Waiting for the webhook", "Events that the receiver has not accepted yet. They are retried for three days; with --state.dir they survive a restart.",
            [g.over_time(f"secure_score_exporter_webhook_waiting_events{SELF}", "{{instance}}")],
            unit="short", style={"fillOpacity": 0, "axisSoftMax": 4}, defaults={"min": 0, "decimals": 0},
        )),
    ]


def process():
    plain = {"style": {"fillOpacity": 0}}
    return [
        (6, g.lines(
            "Memory", "Resident memory of each exporter.",
            [g.over_time(f"process_resident_memory_bytes{SELF}", "{{instance}}")], unit="bytes", defaults={"min": 0}, **plain,
        )),
        (6, g.lines(
            "Processor", "Share of one core.",
            [g.over_time(f"rate(process_cpu_seconds_total{SELF}{RATE})", "{{instance}}")], unit="percentunit", defaults={"min": 0}, **plain, empty=NO_RATE,
        )),
        (6, g.lines(
            "Samples in a scrape", "Series per exporter; mostly controls times tenants.",
            [g.over_time(f"scrape_samples_scraped{SELF}", "{{instance}}")], unit="short", defaults={"min": 0}, **plain,
        )),
        (6, g.lines(
            "Duration of scrapes", "The duration of Prometheus' scrapes.",
            [g.over_time(f"scrape_duration_seconds{SELF}", "{{instance}}")], unit="s", defaults={"min": 0}, **plain,
        )),
    ]


def replicas():
    return g.table(
        "Replicas and shards", "Every exporter: its shard, version, uptime and open files.",
        [
            g.rows(f"max by (instance) (up{SELF})"),
            g.rows(f"max by (instance) (secure_score_exporter_shard{SELF})"),
            g.rows(f"max by (instance) (secure_score_exporter_total_shards{SELF})"),
            g.rows(f"max by (instance) (secure_score_exporter_tenants{SELF})"),
            g.rows(f"time() - max by (instance) (process_start_time_seconds{SELF})"),
            g.rows(f"max by (instance, version, revision) (secure_score_exporter_build_info{SELF})"),
            g.rows(f"max by (instance) (process_open_fds{SELF})"),
            g.rows(f"sum by (instance) (increase(secure_score_exporter_state_write_failures_total{SELF}[1d]))"),
        ],
        [
            g.column("instance", "Exporter", pick=True),
            g.column("Value #A", "Answers", width=100, words={0: ("No", "red"), 1: ("Yes", "green")}, paint="text"),
            g.column("Value #B", "Shard", width=90, unit="none", decimals=0),
            g.column("Value #C", "Of", width=80, unit="none", decimals=0),
            g.column("Value #D", "Tenants", width=100, unit="none", decimals=0),
            g.column("version", "Version", width=120),
            g.column("revision", "Revision", width=130),
            g.column("Value #E", "Uptime", width=130, unit=g.AGE, decimals=0),
            g.column("Value #G", "Open files", width=120, unit="none", decimals=0),
            g.column("Value #H", "Failed state writes, 1 day", width=190, unit="none", decimals=0, steps=[(None, "green"), (1, "orange")], paint="text"),
        ],
        sort="Exporter", empty="Prometheus has scraped no exporter of this job yet",
    )
