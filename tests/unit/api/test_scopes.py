import pytest

from kiosque.api.scopes import Caller, Scope, Via, granted, parse_scopes
from kiosque.core.errors import Forbidden, Unauthenticated


def caller(*scopes: Scope, via: Via = Via.KEY) -> Caller:
    return Caller(id="key:1", name="notebook", scopes=granted(scopes), via=via)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ([], []),
        ([Scope.READ], [Scope.READ]),
        ([Scope.WRITE], [Scope.READ, Scope.WRITE]),
        ([Scope.ADMIN], [Scope.READ, Scope.WRITE, Scope.ADMIN]),
    ],
)
def test_each_scope_includes_the_lesser_ones(given: list[Scope], allowed: list[Scope]) -> None:
    assert granted(given) == set(allowed)


def test_a_scope_that_is_unknown_allows_nothing() -> None:
    assert parse_scopes(["root", "", "READ"]) == frozenset()


def test_a_stranger_is_asked_who_they_are() -> None:
    with pytest.raises(Unauthenticated):
        Caller(id="address:x", name="anonymous", scopes=frozenset(), via=Via.NOTHING).require(Scope.READ)


def test_someone_known_is_told_what_is_missing() -> None:
    with pytest.raises(Forbidden, match="'admin'; 'notebook' has read, write"):
        caller(Scope.WRITE).require(Scope.ADMIN)


def test_enough_is_enough() -> None:
    caller(Scope.ADMIN).require(Scope.READ)
