"""The parts of a dashboard in Grafana's JSON.

A panel is a dict as Grafana imports it. A page is a list of sections; a section
is a title and bands; a band is a height and panels with widths out of 24. The
order determines positions and ids.
"""

import re

TAG = "secure-score"
DATASOURCE = {"type": "prometheus", "uid": "$datasource"}
PORTAL = "https://security.microsoft.com/securescore"

# Ratios of the score are red below one half and green from 80 % on, a common
# target.
RATIO = [(None, "red"), (0.5, "orange"), (0.8, "green")]
NONE_IS_GOOD = [(None, "green"), (1, "red")]
FEW_ARE_GOOD = [(None, "green"), (1, "orange")]
FAINT = "rgba(128, 128, 128, 0.15)"
PLAIN = [(None, "text")]

STATES = {
    "to_address": ("To address", "text"),
    "planned": ("Planned", "blue"),
    "risk_accepted": ("Risk accepted", "red"),
    "third_party": ("Third party", "purple"),
    "alternate_mitigation": ("Alternate mitigation", "purple"),
    "unknown": ("Unknown", "yellow"),
}

# Of recommendations of Entra.
STATUSES = {
    "active": ("Active", "text"),
    "needs_more_action": ("Needs more action", "text"),
    "completed_by_system": ("Completed", "green"),
    "completed_by_user": ("Done by a person", "purple"),
    "planned": ("Planned", "blue"),
    "postponed": ("Postponed", "orange"),
    "dismissed": ("Dismissed", "red"),
    "risk_accepted": ("Risk accepted", "red"),
    "third_party": ("Third party", "purple"),
    "alternate_mitigation": ("Alternate mitigation", "purple"),
    "unknown": ("Unknown", "yellow"),
}

# Of customers of a partner.
CUSTOMERS = {
    "unwatched": ("Not configured", "red"),
    "not_consented": ("Not consented", "orange"),
    "left": ("Left, still watched", "purple"),
    "excluded": ("Excluded", "text"),
}

LISTS = {
    "profiles": ("Catalogue and states", "text"),
    "scores": ("Scores", "text"),
    "recommendations": ("Recommendations", "text"),
    "identity_scores": ("Identity Secure Score", "text"),
}

# What a panel says where it has no data. A number has room for a few words, a
# graph or a table for a sentence.
NOT_READ = "Entra is not read"
NOT_READ_SENTENCE = "No tenant shown grants DirectoryRecommendations.Read.All, so Entra's recommendations are not read"
NO_TENANT = "No tenant read yet"
NO_PARTNER = "No partner configured"
NO_SAMPLE = "Prometheus has no sample of this in the time range yet: a graph begins within hours of the first scrape"
BACKFILL = "; backfill writes the past."


def no_sample_yet(otherwise="", past=False):
    """What a graph says without data: `otherwise` is a cause other than too few samples,
    `past` whether backfill writes earlier ones."""
    sentence = NO_SAMPLE + (BACKFILL if past else ".")
    return f"{otherwise}, or {sentence}" if otherwise else sentence


def thresholds(steps):
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in steps]}


def value_map(values):
    """Maps values to texts: {value: (text, color)}."""
    options = {
        str(value): {"index": index, "text": text, "color": color}
        for index, (value, (text, color)) in enumerate(values.items())
    }
    return [{"type": "value", "options": options}]


def missing(text, color="text", index=0):
    """Maps the missing value to a text without the colour of a threshold."""
    return [{"type": "special", "options": {"match": "null", "result": {"index": index, "text": text, "color": color}}}]


# Queries


def over_time(expr, legend, **more):
    return {"expr": expr, "legendFormat": legend, "range": True, "instant": False, **more}


def now(expr, legend="__auto", **more):
    return {"expr": expr, "legendFormat": legend, "range": False, "instant": True, **more}


def rows(expr, **more):
    return {"expr": expr, "format": "table", "range": False, "instant": True, **more}


DATE = "time:YYYY-MM-DD"
MOMENT = "time:YYYY-MM-DD HH:mm"
AGE = "dtdurations"


