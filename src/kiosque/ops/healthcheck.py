"""Asking a process of this machine whether it is ready: for container engines, which ask every few seconds.

Standard library only, so that an answer costs a third of what `kiosque healthcheck`, which gives the same, does:
`python -m kiosque.ops.healthcheck 8000`.
"""

from __future__ import annotations

import http.client
import json
import sys

PATIENCE = 5.0
"""Seconds to wait for the answer."""


def ask(port: int, *, live: bool = False) -> tuple[bool, str]:
    """Whether the process at `port` is ready, with `live` whether it runs at all, and its checks, one a line."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/livez" if live else "/readyz")
        answer = connection.getresponse()
        return answer.status == 200, _summary(answer.read().decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException) as error:
        return False, f"No answer on port {port}: {error}"
    finally:
        connection.close()


def _summary(said: str) -> str:
    """The checks, one a line; an answer that is not ours as it is."""
    try:
        checks = json.loads(said).get("checks") or {"process": "ok"}
        return "\n".join(f"{name}: {words}" for name, words in checks.items())
    except (ValueError, AttributeError):
        return said


if __name__ == "__main__":
    ready, words = ask(int(sys.argv[1]))
    sys.stdout.write(words + "\n")
    sys.exit(not ready)
