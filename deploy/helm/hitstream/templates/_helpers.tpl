{{- define "hitstream.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "hitstream.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "hitstream.labels" -}}
{{ include "hitstream.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "hitstream.environment" -}}
- {name: DATABASE_URL_FILE, value: /run/secrets/database/database_url}
- {name: BROKER_URL_FILE, value: /run/secrets/hitstream/broker_url}
- {name: DJANGO_SECRET_KEY_FILE, value: /run/secrets/hitstream/django_secret_key}
- {name: HITSTREAM_SECRET_KEYS_FILE, value: /run/secrets/hitstream/hitstream_secret_keys}
{{- if .Values.secrets.metricsToken }}
- {name: HITSTREAM_METRICS_TOKEN_FILE, value: /run/secrets/hitstream/metrics_token}
{{- end }}
- {name: ALLOWED_HOSTS, value: {{ .Values.host | quote }}}
- {name: CSRF_TRUSTED_ORIGINS, value: {{ printf "https://%s" .Values.host | quote }}}
- {name: HITSTREAM_PUBLIC_URL, value: {{ printf "https://%s" .Values.host | quote }}}
- {name: BEHIND_TLS_PROXY, value: "1"}
- {name: HITSTREAM_TRUSTED_PROXIES, value: {{ .Values.trustedProxies | quote }}}
{{- range $name, $value := .Values.env }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{/* A pod of one role: root, its role, its arguments, resources, whether it is the owner's, and
     fields of the container beside these. */}}
{{- define "hitstream.pod" -}}
{{- $root := .root -}}
metadata:
  labels:
    {{- include "hitstream.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
  {{- with $root.Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 40
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: {{ .role }}
      image: "{{ $root.Values.image.repository }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}"
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: {{ toJson .arguments }}
      env:
        {{- include "hitstream.environment" $root | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      resources:
        {{- toYaml .resources | nindent 8 }}
      {{- with .container }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      volumeMounts:
        - {name: secrets, mountPath: /run/secrets/hitstream, readOnly: true}
        - {name: database, mountPath: /run/secrets/database, readOnly: true}
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: secrets
      secret: {secretName: {{ $root.Values.secrets.existingSecret }}, defaultMode: 0440}
    - name: database
      secret:
        secretName: {{ if .owner }}{{ $root.Values.secrets.ownerSecret }}{{ else }}{{ $root.Values.secrets.existingSecret }}{{ end }}
        defaultMode: 0440
        items: [{key: database_url, path: database_url}]
    - name: tmp
      emptyDir: {}
  {{- with $root.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
