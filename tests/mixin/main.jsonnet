// A project that has installed the mixin and changes each setting: nothing shipped may
// be left in its place. tests/interop evaluates it.
local shipped = import 'mixin/mixin.libsonnet';
local changed = shipped {
  _config+:: {
    secureScore+: {
      selector: 'job="posture",cluster!="us"',
      thresholds+: { tenant_drop_1d_ratio: 0.25, report_old_seconds: 86400 },
      severities+: { critical: 'page', info: 'none' },
      grafanaUrl: 'https://grafana.example',
      runbooksUrl: 'https://git.example/runbooks',
      dashboardUidPrefix: 'posture-',
      dashboardTags: ['security', 'posture'],
    },
  },
};

// std.findSubstr takes minutes.
local occurrences(text, value) =
  local all = std.manifestJsonMinified(value);
  (std.length(all) - std.length(std.strReplace(all, text, ''))) / std.length(text);
local is_replaced(field, old, new) =
  local before = occurrences(old, shipped[field]);
  assert before > 0 : '%s has no %s' % [field, old];
  assert occurrences(old, changed[field]) == 0 : '%s still has %s' % [field, old];
  assert occurrences(new, changed[field]) == before : '%s lacks %s' % [field, new];
  true;

assert is_replaced('prometheusAlerts', @'job=\"secure-score\"', @'job=\"posture\",cluster!=\"us\"');
assert is_replaced('prometheusAlerts', '"severity":"critical"', '"severity":"page"');
assert is_replaced('prometheusAlerts', '"severity":"info"', '"severity":"none"');
assert is_replaced('prometheusAlerts', '/d/secure-score-', '/d/posture-');
assert is_replaced('grafanaDashboards', '/d/secure-score-', '/d/posture-');
assert is_replaced('grafanaDashboards', '"uid":"secure-score-', '"uid":"posture-');
assert is_replaced('grafanaDashboards', '"tags":["secure-score"]', '"tags":["security","posture"]');
assert [rule { record:: null } for rule in changed.prometheusRules.groups[0].rules] == [
  { labels: { threshold: 'report_old_seconds' }, expr: 'vector(86400)' },
  { labels: { threshold: 'tenant_drop_1d_ratio' }, expr: 'vector(0.25)' },
  { labels: { grafana: 'https://grafana.example', runbooks: 'https://git.example/runbooks' }, expr: 'vector(1)' },
];

// For promtool: the rules of its tests have the shipped severities.
local renamed = shipped { _config+:: { secureScore+: { selector: 'job="posture"' } } };

{
  'alerts.json': changed.prometheusAlerts,
  'rules.json': changed.prometheusRules,
  'renamed.json': renamed.prometheusAlerts,
}
