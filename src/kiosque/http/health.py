"""`/livez` says that the process runs, `/readyz` whether what it needs answers, `/metrics` how it fares."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, Field

from kiosque.core.errors import KiosqueError

Check = Callable[[], str | None]
"""Returns when the dependency answers, raises a KiosqueError when it does not.

A string that it returns is a remark: the process is ready, and this is worth knowing.
"""


class Liveness(BaseModel):
    status: str = Field(examples=["ok"])


class Readiness(BaseModel):
    """`checks` maps each dependency to `ok` or to what is wrong with it."""

    status: str = Field(examples=["ok", "unavailable"])
    checks: dict[str, str] = Field(examples=[{"database": "ok", "predict": "ok"}])


def run_checks(checks: Mapping[str, Check]) -> Readiness:
    """Try every check; one that fails does not keep the others from being tried."""
    outcomes = {name: _outcome(check) for name, check in checks.items()}
    ready = all(fine for fine, _ in outcomes.values())
    said = {name: words for name, (_, words) in outcomes.items()}
    return Readiness(status="ok" if ready else "unavailable", checks=said)


def _outcome(check: Check) -> tuple[bool, str]:
    try:
        remark = check()
    except KiosqueError as error:
        return False, str(error)
    return True, f"ok ({remark})" if remark else "ok"


def health_router(checks: Mapping[str, Check], registry: CollectorRegistry) -> APIRouter:
    """The three routes. `/livez` never touches a dependency."""
    router = APIRouter(tags=["operations"])

    @router.get("/livez", summary="Does the process run?")
    async def livez() -> Liveness:
        return Liveness(status="ok")

    @router.get("/readyz", summary="Does what it needs answer?", responses={503: {"model": Readiness}})
    def readyz(response: Response) -> Readiness:
        readiness = run_checks(checks)
        if readiness.status != "ok":
            response.status_code = 503
        return readiness

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response)
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
