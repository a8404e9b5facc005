#!/bin/sh
# First process of the sidecar container. It starts Argo CD's plugin server, hands on the signal to stop, and reaps what
# renderers leave behind: argocd-cmp-server does not when it is process 1, and zombies once filled the container's
# process limit (argoproj/argo-cd#29349).
set -u

server=/var/run/argocd/argocd-cmp-server
if [ ! -x "$server" ]; then
  echo "image-resolver: $server is not there: mount Argo CD's var-files volume at /var/run/argocd (manifests/sidecar)" >&2
  exit 1
fi

"$server" "$@" &
child=$!
stopping=false
trap 'stopping=true; kill -TERM "$child" 2>/dev/null' TERM INT

wait "$child"
status=$?
# `wait` comes back early when a signal arrived. On the first one argocd-cmp-server only removes its socket and serves on
# (https://github.com/argoproj/argo-cd/blob/v3.2.11/cmpserver/server.go, Shutdown), so it is given a moment for generations
# that are nearly done and then a second signal; else a Pod would take its whole grace period to end.
while kill -0 "$child" 2>/dev/null; do
  if $stopping; then
    sleep 1
    kill -TERM "$child" 2>/dev/null
  fi
  wait "$child"
  status=$?
done
exit "$status"
