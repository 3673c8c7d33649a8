// The alerts and dashboards as a Jsonnet mixin, for those who build theirs
// from mixins. Nothing is written twice: these are the files that everybody
// else gets, so import it from a copy of this repository.
//
// Recording rules stay in the groups of the alerts that read them, since those
// are evaluated in order; hence there are no `prometheusRules`.
//
// Needs go-jsonnet 0.18 or later, which has std.parseYaml.
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
