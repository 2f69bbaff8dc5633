"""Many clients at once: each sends a request, waits for the answer, and sends the next, over a connection kept open.

A few lines over asyncio's protocols instead of an HTTP client, so that the generator is never what is slow.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from typing import Any

from protocol import serve


class Client(asyncio.Protocol):
    """One connection. `bodies` are ready requests; it begins at number `first`."""

    def __init__(self, requests: list[bytes], first: int, until: float) -> None:
        self.requests, self.next, self.until = requests, first, until
        self.done = asyncio.get_running_loop().create_future()
        self.seconds: list[float] = []
        self.failed = 0
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self.started = time.perf_counter()
        self.transport.write(self.requests[self.next % len(self.requests)])
        self.next += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or not _is_whole(head.lower(), body):
            return
        self._buffer = b""
        self.failed += not head.startswith(b"HTTP/1.1 200")
        self.seconds.append(time.perf_counter() - self.started)
        if time.perf_counter() < self.until:
            self._send()
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


def _is_whole(head: bytes, body: bytes) -> bool:
    _, found, rest = head.partition(b"content-length:")
    return len(body) >= int(rest.split(b"\r\n", 1)[0]) if found else body.endswith(b"0\r\n\r\n")


def load(port: int, path: str, bodies: list[str], clients: int, seconds: float) -> dict[str, float]:
    """What `clients` get in `seconds`: answers a second, and the milliseconds that half and 99 % of them took."""
    return asyncio.run(_load(port, [_request(port, path, body) for body in bodies], clients, seconds))


async def _load(port: int, requests: list[bytes], clients: int, seconds: float) -> dict[str, float]:
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    crowd = [Client(requests, 7 * number, began + seconds) for number in range(clients)]
    for client in crowd:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)
    await asyncio.wait_for(asyncio.gather(*(client.done for client in crowd)), seconds + 120)
    took = time.perf_counter() - began
    times = sorted(each for client in crowd for each in client.seconds)
    if failed := sum(client.failed for client in crowd):
        raise RuntimeError(f"{failed} of {len(times)} requests failed")
    if not times:
        raise RuntimeError("no request was answered")
    p50, p99 = (1000 * times[min(len(times) - 1, int(share * len(times)))] for share in (0.5, 0.99))
    return {"rate": len(times) / took, "count": len(times), "p50": p50, "p99": p99}


def _request(port: int, path: str, body: str) -> bytes:
    data = body.encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


def answers(port: int, path: str, body: str) -> bool:
    """Whether the server gives a good answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
    except OSError:
        return False
    finally:
        connection.close()
    return reply.status == 200 and bool(json.loads(text))


if __name__ == "__main__":
    serve({"load": load, "answers": answers})
