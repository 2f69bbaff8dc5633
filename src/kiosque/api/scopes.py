"""What a caller may do, and who the caller is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from kiosque.core.errors import Forbidden, Unauthenticated


class Scope(StrEnum):
    """Each one includes those above it."""

    READ = "read"
    """Read everything but accounts; ask the models."""
    WRITE = "write"
    """Watch entities, give feedback, run sources and dead letters."""
    ADMIN = "admin"
    """Move models; users and keys."""


_INCLUDED = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.WRITE: frozenset({Scope.READ, Scope.WRITE}),
    Scope.ADMIN: frozenset(Scope),
}


_NAMES = frozenset(scope.value for scope in Scope)


class Via(StrEnum):
    """How a caller showed who they are."""

    NOTHING = "nothing"
    KEY = "key"
    TOKEN = "token"  # noqa: S105
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `name` is a user's or a key's name; `id` tells callers apart in limits."""

    id: str
    name: str
    scopes: frozenset[Scope]
    via: Via

    def require(self, scope: Scope) -> None:
        """Raises Unauthenticated when it is not known who asks, Forbidden when it is and they may not."""
        if scope in self.scopes:
            return
        if self.via is Via.NOTHING:
            raise Unauthenticated(
                f"This needs a key or token with the scope {scope.value!r}.",
                hint="Send it as `Authorization: Bearer …`; make a key with `kiosque key add`.",
            )
        raise Forbidden(
            f"This needs the scope {scope.value!r}; {self.name!r} has {_listed(self.scopes)}.",
            hint="Use a key with that scope, or ask an administrator for one.",
        )


def parse_scopes(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes of that name; what is unknown is left out, for it can allow nothing."""
    return frozenset(Scope(name) for name in names if name in _NAMES)


def granted(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """`scopes` with those they include."""
    return frozenset().union(*(_INCLUDED[scope] for scope in scopes))


def _listed(scopes: frozenset[Scope]) -> str:
    return ", ".join(scope.value for scope in Scope if scope in scopes) or "none"
