#!/usr/bin/env bash
# Build the images of all processes, training included.
#   KIOSQUE_CACHE                 REGISTRY/NAME: dependencies that were installed before are taken from there
#   KIOSQUE_CACHE_PUSH            when not empty, they are kept there as well
#   KIOSQUE_CACHE_USER, _PASSWORD what the registry asks for, if it does
set -euo pipefail
cd "$(dirname "$0")/.."

log_in() {
  [ -n "${KIOSQUE_CACHE_PASSWORD:-}" ] || return 0
  docker login --username "$KIOSQUE_CACHE_USER" --password-stdin "${KIOSQUE_CACHE%%/*}" <<<"$KIOSQUE_CACHE_PASSWORD"
}

# What takes the time are the stages of dependencies, which change with requirements/ alone.
build_dependencies() {
  local stage place
  for stage in $(sed -n 's/^FROM install AS \(.*-packages\)$/\1/p' deploy/Dockerfile); do
    place=$KIOSQUE_CACHE:$stage
    docker build --file deploy/Dockerfile --target "$stage" --tag "$place" \
      --cache-from "$place" --build-arg BUILDKIT_INLINE_CACHE=1 .
    [ -z "${KIOSQUE_CACHE_PUSH:-}" ] || docker push --quiet "$place"
  done
}

if [ -n "${KIOSQUE_CACHE:-}" ]; then
  log_in
  build_dependencies
fi
docker compose --profile train build
