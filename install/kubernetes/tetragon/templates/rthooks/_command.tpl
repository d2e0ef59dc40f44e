{{/* The command of the container that installs the hook, as a list in JSON. */}}
{{- define "rthooks.command" -}}
{{- $rthooks := .Values.rthooks -}}
{{- if not (has $rthooks.interface (list "oci-hooks" "nri-hook")) -}}
{{- fail (printf "rthooks.interface is %q: set it to oci-hooks (CRI-O) or nri-hook (containerd, or CRI-O with NRI)" $rthooks.interface) -}}
{{- end -}}
{{- if and (eq $rthooks.interface "oci-hooks") (ne $rthooks.mode "inject") -}}
{{- fail (printf "rthooks.mode is %q: with rthooks.interface=oci-hooks only inject is possible" $rthooks.mode) -}}
{{- end -}}
{{- $command := list
  "/usr/bin/tetragon-oci-hook-setup"
  "install"
  (printf "--interface=%s" $rthooks.interface)
  "--local-install-dir=/hostInstall"
  (printf "--host-install-dir=%s" $rthooks.installDir)
  "--daemonize"
  (printf "--daemonset=%s/%s" .Release.Namespace (include "rthooks.name" .))
  "--node-name=$(NODE_NAME)"
  "--status-socket=/run/rthooks/status.sock"
-}}
{{- if $rthooks.mountHostRoot -}}
{{- $command = concat $command (list "--host-root=/host" (printf "--libc=%s" $rthooks.libc)) -}}
{{- else if eq $rthooks.libc "auto" -}}
{{- fail "rthooks.libc=auto tries the hook in the root directory of the node: set rthooks.mountHostRoot, or rthooks.libc to host or bundled" -}}
{{- else -}}
{{- $command = append $command (printf "--libc=%s" $rthooks.libc) -}}
{{- end -}}
{{- if eq $rthooks.interface "oci-hooks" -}}
{{- with $rthooks.ociHooks.fileName -}}
{{- $command = append $command (printf "--oci-hooks.file-name=%s" .) -}}
{{- end -}}
{{- $command = append $command (printf "--oci-hooks.local-dir=%s" $rthooks.ociHooks.hooksPath) -}}
{{- else -}}
{{- $command = concat $command (list
  (printf "--nri-hook.socket=%s" $rthooks.nriHook.nriSocket)
  (printf "--nri-hook.name=%s" $rthooks.nriHook.name)
  (printf "--nri-hook.index=%s" $rthooks.nriHook.index)
  (printf "--nri-hook.mode=%s" $rthooks.mode)
  "--nri-hook.health-server-address=:6789"
) -}}
{{- if $rthooks.prometheus.enabled -}}
{{- $command = append $command (printf "--nri-hook.metrics-address=:%v" (int $rthooks.prometheus.port)) -}}
{{- end -}}
{{- end -}}
{{- concat $command (list "hook-args") (include "rthooks.hookArgs" . | fromJsonArray) | toJson -}}
{{- end }}

{{/* Flags of the hook, as a list in JSON. */}}
{{- define "rthooks.hookArgs" -}}
{{- $rthooks := .Values.rthooks -}}
{{- $allowed := include "rthooks.allowedNamespaces" . | fromJsonArray -}}
{{- $args := list
  (printf "--grpc-address=%s" (include "agent.unixAddress" .))
  (printf "--fail-allow-namespaces=%s" (join "," $allowed))
-}}
{{- range $rthooks.failAllowNamespacesRegex -}}
{{- $_ := mustRegexMatch . "" -}}
{{- if contains "," (regexReplaceAll "\\{[0-9]*,[0-9]*\\}" . "") -}}
{{- fail (printf "rthooks.failAllowNamespacesRegex: %q has a comma, which no namespace has; write one entry for each expression" .) -}}
{{- end -}}
{{- $args = append $args (printf "--fail-allow-namespaces-regex=%s" .) -}}
{{- end -}}
{{- $extra := omit $rthooks.extraHookArgs "fail-allow-namespaces" -}}
{{- with index $extra "fail-cel-expr" -}}
{{- /* The expression replaces the lists: these namespaces stay allowed. */ -}}
{{- $isAllowed := printf "annotations_namespace_keys.exists(k, k in annotations) && annotations_namespace_keys.all(k, !(k in annotations) || annotations[k] in %s)" (toJson (list "kube-system" $.Release.Namespace)) -}}
{{- $extra = set $extra "fail-cel-expr" (printf "(%s) && !(%s)" . $isAllowed) -}}
{{- end -}}
{{- if and (hasKey $extra "log-fname") $rthooks.exportLogs.enabled -}}
{{- fail "rthooks.extraHookArgs has log-fname, which export-logs does not find: set rthooks.exportLogs.enabled=false" -}}
{{- end -}}
{{- concat $args (include "flag.list" $extra | fromJsonArray) | toJson -}}
{{- end }}
