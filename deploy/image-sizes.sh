#!/usr/bin/env bash
# How large each image is, and how much of that its base image is not, as a table in millions of bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
base=$(sed -n 's/^ARG PYTHON=//p' deploy/Dockerfile)
tag=${KIOSQUE_TAG:-local}

size() { docker image inspect --format '{{.Size}}' "$1"; }
millions() { awk -v bytes="$1" 'BEGIN { printf "%.0f", bytes / 1e6 }'; }

below=$(size "$base")
echo "| image | whole | above $base, which is $(millions "$below") |"
echo "|---|---|---|"
for name in producer consumer predict web tools books polarity; do
  bytes=$(size "kiosque/$name:$tag" 2>/dev/null) || { echo "| $name | not built | |"; continue; }
  echo "| $name | $(millions "$bytes") | $(millions $((bytes - below))) |"
done
