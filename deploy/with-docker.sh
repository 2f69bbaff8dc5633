#!/usr/bin/env bash
# Run a command with a Docker engine: the machine's own, else one started by shared/containers where that folder is.
# Without either the command runs all the same and says by itself that it finds none (the tests skip).
set -euo pipefail
cd "$(dirname "$0")/.."

answers() { docker info && docker compose version; }

start_from() {
  "$1/engine.sh" && "$1/base-images.sh" python postgres nats && eval "$("$1/engine.sh" env)"
}

if ! answers >/dev/null 2>&1; then
  for kit in shared/containers ../shared/containers; do
    [ -x "$kit/engine.sh" ] || continue
    start_from "$kit" >&2 || echo "with-docker.sh: no engine could be started by $kit" >&2
    break
  done
fi
exec "$@"
