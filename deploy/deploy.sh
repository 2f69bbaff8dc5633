#!/usr/bin/env bash
# Put this checkout into service on this machine; when it does not answer, put back what was in service before.
# The volumes, and with them the data, stay. So does the schema: see docs/how-to/docker.md.
#   KIOSQUE_DEPLOY_SECONDS   how long the services have to become healthy, else 600
set -euo pipefail
cd "$(dirname "$0")/.."
patience=${KIOSQUE_DEPLOY_SECONDS:-600}
# image → a service that runs it
declare -A services=([producer]=producer [consumer]=consumer [predict]=predict [web]=web [books]=books [tools]=demo)
tag=$(docker compose config --images | sed -n 's|^kiosque/web:||p' | sort -u)

# Asks the containers, not the tag: what was built since the last start is not in service. Jobs may have been removed.
keep_previous() {
  local name containers image
  [ -n "$(docker compose ps --quiet web)" ] || return 1
  for name in "${!services[@]}"; do
    mapfile -t containers < <(docker compose ps --all --quiet "${services[$name]}")
    image=kiosque/$name:$tag
    [ "${#containers[@]}" -eq 0 ] || image=$(docker inspect --format '{{.Image}}' "${containers[0]}")
    docker tag "$image" "kiosque/$name:$tag-previous" || return 1
  done
}

# The tag is what the next `up` starts: it must not stay on what does not answer.
put_back() {
  local name
  for name in "${!services[@]}"; do docker tag "kiosque/$name:$tag-previous" "kiosque/$name:$tag"; done
}

give_up() {
  echo "$1" >&2
  [ -n "$previous" ] || { echo "There is nothing to go back to." >&2; exit 1; }
  put_back
}

answers() { deploy/smoke.sh "http://$(docker compose port web 8000)"; }

previous=
if keep_previous; then previous=yes; fi
docker compose build || { give_up "The new version cannot be built; what was in service still is."; exit 1; }
if docker compose up --detach --wait --wait-timeout "$patience" && answers; then exit 0; fi
give_up "The new version does not answer; going back."
docker compose up --detach --no-build --wait --wait-timeout 600
answers
echo "The version before is in service again." >&2
exit 1
