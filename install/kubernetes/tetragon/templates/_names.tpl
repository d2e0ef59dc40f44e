{{/* Names, labels and images. Names and selectors are those of Tetragon's chart, so that an upgrade from it finds its objects. */}}

{{- define "agent.name" -}}
{{- .Values.tetragon.nameOverride | default .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "operator.name" -}}
{{- .Values.tetragonOperator.nameOverride | default (printf "%s-operator" .Release.Name) | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "rthooks.name" -}}
{{- .Values.rthooks.nameOverride | default (printf "%s-rthooks" .Release.Name) | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "agent.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "agent.name" .) -}}
{{- end }}

{{- define "operator.serviceAccount" -}}
{{- .Values.tetragonOperator.serviceAccount.name | default (printf "%s-service-account" (include "operator.name" .)) -}}
{{- end }}

{{- /* Releases in two namespaces may have the same name. */ -}}
{{- define "rthooks.clusterRole" -}}
{{- printf "%s-%s" .Release.Namespace (include "rthooks.name" .) -}}
{{- end }}

{{- define "rthooks.serviceAccount" -}}
{{- $given := .Values.rthooks.serviceAccount -}}
{{- $given.name | default (ternary (include "rthooks.name" .) "default" $given.create) -}}
{{- end }}

{{- define "agent.selector" -}}
app.kubernetes.io/name: tetragon
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "operator.selector" -}}
app.kubernetes.io/name: tetragon-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rthooks.selector" -}}
app.kubernetes.io/name: tetragon-rthooks
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "agent.labels" -}}
{{ include "agent.selector" . }}
app.kubernetes.io/component: agent
{{ include "labels.common" . }}
{{- end }}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/component: operator
{{ include "labels.common" . }}
{{- end }}

{{- define "rthooks.labels" -}}
{{ include "rthooks.selector" . }}
app.kubernetes.io/component: rthooks
{{ include "labels.common" . }}
{{- end }}

{{- define "labels.common" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: {{ .Chart.Name }}
{{- end }}

{{/* The reference of an image: a list of its values and the root. */}}
{{- define "image" -}}
{{- $image := index . 0 -}}
{{- $root := index . 1 -}}
{{- $image.override | default (printf "%s:%s" $image.repository ($image.tag | default $root.Chart.AppVersion)) | quote -}}
{{- end }}
