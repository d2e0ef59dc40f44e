{{/* The Secret with the certificates of the agent's TCP addresses; empty without TLS. */}}
{{- define "agent.tlsSecret" -}}
{{- $grpc := .Values.tetragon.grpc -}}
{{- if and $grpc.enabled $grpc.tls.enabled -}}
{{- if eq (include "agent.addresses" .) (include "agent.unixAddress" .) -}}
{{- fail (printf "tetragon.grpc.tls.enabled: tetragon.grpc.address (%s) has no TCP address, such as 0.0.0.0:54321; a unix socket has no TLS" $grpc.address) -}}
{{- end -}}
{{- required "tetragon.grpc.tls.enabled: name a Secret with tls.crt and tls.key in tetragon.grpc.tls.server.existingSecret" $grpc.tls.server.existingSecret -}}
{{- end -}}
{{- end }}
