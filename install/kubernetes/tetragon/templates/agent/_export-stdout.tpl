{{/* Prints the agent's event files, for what collects the output of containers. */}}
{{- define "container.export-stdout" -}}
{{- $stdout := .Values.export.stdout -}}
{{- $image := ternary $stdout.image (merge (dict "tag" ($stdout.image.tag | default .Values.tetragon.image.tag) "repository" .Values.tetragon.image.repository "override" ($stdout.image.override | default .Values.tetragon.image.override)) (dict)) (ne $stdout.image.repository "") -}}
{{- $files := list -}}
{{- range .Values.export.filenames | default (list .Values.tetragon.exportFilename) -}}
{{- $files = append $files (printf "%s/%s" $.Values.exportDirectory .) -}}
{{- end -}}
- name: export-stdout
  image: {{ include "image" (list $image .) }}
  imagePullPolicy: {{ .Values.imagePullPolicy }}
  terminationMessagePolicy: FallbackToLogsOnError
  command:
    {{- toYaml ($stdout.commandOverride | default (list "/usr/bin/tetragon" "follow")) | nindent 4 }}
  args:
    {{- toYaml ($stdout.argsOverride | default $files) | nindent 4 }}
  {{- with $stdout.extraEnv }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- $sources := $stdout.extraEnvFrom }}
  {{- range $stdout.envFromSecrets }}
  {{- $sources = append $sources (dict "secretRef" (ternary . (dict "name" .) (kindIs "map" .))) }}
  {{- end }}
  {{- with $sources }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.export.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.export.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: export-logs
      mountPath: {{ .Values.exportDirectory | quote }}
      readOnly: true
    {{- with $stdout.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
