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
trap 'kill -TERM "$child" 2>/dev/null' TERM INT

# `wait` comes back early when a signal is handled; the server may need a moment more.
wait "$child"
status=$?
while kill -0 "$child" 2>/dev/null; do
  wait "$child"
  status=$?
done
exit "$status"
