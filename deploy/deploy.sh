#!/usr/bin/env bash
# Put this checkout into service on this machine; when it does not answer, put the images before it back.
# The images in service are tagged `previous` first. The volumes, and with them the data, stay.
#   KIOSQUE_DEPLOY_SECONDS   how long the services have to become healthy
set -euo pipefail
cd "$(dirname "$0")/.."
services=(producer consumer predict web tools books)
patience=${KIOSQUE_DEPLOY_SECONDS:-600}

keep_previous() {
  for name in "${services[@]}"; do
    docker image inspect "kiosque/$name:local" >/dev/null 2>&1 || continue
    docker tag "kiosque/$name:local" "kiosque/$name:previous"
  done
}

# `local` is what the next `up` starts: it must not stay on what does not answer.
roll_back() {
  echo "The new version does not answer; going back." >&2
  for name in "${services[@]}"; do
    docker image inspect "kiosque/$name:previous" >/dev/null 2>&1 || { echo "There is nothing to go back to." >&2; exit 1; }
  done
  for name in "${services[@]}"; do docker tag "kiosque/$name:previous" "kiosque/$name:local"; done
  docker compose up --detach --no-build --wait --wait-timeout 600
  deploy/smoke.sh
  echo "The version before is in service again." >&2
  exit 1
}

keep_previous
docker compose build
{ docker compose up --detach --wait --wait-timeout "$patience" && deploy/smoke.sh; } || roll_back
