"""Tokens, keys, users."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kiosque.api.passwords import MAX_LENGTH, MIN_LENGTH
from kiosque.api.schemas.base import Answer, Ask, Flag, Listing, Moment, Name
from kiosque.api.scopes import Caller, Scope, Via
from kiosque.store.keys import ApiKey
from kiosque.store.users import User

Password = Annotated[str, StringConstraints(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]
UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]


class TokenForm(Ask):
    """The OAuth2 password form."""

    grant_type: Literal["password"] = "password"
    username: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=MAX_LENGTH)]
    scope: Annotated[str, StringConstraints(max_length=100)] = Field(
        default="",
        description="What the token may do at most, separated by blanks; without it all the user may.",
    )
    client_id: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Accepted and ignored."
    )
    client_secret: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Accepted and ignored."
    )


class TokenAnswer(Answer):
    """A token (RFC 6749)."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(description="Seconds.")
    scope: str


class CallerAnswer(Answer):
    """Who is asking."""

    name: str
    via: Via = Field(description="How that was shown.")
    scopes: list[Scope]

    @classmethod
    def of(cls, caller: Caller) -> CallerAnswer:
        return cls(name=caller.name, via=caller.via, scopes=in_order(caller.scopes))


class PasswordBody(Ask):
    """A new password for oneself."""

    current: Annotated[str, StringConstraints(min_length=1, max_length=MAX_LENGTH)]
    new: Password


class KeyBody(Ask):
    """A new key."""

    name: Name = Field(description="What it is for.", examples=["notebook"])
    scopes: list[Scope] = Field(min_length=1, max_length=3, examples=[["read"]])
    expires_at: Moment | None = Field(default=None, description="Without it the key is good until revoked.")
    owner: UserName | None = Field(default=None, description="A user with whom it is disabled and deleted.")


class KeyAnswer(Answer):
    """What is known of a key."""

    id: int
    name: str
    prefix: str = Field(description="How the key starts.")
    scopes: list[str]
    owner: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> KeyAnswer:
        return cls.model_validate(key_fields(key))


class KeyListing(Listing[KeyAnswer]):
    """One page of keys, newest first."""


class NewKeyAnswer(KeyAnswer):
    """A new key, with its secret: it is shown this once."""

    key: str = Field(description="Keep it: it cannot be shown again.")


class UserBody(Ask):
    """A new user."""

    name: UserName = Field(examples=["ana"])
    password: Password
    scopes: list[Scope] = Field(min_length=1, max_length=3, examples=[["read"]])


class UserChangeBody(Ask):
    """What to change; what is not given stays."""

    password: Password | None = None
    scopes: list[Scope] | None = Field(default=None, min_length=1, max_length=3)
    disabled: Flag | None = Field(default=None, description="A disabled user's tokens and keys fail at once.")


class UserAnswer(Answer):
    """Someone who may log in."""

    name: str
    scopes: list[str]
    disabled: bool
    created_at: datetime
    last_login_at: datetime | None

    @classmethod
    def of(cls, user: User) -> UserAnswer:
        return cls(
            name=user.name,
            scopes=list(user.scopes),
            disabled=user.disabled,
            created_at=user.created_at,
            last_login_at=user.last_login_at,
        )


class UserListing(Listing[UserAnswer]):
    """One page of users, by name."""


def in_order(scopes: frozenset[Scope]) -> list[Scope]:
    """`scopes` from the least to the most."""
    return [scope for scope in Scope if scope in scopes]


def key_fields(key: ApiKey) -> dict[str, object]:
    """The fields of `KeyAnswer`."""
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "owner": key.owner,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }
