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
    "completed_by_user": ("Completed by a person", "purple"),
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

# What panels say of tenants whose recommendations the exporter does not read.
NOT_READ = "Not read: no DirectoryRecommendations.Read.All"


def thresholds(steps):
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in steps]}


def value_map(values):
    """Maps values to texts: {value: (text, color)}."""
    options = {
        str(value): {"index": index, "text": text, "color": color}
        for index, (value, (text, color)) in enumerate(values.items())
    }
    return [{"type": "value", "options": options}]


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


def panel(kind, title, description, queries, *, unit, empty="No data", steps=PLAIN, defaults=None, overrides=(), options=None, **more):
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
    """One number; `name` is value_and_name, or auto to name several values only."""
    return stats(title, description, [query], unit=unit, name=name, **more)


def stats(title, description, queries, *, unit="none", name="value_and_name", **more):
    """Numbers beside each other."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": name,
    }
    return panel("stat", title, description, queries, unit=unit, options=options, **more)


def bars(title, description, query, *, unit, **more):
    """One bar per series; `names` replaces the series' names."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "displayMode": "basic",
        "orientation": "horizontal",
        "showUnfilled": True,
        "valueMode": "color",
        "namePlacement": "left",
        "sizing": "auto",
        "minVizHeight": 14,
        "minVizWidth": 8,
        "maxVizHeight": 26,
        "text": {"titleSize": 14, "valueSize": 18},
    }
    # Instant vectors are unordered.
    order = [
        *({"id": "renameByRegex", "options": {"regex": f"^{name}$", "renamePattern": text}} for name, text in more.pop("names", {}).items()),
        {"id": "reduce", "options": {"mode": "seriesToRows", "reducers": ["lastNotNull"]}},
        {"id": "sortBy", "options": {"sort": [{"field": "Last *", "desc": more.pop("descending", False)}]}},
    ]
    options["reduceOptions"] = {"calcs": [], "fields": "", "values": True}
    return panel("bargauge", title, description, [query], unit=unit, options=options, transformations=order, **more)


def lines(title, description, queries, *, unit, style=None, legend="bottom", calcs=(), **more):
    custom = {
        "drawStyle": "line",
        "lineWidth": 2,
        "fillOpacity": 8,
        "showPoints": "never",
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
    return panel("timeseries", title, description, queries, unit=unit, defaults=defaults, options=options, **more)


def timeline(title, description, query, values, **more):
    options = {
        "mergeValues": True,
        "showValue": "never",
        "alignValue": "left",
        "rowHeight": 0.8,
        "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    defaults = {"mappings": value_map(values), "custom": {"fillOpacity": 80, "lineWidth": 0}}
    return panel("state-timeline", title, description, [query], unit="none", defaults=defaults, options=options, **more)


def labels(queries):
    """The labels of the results, from the aggregations in the expressions."""
    lists = re.findall(r"\bby \(([^)]*)\)", " ".join(query["expr"] for query in queries))
    return sorted({label.strip() for names in lists for label in names.split(",")})


def table(title, description, queries, columns, *, sort, **more):
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
        defaults=defaults,
        overrides=[override(column) for column in columns],
        options=options,
        transformations=[{"id": "merge", "options": {}}, {"id": "organize", "options": arrange}],
        **more,
    )


def column(field, name, *, width=None, unit=None, decimals=None, steps=None, paint=None, words=None, link=None, gauge=False, empty="–", pick=False, says=None):
    """A column of a table; `paint` is text or background, `pick` enables a filter,
    `says` replaces the value."""
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


def choice(name, label, values, *, many=True, hide=0, first=None):
    """A variable from label_values, with multiple values and All if `many`. `first`
    is the initial value."""
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
        "includeAll": many,
        "options": [],
    }
    if many:
        query["allValue"] = ".+"
        query["current"] = {"text": ["All"], "value": ["$__all"]}
    if first:
        query["current"] = {"text": first, "value": first}
    return query


def tenants():
    return choice("tenant", "Tenant", "secure_score_tenant_info, tenant")


def declared():
    """Controls with a history, to which queries restrict themselves. Its All is the
    list itself."""
    values = 'secure_score_control_state_updated_timestamp_seconds{tenant=~"$tenant"}, control'
    variable = choice("declared", "Controls with a history", values, hide=2)
    del variable["allValue"]
    return {**variable, "skipUrlSync": True}


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


def dashboard(page, title, description, *, variables, annotations, sections, since="now-30d", refresh="5m"):
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
        "panels": placed(sections),
    }


def links():
    empty = {"asDropdown": False, "icon": "external link", "includeVars": False, "keepTime": False, "tags": [], "targetBlank": True, "tooltip": "", "type": "link", "url": ""}
    return [
        {**empty, "title": "Secure Score", "type": "dashboards", "icon": "dashboard", "tags": [TAG], "includeVars": True, "keepTime": True, "targetBlank": False, "tooltip": "The other dashboards, with the same time range and variables"},
        {**empty, "title": "Register", "url": "${exporter}/acceptances", "tooltip": "Who accepted which risk and why, on the exporter's page"},
        {**empty, "title": "Defender portal", "url": f"{PORTAL}?viewid=actions", "tooltip": "Recommended actions, where a state is changed"},
        {**empty, "title": "Runbook", "icon": "doc", "url": "${exporter}/runbooks/SecureScoreRiskAccepted", "tooltip": "What to do about an accepted risk"},
    ]


def placed(sections):
    panels, y = [], 0

    def add(panel, x, width, height):
        panels.append({"id": len(panels) + 1, "gridPos": {"x": x, "y": y, "w": width, "h": height}, **panel})

    for title, bands in sections:
        if title:
            add({"type": "row", "title": title, "collapsed": False, "panels": []}, 0, 24, 1)
            y += 1
        for height, band in bands:
            x = 0
            for width, content in band:
                add(content, x, width, height)
                x += width
            y += height
    return panels
