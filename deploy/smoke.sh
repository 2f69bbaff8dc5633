#!/usr/bin/env bash
# Fail unless Kiosque is ready, shows its first page and has articles.   deploy/smoke.sh [ADDRESS]
set -euo pipefail
exec python3 - "${1:-${KIOSQUE_ADDRESS:-http://127.0.0.1:8000}}" <<'PYTHON'
import json, sys, urllib.request
address = sys.argv[1].rstrip("/")
def get(path: str) -> bytes:
    with urllib.request.urlopen(address + path, timeout=30) as answer:
        return answer.read()
print("ready:", json.loads(get("/readyz"))["checks"])
assert b"<h1" in get("/"), "the first page has no heading"
items = json.loads(get("/api/v1/articles?limit=1"))["items"]
assert items, "there are no articles"
print("first article:", items[0]["key"])
PYTHON
