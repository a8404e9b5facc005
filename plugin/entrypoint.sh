#!/bin/sh
# First process of the sidecar container. It starts Argo CD's plugin server and the workers that render for it, hands on the
# signal to stop, and reaps what renderers leave behind: argocd-cmp-server does not when it is process 1, and zombies once
# filled the container's process limit (argoproj/argo-cd#29349).
set -u

server=/var/run/argocd/argocd-cmp-server
if [ ! -x "$server" ]; then
  echo "image-resolver: $server is not there: mount Argo CD's var-files volume at /var/run/argocd (manifests/sidecar)" >&2
  exit 1
fi

workers=${IMAGE_RESOLVER_WORKERS:-2}
case $workers in
  [0-9] | 1[0-6]) ;;
  *)
    echo "image-resolver: IMAGE_RESOLVER_WORKERS is \"$workers\", and must be a number from 0 to 16" >&2
    exit 1
    ;;
esac
# Where image-resolver-generate looks for them.
sockets=${TMPDIR:-/tmp}/image-resolver-workers
rm -rf "$sockets"
mkdir -m 0700 "$sockets" || exit 1

# A worker stays until it is told to stop or has grown too large; then another takes its place. The young generation of V8 is
# kept small: more of it is a matter of milliseconds and of 20 MB in each worker.
keep_worker() {
  trap 'kill -TERM "$worker" 2>/dev/null; exit' TERM
  while :; do
    node --max-semi-space-size=4 "${0%/*}/image-resolver" worker "$sockets/$1.sock" &
    worker=$!
    wait "$worker"
    sleep 1
  done
}
keepers=
while [ "$workers" -gt 0 ]; do
  workers=$((workers - 1))
  keep_worker "$workers" &
  keepers="$keepers $!"
done

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
[ -z "$keepers" ] || kill -TERM $keepers 2>/dev/null
exit "$status"
