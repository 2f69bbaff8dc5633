#!/usr/bin/env bash
# Put this checkout into service on this machine; when it does not answer, put the images before it back.
# The images in service are tagged `previous` first. The volumes, and with them the data, stay.
set -euo pipefail
cd "$(dirname "$0")/.."
services=(producer consumer predict web tools books)

keep_previous() {
  for name in "${services[@]}"; do
    docker image inspect "kiosque/$name:local" >/dev/null 2>&1 || continue
    docker tag "kiosque/$name:local" "kiosque/$name:previous"
  done
}

roll_back() {
  echo "The new version does not answer; going back." >&2
  for name in "${services[@]}"; do
    docker image inspect "kiosque/$name:previous" >/dev/null 2>&1 || { echo "There is nothing to go back to." >&2; exit 1; }
  done
  KIOSQUE_TAG=previous docker compose up --detach --no-build --wait --wait-timeout 600
  deploy/smoke.sh
  exit 1
}

keep_previous
docker compose build
{ docker compose up --detach --wait --wait-timeout 600 && deploy/smoke.sh; } || roll_back
