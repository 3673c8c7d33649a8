// Recording rules with the thresholds and addresses of the configuration, which
// the alerts read; none by default.
local shipped = std.parseYaml(importstr 'secure-score.rules.yml');
local known = std.set([
  rule.labels.threshold
  for group in shipped.groups
  for rule in group.rules
  if std.get(rule, 'record') == 'fleet:secure_score_threshold:value'
]);

{
  prometheusRules+:: {
    local config = $._config.secureScore,
    local threshold(name) = {
      assert std.setMember(name, known) : 'no threshold is called %s: %s' % [name, std.join(', ', known)],
      record: 'fleet:secure_score_threshold:override',
      expr: 'vector(%s)' % config.thresholds[name],
      labels: { threshold: name },
    },
    local addresses = {
      [if config.grafanaUrl != '' then 'grafana']: config.grafanaUrl,
      [if config.runbooksUrl != '' then 'runbooks']: config.runbooksUrl,
    },
    local links = {
      record: 'fleet:secure_score_links:override',
      expr: 'vector(1)',
      labels: addresses,
    },
    local rules =
      [threshold(name) for name in std.objectFields(config.thresholds)] +
      (if addresses == {} then [] else [links]),

    groups+: if rules == [] then [] else [{ name: 'secure-score-overrides', interval: '1m', rules: rules }],
  },
}