def lettered(queries):
    """Queries with their reference letters."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [
        {"refId": letter, "datasource": DATASOURCE, "editorMode": "code", **query}
        for letter, query in zip(letters, queries)
    ]


# Panels


def panel(kind, title, description, queries, *, unit, empty, steps=PLAIN, defaults=None, overrides=(), options=None, **more):
    field = {
        "unit": unit,
        "noValue": empty,
        "thresholds": thresholds(steps),
        "color": {"mode": "thresholds"},
        **(defaults or {}),
    }
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": lettered(queries),
        "fieldConfig": {"defaults": field, "overrides": list(overrides)},
        "options": options or {},
        **more,
    }


def stat(title, description, query, *, unit="none", name="value", **more):
    """One number; `name` is value_and_name to name it too."""
    return stats(title, description, [query], unit=unit, name=name, **more)


def stats(title, description, queries, *, unit="none", name="value_and_name", empty=NO_TENANT, defaults=None, **more):
    """Numbers beside each other."""
    defaults = defaults or {}
    words = defaults.get("mappings", [])
    defaults = {**defaults, "mappings": [*words, *missing(empty, index=len(words))]}
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": name,
    }
    return panel("stat", title, description, queries, unit=unit, empty=empty, defaults=defaults, options=options, **more)


# Styles of graphs: series on top of each other, bars, and areas of numbers that
# change in steps.
STACKED = {"stacking": {"mode": "normal", "group": "A"}}
BARS = {"drawStyle": "bars", "fillOpacity": 70, "lineWidth": 0}
AREAS = {**STACKED, "fillOpacity": 60, "lineWidth": 1, "lineInterpolation": "stepAfter"}


def lines(title, description, queries, *, unit, style=None, legend="bottom", calcs=(), empty=no_sample_yet(), **more):
    custom = {
        "drawStyle": "line",
        "lineWidth": 2,
        "fillOpacity": 8,
        # A line of one sample is invisible; points are drawn where there are few.
        "showPoints": "auto",
        "spanNulls": False,
        **(style or {}),
    }
    # The score changes once a day; a point per pixel would waste queries.
    more.setdefault("maxDataPoints", 300)
    defaults = {"color": {"mode": "palette-classic"}, "custom": custom, **more.pop("defaults", {})}
    options = {
        "legend": {"showLegend": True, "displayMode": "table" if legend == "right" else "list", "placement": legend, "calcs": list(calcs)},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel("timeseries", title, description, queries, unit=unit, empty=empty, defaults=defaults, options=options, **more)


def timeline(title, description, query, values, *, empty, **more):
    options = {
        "mergeValues": True,
        "showValue": "never",
        "alignValue": "left",
        "rowHeight": 0.8,
        "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    defaults = {"mappings": value_map(values), "custom": {"fillOpacity": 80, "lineWidth": 0}}
    return panel("state-timeline", title, description, [query], unit="none", empty=empty, defaults=defaults, options=options, **more)


def labels(queries):
    """The labels of the results, from the aggregations in the expressions."""
    lists = re.findall(r"\bby \(([^)]*)\)", " ".join(query["expr"] for query in queries))
    return sorted({label.strip() for names in lists for label in names.split(",")})


def table(title, description, queries, columns, *, sort, empty, **more):
    """One row per combination of common labels, such as tenant and control.

    Shows only the given columns, in their order.
    """
    values = [f"Value #{chr(ord('A') + index)}" if len(queries) > 1 else "Value" for index in range(len(queries))]
    shown = [column["field"] for column in columns]
    arrange = {
        "excludeByName": {name: True for name in ["Time", *values, *labels(queries)] if name not in shown},
        "indexByName": {name: index for index, name in enumerate(shown)},
        "renameByName": {column["field"]: column["name"] for column in columns},
    }
    options = {"showHeader": True, "cellHeight": "sm", "sortBy": [{"displayName": sort.lstrip("-"), "desc": sort.startswith("-")}]}
    defaults = {"custom": {"align": "auto", "filterable": False, "inspect": False}}
    return panel(
        "table",
        title,
        description,
        queries,
        unit="none",
        empty=empty,
        defaults=defaults,
        overrides=[override(column) for column in columns],
        options=options,
        transformations=[{"id": "merge", "options": {}}, {"id": "organize", "options": arrange}],
        **more,
    )


def matrix(title, description, query, *, row, header, names, values, first, empty):
    """A row per value of one label and a column per value of another. Both are in
    the order of the query's result. `names` shortens headers, `first` is the width
    of the first column."""
    corner = f"{row}\\{header}"
    arrange = {"renameByName": {corner: row.capitalize(), **names}, "indexByName": {}, "excludeByName": {}}
    to_row = column(row, row.capitalize(), width=first, link=TO_TENANT, pick=True)
    return panel(
        "table",
        title,
        description,
        [query],
        unit="none",
        empty=empty,
        defaults={
            "custom": {"align": "center", "filterable": True, "inspect": False, "cellOptions": {"type": "color-background", "mode": "basic"}},
            "mappings": [*value_map(values), *missing("–", FAINT, len(values))],
        },
        overrides=[{**override(to_row), "properties": [*to_row["properties"], {"id": "custom.cellOptions", "value": {"type": "auto"}}, {"id": "custom.align", "value": "left"}]}],
        options={"showHeader": True, "cellHeight": "sm"},
        transformations=[
            {"id": "groupingToMatrix", "options": {"rowField": row, "columnField": header, "valueField": "Value", "emptyValue": "null"}},
            {"id": "organize", "options": arrange},
        ],
    )


def column(field, name, *, width=None, unit=None, decimals=None, steps=None, paint=None, words=None, link=None, gauge=False, empty="–", pick=False, says=None, wrap=False):
    """A column of a table; `paint` is text or background, `pick` enables a filter,
    `says` replaces the value, `wrap` continues a long text in the next line."""
    properties = []

    def add(key, value):
        properties.append({"id": key, "value": value})

    if width:
        add("custom.width", width)
    if unit:
        add("unit", unit)
    if decimals is not None:
        add("decimals", decimals)
    if steps:
        add("thresholds", thresholds(steps))
    if words:
        add("mappings", value_map(words))
    if says:
        add("mappings", [{"type": "regex", "options": {"pattern": ".+", "result": {"index": 0, "text": says}}}])
    if pick:
        add("custom.filterable", True)
    if wrap:
        # Grafana 12.3 and later have the setting beside the cell's options, earlier
        # ones within them; each ignores the other.
        add("custom.wrapText", True)
        add("custom.cellOptions", {"type": "auto", "wrapText": True})
    if steps or words:
        add("color", {"mode": "thresholds"})
    if paint:
        cell = {"type": f"color-{paint}"}
        add("custom.cellOptions", {**cell, "mode": "basic"} if paint == "background" else cell)
    if gauge:
        add("custom.cellOptions", {"type": "gauge", "mode": "basic", "valueDisplayMode": "color"})
        add("min", 0)
        add("max", 1)
    add("noValue", empty)
    if link:
        add("links", [link])
    return {"field": field, "name": name, "properties": properties}


def override(column):
    return {"matcher": {"id": "byName", "options": column["name"]}, "properties": column["properties"]}


def series(name, *, color=None, dashed=False, fill=None, width=None, **custom):
    """The style of one line of a graph."""
    properties = []
    if color:
        properties.append({"id": "color", "value": {"mode": "fixed", "fixedColor": color}})
    if dashed:
        custom["lineStyle"] = {"fill": "dash", "dash": [8, 6]}
    if fill is not None:
        custom["fillOpacity"] = fill
    if width is not None:
        custom["lineWidth"] = width
    properties += [{"id": f"custom.{key}", "value": value} for key, value in custom.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


# The number of recommendations in each status. A table, because a bar gauge cuts the
# longest names.
STATUS_COLUMNS = [
    column("status", "Status", words=STATUSES, paint="text"),
    column("Value", "Recommendations", width=160),
]


# Links


def to_dashboard(page, title, variables):
    """A link to another dashboard, with data source and time range."""
    given = "".join(f"&var-{name}={value}" for name, value in variables.items())
    return {"title": title, "url": f"/d/secure-score-{page}?${{datasource:queryparam}}&${{__url_time_range}}{given}"}


def to_web(title, url):
    return {"title": title, "url": url, "targetBlank": True}


TO_TENANT = to_dashboard("tenant", "Tenant", {"tenant": "${__value.raw:percentencode}"})
TO_CONTROL = to_dashboard("control", "This control on all tenants", {"control": "${__value.raw:percentencode}"})
TO_RISKS = to_dashboard("risks", "Accepted risks", {"tenant": "$__all"})
TO_EXPORTER = to_dashboard("exporter", "Exporter", {})
TO_REGISTER = to_web("Register on the exporter, with names", "${exporter}/acceptances")
TO_RUNBOOK = to_web("What to do", "${exporter}/runbooks/SecureScoreRiskAccepted")
TO_ASIDE_RUNBOOK = to_web("What to do", "${exporter}/runbooks/SecureScoreRecommendationSetAside")
TO_DISAGREES_RUNBOOK = to_web("What to do", "${exporter}/runbooks/SecureScoreRecommendationDisagrees")
TO_DOWN_RUNBOOK = to_web("What to do", "${exporter}/runbooks/SecureScoreExporterDown")
TO_CUSTOMER_RUNBOOK = to_web("What to do", "${exporter}/runbooks/SecureScoreCustomerUnwatched")
TO_RELATIONSHIP_RUNBOOK = to_web("What to do", "${exporter}/runbooks/SecureScoreRelationshipEnding")
TO_PARTNER_RUNBOOK = to_web("What to do", "${exporter}/runbooks/SecureScorePartnerRefreshFailing")
TO_STATUS = to_web("Status page of the exporter, with the consent links", "${exporter}/")
TO_ENTRA = to_web("Recommendations in the Entra admin center", "https://entra.microsoft.com")
TO_PORTAL = to_web("Recommended actions in the Defender portal", f"{PORTAL}?viewid=actions")


# Variables


def data_source():
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0, "multi": False, "includeAll": False, "refresh": 1, "regex": "", "options": []}


def choice(name, label, values, *, many=True, everything=True, hide=0, first=None):
    """A variable from label_values, with multiple values if `many`, and then with All
    as the initial value unless `everything` is off. `first` is the initial value."""
    query = {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": f"label_values({values})",
        "query": {"query": f"label_values({values})", "refId": f"variable-{name}"},
        "refresh": 2,
        "sort": 1,
        "regex": "",
        "hide": hide,
        "multi": many,
        "includeAll": many and everything,
        "options": [],
    }
    if many and everything:
        query["allValue"] = ".+"
        query["current"] = {"text": ["All"], "value": ["$__all"]}
    if first:
        query["current"] = {"text": first, "value": first}
    return query


def tenants(everything=True):
    return choice("tenant", "Tenant", "secure_score_tenant_info, tenant", everything=everything)


def controls(name, label, family):
    """A hidden list of controls, to which queries restrict themselves. Its All is the
    list itself."""
    variable = choice(name, label, f'secure_score_{family}{{tenant=~"$tenant"}}, control', hide=2)
    del variable["allValue"]
    return {**variable, "skipUrlSync": True}


def declared():
    return controls("declared", "Controls with a history", "control_state_updated_timestamp_seconds")


def watched():
    return controls("watched", "Watched controls", "control_watched")


def places():
    """The hidden variables: the address of the exporter's pages."""
    return [choice("exporter", "Exporter", "secure_score_exporter_external_url_info, url", many=False, hide=2)]


