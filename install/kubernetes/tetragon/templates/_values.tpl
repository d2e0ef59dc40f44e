{{/* What several templates derive from values. */}}

{{/* A value as it is written on a command line. YAML has no integers beyond 2^53, and Go writes a large number as 1e+06. */}}
{{- define "flag.value" -}}
{{- if kindIs "string" . -}}{{ . }}{{- else -}}{{ toJson . }}{{- end -}}
{{- end }}

{{/* Flags from a map, as a list in JSON: {a: 1, b: [x, y], c: null} is --a=1, --b=x, --b=y, --c. */}}
{{- define "flag.list" -}}
{{- $flags := list -}}
{{- range $name, $value := . -}}
{{- if kindIs "invalid" $value -}}
{{- $flags = append $flags (printf "--%s" $name) -}}
{{- else if kindIs "slice" $value -}}
{{- range $value -}}{{- $flags = append $flags (printf "--%s=%s" $name (include "flag.value" .)) -}}{{- end -}}
{{- else -}}
{{- $flags = append $flags (printf "--%s=%s" $name (include "flag.value" $value)) -}}
{{- end -}}
{{- end -}}
{{- toJson $flags -}}
{{- end }}

{{/* "a, b" without spaces and empty elements, as a list in JSON. */}}
{{- define "list.split" -}}
{{- $elements := list -}}
{{- range splitList "," . -}}
{{- with trim . -}}{{- $elements = append $elements . -}}{{- end -}}
{{- end -}}
{{- toJson $elements -}}
{{- end }}

{{- define "agent.unixAddress" -}}
{{- $found := "" -}}
{{- if .Values.tetragon.grpc.enabled -}}
{{- range (include "list.split" .Values.tetragon.grpc.address | fromJsonArray) -}}
{{- if and (hasPrefix "unix:" .) (not $found) -}}{{- $found = . -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- $found | default "unix:///var/run/tetragon/tetragon.sock" -}}
{{- end }}

{{/* The unix socket comes first: hooks use it, and the info file names the first address to clients. */}}
{{- define "agent.addresses" -}}
{{- $unix := include "agent.unixAddress" . -}}
{{- $addresses := list $unix -}}
{{- if .Values.tetragon.grpc.enabled -}}
{{- range (include "list.split" .Values.tetragon.grpc.address | fromJsonArray) -}}
{{- if ne . $unix -}}{{- $addresses = append $addresses . -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- join "," $addresses -}}
{{- end }}

{{/* The directory of the agent's socket. It is mounted as a whole, since a mounted socket is lost when the agent makes it anew. */}}
{{- define "agent.runDir" -}}
{{- include "agent.unixAddress" . | trimPrefix "unix://" | trimPrefix "unix:" | dir -}}
{{- end }}

{{/* Namespaces whose containers start without the agent, as a list in JSON. */}}
{{- define "rthooks.allowedNamespaces" -}}
{{- $given := include "list.split" .Values.rthooks.failAllowNamespaces | fromJsonArray -}}
{{- with index .Values.rthooks.extraHookArgs "fail-allow-namespaces" -}}
{{- $given = concat $given (include "list.split" (ternary (join "," .) . (kindIs "slice" .)) | fromJsonArray) -}}
{{- end -}}
{{- concat (list "kube-system" .Release.Namespace) $given | uniq | toJson -}}
{{- end }}

{{/*
The annotation with which a pod starts although an NRI plugin is missing that the runtime requires (--require-plugin of
tetragon-oci-hook-setup patch-containerd-conf enable-nri).
*/}}
{{- define "rthooks.tolerateAnnotation" -}}
tolerate-missing-plugins.rthooks.v1
{{- end }}

{{/* Not empty where the hook comes from an NRI plugin, which a runtime can require. */}}
{{- define "rthooks.isNri" -}}
{{- if and .Values.rthooks.enabled (eq .Values.rthooks.interface "nri-hook") -}}true{{- end -}}
{{- end }}
