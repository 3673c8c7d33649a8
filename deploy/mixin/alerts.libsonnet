// The alerts, in the groups of the recording rules that they use, because a group is
// evaluated in order.
local shipped = std.parseYaml(importstr 'secure-score.rules.yml');
local shippedSelector = 'job="secure-score"';
local shippedDashboard = '/d/secure-score-';

{
  prometheusAlerts+:: {
    local config = $._config.secureScore,
    local recording(rule) = rule {
      expr: std.strReplace(super.expr, shippedSelector, config.selector),
    },
    local alert(rule) = recording(rule) {
      labels+: { severity: config.severities[super.severity] },
      annotations+: {
        dashboard_url: std.strReplace(super.dashboard_url, shippedDashboard, '/d/' + config.dashboardUidPrefix),
      },
    },

    groups+: [
      group { rules: [if 'alert' in rule then alert(rule) else recording(rule) for rule in super.rules] }
      for group in shipped.groups
    ],
  },
}
