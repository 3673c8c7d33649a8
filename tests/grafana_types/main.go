// Reads the provisioning files for Grafana strictly into the types of Grafana's own
// API, validates the rules by their limits, and executes the templates of their texts
// with the functions that Grafana offers.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strings"
	"text/template"
	"time"

	"github.com/go-openapi/strfmt"
	"github.com/grafana/grafana-openapi-client-go/models"
	"go.yaml.in/yaml/v3"
)

func main() {
	rules, receivers := 0, map[string]bool{}
	var named []string
	for _, path := range os.Args[1:] {
		var content map[string]any
		text, err := os.ReadFile(path)
		must(path, err)
		must(path, yaml.Unmarshal(text, &content))
		for _, mute := range list(content["muteTimes"]) {
			checkMuteTime(path, mute)
		}
		// The type of a mute time lacks the fields of its intervals.
		delete(content, "muteTimes")
		var file models.AlertingFileExport
		strict(path, content, &file)
		for _, group := range file.Groups {
			for _, rule := range group.Rules {
				checkRule(path, group, rule)
				rules++
			}
		}
		for _, point := range file.ContactPoints {
			receivers[point.Name] = true
			for _, receiver := range point.Receivers {
				checkReceiver(path, receiver)
			}
		}
		for _, policy := range file.Policies {
			named = append(named, policy.Receiver)
			named = append(named, namedBy(policy.Routes)...)
			for _, matcher := range policy.ObjectMatchers {
				check(path, len(matcher) == 3, "a matcher of %d", len(matcher))
			}
		}
		must(path, file.Validate(strfmt.Default))
	}
	for _, name := range named {
		check(name, receivers[name], "no contact point")
	}
	check("rules", rules > 50 && len(named) > 5, "only %d, and %d receivers", rules, len(named))
	fmt.Printf("%d rules, %d contact points and %d routes are what Grafana reads\n", rules, len(receivers), len(named))
}

// Grafana has had KeepLast since 10.4; the enumeration of its API lacks it.
func known(state string) string {
	if state == "KeepLast" {
		return "Alerting"
	}
	return state
}

func checkRule(path string, group *models.AlertRuleGroupExport, rule *models.AlertRuleExport) {
	rule.ExecErrState = known(rule.ExecErrState)
	must(rule.Title, rule.Validate(strfmt.Default))
	provisioned := models.ProvisionedAlertRule{
		UID: rule.UID, Title: &rule.Title, Condition: &rule.Condition, RuleGroup: &group.Name,
		NoDataState: &rule.NoDataState, ExecErrState: &rule.ExecErrState, FolderUID: &group.Folder,
		OrgID: &group.OrgID, For: duration(rule.Title, rule.For),
		KeepFiringFor: *duration(rule.Title, rule.KeepFiringFor),
		Labels:        rule.Labels, Annotations: rule.Annotations,
	}
	for _, node := range rule.Data {
		provisioned.Data = append(provisioned.Data, &models.AlertQuery{
			RefID: node.RefID, DatasourceUID: node.DatasourceUID, Model: node.Model,
		})
	}
	must(rule.Title, provisioned.Validate(strfmt.Default))
	for key, text := range rule.Annotations {
		execute(path, rule.Title+": "+key, text)
	}
}

func duration(title, text string) *strfmt.Duration {
	read, err := strfmt.ParseDuration(text)
	must(title, err)
	value := strfmt.Duration(read)
	return &value
}

// Executes a text for a series with any labels.
func execute(path, what, text string) {
	labels := map[string]string{"tenant": "a b", "control": "AdminMFAV2"}
	for _, found := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(text, -1) {
		labels[found[1]] = "a b"
	}
	values := map[string]struct{ Value float64 }{"A": {0}}
	functions := template.FuncMap{
		"externalURL":        func() string { return "https://grafana.example/" },
		"humanizePercentage": func(v float64) string { return fmt.Sprintf("%.4g%%", v*100) },
		"toTime":             func(v float64) time.Time { return time.Unix(int64(v), 0).UTC() },
		"reReplaceAll": func(pattern, by, text string) string {
			return regexp.MustCompile(pattern).ReplaceAllString(text, by)
		},
	}
	head := "{{ $labels := .Labels }}{{ $values := .Values }}"
	parsed, err := template.New(what).Funcs(functions).Parse(head + text)
	must(what, err)
	var out bytes.Buffer
	must(what, parsed.Execute(&out, map[string]any{"Labels": labels, "Values": values}))
	said := out.String()
	check(what, said != "" && !strings.Contains(said, "<no value>") && !strings.Contains(said, "{{"), "%s", said)
	if strings.HasSuffix(what, "_url") {
		link, err := url.Parse(said)
		must(what, err)
		check(what, link.Scheme == "https" && link.Host != "", "%s", said)
	}
}

// A message of two alerts and of one.
func checkReceiver(path string, receiver *models.ReceiverExport) {
	settings, _ := receiver.Settings.(map[string]any)
	check(receiver.UID, len(settings) > 0, "no settings")
	alert := map[string]any{"Status": "firing", "Annotations": map[string]string{"summary": "A sentence"}}
	for _, key := range []string{"subject", "title", "message"} {
		text, ok := settings[key].(string)
		if !ok {
			continue
		}
		parsed, err := template.New(receiver.UID).Parse(text)
		must(receiver.UID, err)
		for _, alerts := range [][]map[string]any{{alert}, {alert, alert}} {
			var out bytes.Buffer
			data := map[string]any{"Status": "resolved", "Alerts": alerts}
			must(receiver.UID, parsed.Execute(&out, data))
			check(receiver.UID, strings.Contains(out.String(), "A sentence"), "%s", out.String())
		}
	}
}

func checkMuteTime(path string, mute any) {
	fields, _ := mute.(map[string]any)
	check(path, fields["name"] != "" && len(list(fields["time_intervals"])) > 0, "a mute time without name or times")
	for _, interval := range list(fields["time_intervals"]) {
		var item models.TimeIntervalItem
		strict(path, interval, &item)
	}
}

func namedBy(routes []*models.RouteExport) (names []string) {
	for _, route := range routes {
		check("route", len(route.ObjectMatchers) > 0, "takes everything")
		for _, matcher := range route.ObjectMatchers {
			check("route", len(matcher) == 3, "a matcher of %d", len(matcher))
		}
		if route.Receiver != "" {
			names = append(names, route.Receiver)
		}
		names = append(names, namedBy(route.Routes)...)
	}
	return names
}

func list(value any) []any {
	items, _ := value.([]any)
	return items
}

func strict(path string, content, into any) {
	text, err := json.Marshal(content)
	must(path, err)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	must(path, decoder.Decode(into))
	_, err = decoder.Token()
	check(path, err == io.EOF, "more than one document")
}

func check(what string, holds bool, format string, arguments ...any) {
	if !holds {
		must(what, fmt.Errorf(format, arguments...))
	}
}

func must(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}
