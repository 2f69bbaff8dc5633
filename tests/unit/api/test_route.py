"""What all routes share."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Query, Request
from pydantic import BaseModel, Field
from starlette.testclient import TestClient

from kiosque.api.app import allowed_methods, api_routes
from kiosque.api.route import NEEDS_ADMIN, NEEDS_READ, OPEN_TO_ALL, ApiRoute, declared_scope
from kiosque.api.scopes import Caller, Scope, Via
from kiosque.http.problems import install_problem_handlers


class Wanted(BaseModel):
    many: list[str] = []
    first: int = Field(default=1, alias="from")


def app_with(dependencies: Any) -> FastAPI:
    router = APIRouter(route_class=ApiRoute)

    @router.get("/x", dependencies=dependencies)
    def x(query: Annotated[Wanted, Query()], plain: int = 0) -> dict[str, int]:
        return {"plain": plain + query.first}

    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(router)

    @app.middleware("http")
    async def know(request: Request, call_next: Any) -> Any:
        request.state.caller = Caller("key:1", "k", frozenset({Scope.READ}), Via.KEY)
        request.state.refusal = None
        return await call_next(request)

    return app


def test_a_route_that_does_not_say_who_may_call_it_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="does not declare who may call it"):
        app_with([])


@pytest.mark.parametrize(
    ("dependencies", "scope", "status"),
    [(NEEDS_READ, Scope.READ, 200), (NEEDS_ADMIN, Scope.ADMIN, 403), (OPEN_TO_ALL, None, 200)],
)
def test_the_declared_scope_is_the_one_that_is_asked_for(
    dependencies: Any, scope: Scope | None, status: int
) -> None:
    app = app_with(dependencies)
    assert TestClient(app).get("/x").status_code == status


def test_names_inside_query_models_are_known_by_their_alias() -> None:
    client = TestClient(app_with(NEEDS_READ))
    assert client.get("/x?from=2&plain=3&many=a&many=b").json() == {"plain": 5}
    refused = client.get("/x?first=2").json()
    assert "It takes: many, from, plain." in refused["hint"]


def test_every_route_of_the_api_is_of_this_kind() -> None:
    routes = api_routes()
    assert len(routes) > 50
    assert all(isinstance(route, ApiRoute) for route in routes)
    assert [route.path for route in routes if declared_scope(route) is None] == ["/api/v1/token"]


def test_all_methods_of_a_path_are_allowed_not_only_those_of_its_first_route() -> None:
    assert allowed_methods("/api/v1/entities/x") == ["DELETE", "GET", "PUT"]
    assert allowed_methods("/api/v1/nonsense") == []
