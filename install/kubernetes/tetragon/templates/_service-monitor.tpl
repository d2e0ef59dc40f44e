{{/* A ServiceMonitor: name, selector, labels, values, root, and the label of the Service that has the name of the job. */}}
{{- define "serviceMonitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- if .values.labelsOverride }}
    {{- toYaml .values.labelsOverride | nindent 4 }}
    {{- else }}
    {{- .labels | nindent 4 }}
    {{- end }}
    {{- with .values.extraLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  jobLabel: {{ .jobLabel | default "app.kubernetes.io/name" }}
  namespaceSelector:
    matchNames:
      - {{ .root.Release.Namespace }}
  selector:
    matchLabels:
      {{- .selector | nindent 6 }}
  endpoints:
    - port: metrics
      interval: {{ .values.scrapeInterval | quote }}
      honorLabels: true
      relabelings:
        - sourceLabels: [__meta_kubernetes_pod_node_name]
          targetLabel: node
        - sourceLabels: [__meta_kubernetes_pod_name]
          targetLabel: tetragon_pod
{{- end }}
