{{- define "exporter.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{/* 50 characters: a StatefulSet adds a hash of 11 to its pods' labels. */}}
{{- define "exporter.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "exporter.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "exporter.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "exporter.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end }}

{{- define "exporter.selector" -}}
app.kubernetes.io/name: {{ include "exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "exporter.labels" -}}
{{ include "exporter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: secure-score-exporter
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "exporter.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "exporter.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{- define "exporter.image" -}}
{{- $registry := .Values.global.imageRegistry | default .Values.image.registry -}}
{{- $image := .Values.image.repository -}}
{{- if $registry }}{{ $image = printf "%s/%s" $registry $image }}{{ end -}}
{{- if .Values.image.digest -}}
{{ printf "%s@%s" $image .Values.image.digest }}
{{- else -}}
{{ printf "%s:%s" $image (.Values.image.tag | default .Chart.AppVersion) }}
{{- end -}}
{{- end }}

{{/* The Secret with the files of /etc/secure-score-secrets; empty where there is none. */}}
{{- define "exporter.secret" -}}
{{- if .Values.existingSecret -}}
{{- .Values.existingSecret -}}
{{- else if .Values.secrets -}}
{{- include "exporter.fullname" . -}}
{{- end -}}
{{- end }}

{{/* The Secret with the web configuration; empty where there is none. */}}
{{- define "exporter.webConfigSecret" -}}
{{- if .Values.webConfigExistingSecretName -}}
{{- .Values.webConfigExistingSecretName -}}
{{- else if .Values.webConfig -}}
{{- printf "%s-web" (include "exporter.fullname" .) -}}
{{- end -}}
{{- end }}

{{- define "exporter.scheme" -}}
{{- if or .Values.webTLS .Values.webConfig.tls_server_config }}https{{ else }}http{{ end -}}
{{- end }}

{{/* The path prefix. */}}
{{- define "exporter.prefix" -}}
{{- with .Values.externalUrl }}{{ (urlParse .).path | trimSuffix "/" }}{{ end -}}
{{- end }}
