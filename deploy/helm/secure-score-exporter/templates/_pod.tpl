{{/* The pod template of both kinds. */}}
{{- define "exporter.pod" -}}
{{- $secret := include "exporter.secret" . -}}
{{- $web := include "exporter.webConfigSecret" . -}}
metadata:
  labels:
    {{- include "exporter.labels" . | nindent 4 }}
    {{- if .Values.workloadIdentity.enabled }}
    azure.workload.identity/use: "true"
    {{- end }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "exporter.serviceAccountName" . }}
  automountServiceAccountToken: {{ .Values.automountServiceAccountToken }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.extraInitContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: exporter
      image: {{ include "exporter.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      # The image listens on all addresses, port 10365.
      args:
        {{- if .Values.demo }}
        - demo
        {{- else }}
        - --config.file=/etc/secure-score/secure-score.yml
        - --config.enable-auto-reload
        - --state.dir=/var/lib/secure-score
        {{- if and (eq .Values.kind "StatefulSet") (gt (int .Values.shards) 1) }}
        - --shard=auto
        - --total-shards={{ .Values.shards }}
        {{- end }}
        {{- end }}
        {{- if $web }}
        - --web.config.file=/etc/secure-score-web/web-config.yml
        {{- end }}
        {{- with .Values.externalUrl }}
        - --web.external-url={{ . }}
        {{- end }}
        - --log.level={{ .Values.logLevel }}
        - --log.format={{ .Values.logFormat }}
        {{- with .Values.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      env:
        - name: POD_NAME
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - {name: http-metrics, containerPort: 10365, protocol: TCP}
      {{- range $name, $path := dict "startupProbe" "healthy" "livenessProbe" "healthy" "readinessProbe" "ready" }}
      {{- with index $.Values $name }}
      {{ $name }}:
        {{- if $web }}
        # The web configuration may require certificates or passwords, which this command does not need.
        exec:
          command:
            - /usr/bin/secure-score-exporter
            - healthcheck
            - --web.listen-address=:10365
            - --web.config.file=/etc/secure-score-web/web-config.yml
            {{- with $.Values.externalUrl }}
            - --web.external-url={{ . }}
            {{- end }}
        {{- else }}
        httpGet: {path: {{ include "exporter.prefix" $ }}/-/{{ $path }}, port: http-metrics}
        {{- end }}
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      {{- if or (not .Values.demo) $web .Values.extraVolumeMounts }}
      volumeMounts:
        {{- if not .Values.demo }}
        - {name: config, mountPath: /etc/secure-score, readOnly: true}
        - {name: state, mountPath: /var/lib/secure-score}
        {{- if $secret }}
        - {name: secrets, mountPath: /etc/secure-score-secrets, readOnly: true}
        {{- end }}
        {{- end }}
        {{- if $web }}
        - {name: web-config, mountPath: /etc/secure-score-web, readOnly: true}
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if or (not .Values.demo) $web .Values.extraVolumes }}
  volumes:
    {{- if not .Values.demo }}
    - name: config
      {{- if .Values.configExistingSecretName }}
      secret: {secretName: {{ .Values.configExistingSecretName }}}
      {{- else }}
      configMap: {name: {{ include "exporter.fullname" . }}}
      {{- end }}
    {{- if $secret }}
    - name: secrets
      secret: {secretName: {{ $secret }}, defaultMode: 0440}
    {{- end }}
    {{- if not (and (eq .Values.kind "StatefulSet") .Values.persistence.enabled) }}
    - name: state
      emptyDir: {sizeLimit: {{ .Values.persistence.size }}}
    {{- end }}
    {{- end }}
    {{- if $web }}
    - name: web-config
      secret: {secretName: {{ $web }}, defaultMode: 0440}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" "dnsPolicy" "dnsConfig" }}
  {{- with index $.Values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}
