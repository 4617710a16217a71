{{- define "transferscope.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "transferscope.image" -}}
{{ .Values.image.repository }}{{ with .Values.image.digest }}@{{ . }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* Of a release; with `component`, of one process. */}}
{{- define "transferscope.selector" -}}
app.kubernetes.io/name: transferscope
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "transferscope.labels" -}}
{{ include "transferscope.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* The settings file of a process: bridges with their brokers, and database_url where it is not that of most. JSON's
texts, numbers and lists are TOML's too. */}}
{{- define "transferscope.toml" -}}
web_host = "0.0.0.0"
web_port = 8080
{{- $own := dict }}
{{- with .database_url }}
{{- $own = dict "database_url" . }}
{{- end }}
{{- range $name, $value := merge $own .root.Values.settings }}
{{ $name }} = {{ kindIs "float64" $value | ternary (int64 $value | toRawJson) (toRawJson $value) }}
{{- end }}
{{- range .bridges }}
{{- range .brokers }}

[[broker]]
{{- range $name, $value := omit . "topics" }}
{{ $name }} = {{ toRawJson $value }}
{{- end }}
{{- with .topics }}
[broker.topics]
{{- range $topic, $kind := . }}
{{ toRawJson $topic }} = {{ toRawJson $kind }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What a container may do: nothing but what its program does. */}}
{{- define "transferscope.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* A pod: root, component, args, resources; config, the ConfigMap; file, its key; secret, if not that of most; page,
whether it has a health page. */}}
{{- define "transferscope.pod" -}}
serviceAccountName: default
automountServiceAccountToken: false
{{- $secret := .secret | default .root.Values.secret }}
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
terminationGracePeriodSeconds: 20
{{- with $secret.pgpassKey }}
initContainers:
  - name: pgpass
    image: {{ include "transferscope.image" $.root }}
    imagePullPolicy: {{ $.root.Values.image.pullPolicy }}
    command: [install, --mode=0600, /run/secrets/transferscope/{{ . }}, /run/pgpass/pgpass]
    securityContext: {{- include "transferscope.confined" $ | nindent 6 }}
    resources:
      requests: { cpu: 10m, memory: 16Mi }
      limits: { memory: 32Mi }
    volumeMounts:
      - { name: secret, mountPath: /run/secrets/transferscope, readOnly: true }
      - { name: pgpass, mountPath: /run/pgpass }
{{- end }}
containers:
  - name: {{ .component | trunc 60 }}
    image: {{ include "transferscope.image" .root }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args: {{ toJson .args }}
    env:
      - name: TRANSFERSCOPE_CONFIG
        value: /etc/transferscope/transferscope.toml
    securityContext: {{- include "transferscope.confined" . | nindent 6 }}
    resources: {{- toYaml .resources | nindent 6 }}
    {{- if .page }}
    ports:
      - { name: http, containerPort: 8080, protocol: TCP }
    startupProbe:
      httpGet: { path: /healthz, port: http }
      periodSeconds: 2
      timeoutSeconds: 5
      failureThreshold: 60
    readinessProbe:
      httpGet: { path: /readyz, port: http }
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 3
    # A service that is away is nothing that a new process helps against, and being killed costs nothing: so only what
    # has been unwell for ten minutes is started anew.
    livenessProbe:
      httpGet: { path: /healthz, port: http }
      periodSeconds: 20
      timeoutSeconds: 10
      failureThreshold: 30
    {{- end }}
    volumeMounts:
      - { name: config, mountPath: /etc/transferscope, readOnly: true }
      - { name: secret, mountPath: /run/secrets/transferscope, readOnly: true }
      {{- if $secret.pgpassKey }}
      - { name: pgpass, mountPath: /run/pgpass, readOnly: true }
      {{- end }}
volumes:
  - name: config
    configMap:
      name: {{ .config }}
      items:
        - { key: {{ .file }}, path: transferscope.toml }
  - name: secret
    secret: { secretName: {{ $secret.name }}, defaultMode: 0440 }
  {{- if $secret.pgpassKey }}
  - name: pgpass
    emptyDir: { medium: Memory, sizeLimit: 1Mi }
  {{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A Deployment and its PodDisruptionBudget; as the pod, database_url as in its file, and replicas, which may be left to
somebody else. */}}
{{- define "transferscope.deployment" -}}
{{- $name := printf "%s-%s" (include "transferscope.name" .root) .component }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include "transferscope.labels" . | nindent 4 }}
spec:
  {{- if hasKey . "replicas" }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  selector:
    matchLabels: {{- include "transferscope.selector" . | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxUnavailable: 1, maxSurge: 1 }
  template:
    metadata:
      labels: {{- include "transferscope.labels" . | nindent 8 }}
      annotations:
        checksum/config: {{ include "transferscope.toml" (dict "root" .root "bridges" .root.Values.bridges "database_url" .database_url) | sha256sum }}
        {{- with .root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "transferscope.pod" . | nindent 6 }}
      # Where there is more than one, they are not on one machine, if that can be.
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "transferscope.selector" . | nindent 14 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels: {{- include "transferscope.labels" . | nindent 4 }}
spec:
  # Not minAvailable: a process that runs once must not keep a machine from being emptied.
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "transferscope.selector" . | nindent 6 }}
{{- end }}
