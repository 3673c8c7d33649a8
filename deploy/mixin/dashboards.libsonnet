local shippedPrefix = 'secure-score-';
local shipped = {
  'secure-score-control.json': importstr 'dashboards/secure-score-control.json',
  'secure-score-exporter.json': importstr 'dashboards/secure-score-exporter.json',
  'secure-score-fleet.json': importstr 'dashboards/secure-score-fleet.json',
  'secure-score-risks.json': importstr 'dashboards/secure-score-risks.json',
  'secure-score-tenant.json': importstr 'dashboards/secure-score-tenant.json',
};

{
  local config = $._config.secureScore,
  // As text, because links stand in many places.
  local parsed(text) = std.parseJson(std.strReplace(text, '/d/' + shippedPrefix, '/d/' + config.dashboardUidPrefix)),
  local dashboard(text) = parsed(text) {
    uid: config.dashboardUidPrefix + std.substr(super.uid, std.length(shippedPrefix), std.length(super.uid)),
    tags: config.dashboardTags,
  },

  grafanaDashboards+:: { [name]: dashboard(shipped[name]) for name in std.objectFields(shipped) },
}