# Annotations


def annotation(name, expr, color, title, text, *, enable=True, **more):
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": enable,
        "hide": False,
        "iconColor": color,
        "expr": expr,
        "step": "1h",
        "titleFormat": title,
        "textFormat": text,
        "tagKeys": "tenant",
        **more,
    }


def firing():
    """Firing alerts. ExporterDown has no tenant, hence the empty match."""
    return annotation(
        "Firing alerts",
        'max by (alertname, severity, tenant, control, recommendation) (ALERTS{alertname=~"SecureScore.+", alertstate="firing", tenant=~"$tenant|"})',
        "red",
        "{{alertname}}",
        "{{severity}} {{tenant}} {{control}}{{recommendation}}",
    )


def acceptances(match='tenant=~"$tenant"'):
    """Marks the times of accepted risks, which are the values.

    Always of 90 days, because not every version of Grafana expands its own
    variables in annotations.
    """
    return annotation(
        "Risk accepted",
        f"max by (tenant, control) (secure_score_control_risk_last_accepted_timestamp_seconds{{{match}}} > time() - 90 * 86400) * 1000",
        "orange",
        "Risk accepted",
        "{{tenant}}: {{control}}",
        useValueForTime=True,
    )


def set_aside():
    """Marks the times at which recommendations were set aside."""
    changed = 'secure_score_recommendation_status_changed_timestamp_seconds{tenant=~"$tenant"} > time() - 90 * 86400'
    aside = 'max by (tenant, recommendation) (secure_score_recommendation_set_aside{tenant=~"$tenant"}) == 1'
    return annotation(
        "Set aside in Entra",
        f"(max by (tenant, recommendation) ({changed}) and on (tenant, recommendation) {aside}) * 1000",
        "purple",
        "Set aside in Entra",
        "{{tenant}}: {{recommendation}}",
        useValueForTime=True,
    )


