#!/usr/bin/env bash
# Run a command with a Docker engine: the machine's own, else one started by ../shared/containers where that is.
set -euo pipefail
cd "$(dirname "$0")/.."
kit=../shared/containers
if [ -x "$kit/engine.sh" ] && ! { docker info && docker compose version; } >/dev/null 2>&1; then
  "$kit/engine.sh" >&2
  "$kit/base-images.sh" python postgres nats >&2
  eval "$("$kit/engine.sh" env)"
fi
exec "$@"
