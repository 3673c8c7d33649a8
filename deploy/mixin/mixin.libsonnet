// The alerts and dashboards as a Jsonnet mixin. It imports the files of this
// repository, so use it from a copy of the repository.
//
// There are no `prometheusRules`: recording rules stay in the groups of the alerts
// that use them, because a group is evaluated in order.
//
// Needs go-jsonnet 0.18 or later for std.parseYaml.
{
  prometheusAlerts+:: std.parseYaml(importstr '../../alerts/secure-score.rules.yml'),
  grafanaDashboards+:: {
    'secure-score-control.json': import '../../dashboards/secure-score-control.json',
    'secure-score-exporter.json': import '../../dashboards/secure-score-exporter.json',
    'secure-score-fleet.json': import '../../dashboards/secure-score-fleet.json',
    'secure-score-risks.json': import '../../dashboards/secure-score-risks.json',
    'secure-score-tenant.json': import '../../dashboards/secure-score-tenant.json',
  },
}