# The whole


def dashboard(page, title, description, *, variables, annotations, sections, since="now-30d", refresh="5m", repeat=None):
    """A page; `repeat` names the variable of which every value has the sections."""
    return {
        "uid": f"secure-score-{page}",
        "title": f"Secure Score / {title}",
        "description": description,
        "tags": [TAG],
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": 39,
        "version": 1,
        "weekStart": "",
        # Days and approvals are those of UTC, as on the exporter's pages.
        "timezone": "utc",
        "time": {"from": since, "to": "now"},
        "timepicker": {},
        "refresh": refresh,
        "fiscalYearStartMonth": 0,
        "annotations": {"list": annotations},
        "templating": {"list": [data_source(), *variables, *places()]},
        "links": links(),
        "panels": placed(sections, repeat),
    }


PAGES = {"fleet": "Fleet", "tenant": "Tenant", "risks": "Accepted risks", "control": "Control", "exporter": "Exporter"}


def links():
    plain = {"asDropdown": False, "icon": "dashboard", "includeVars": True, "keepTime": True, "tags": [], "targetBlank": False, "tooltip": "With the same time range and variables", "type": "link", "url": ""}
    # Tenant repeats itself for every chosen tenant, so it does not inherit All.
    alone = {"url": "/d/secure-score-tenant?${datasource:queryparam}", "includeVars": False, "tooltip": "Opens on the first tenant, with the same time range"}
    outside = {**plain, "icon": "external link", "includeVars": False, "keepTime": False, "targetBlank": True}
    return [
        *({**plain, "title": title, "url": f"/d/secure-score-{page}", **(alone if page == "tenant" else {})} for page, title in PAGES.items()),
        {**outside, "title": "Register", "url": "${exporter}/acceptances", "tooltip": "Who accepted which risk and why, on the exporter's page"},
        {**outside, "title": "Defender portal", "url": f"{PORTAL}?viewid=actions", "tooltip": "Recommended actions, where a state is changed"},
        {**outside, "title": "Runbook", "icon": "doc", "url": "${exporter}/runbooks/SecureScoreRiskAccepted", "tooltip": "What to do about an accepted risk"},
    ]


def placed(sections, repeat):
    panels, y = [], 0
    again = {"repeat": repeat, "repeatDirection": "h"} if repeat else {}

    def add(panel, x, width, height):
        panels.append({"id": len(panels) + 1, "gridPos": {"x": x, "y": y, "w": width, "h": height}, **panel})

    for title, bands in sections:
        if title:
            add({"type": "row", "title": title, "collapsed": False, "panels": [], **again}, 0, 24, 1)
            y += 1
        for height, band in bands:
            x = 0
            for width, content in band:
                add(content, x, width, height)
                x += width
            y += height
    return panels
