"""For administrators: who may log in, which keys are good, and what this process was told."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from pydantic import StringConstraints, TypeAdapter, ValidationError
from starlette.responses import HTMLResponse, RedirectResponse

from kiosque.api.context import Api
from kiosque.api.keys import make_key
from kiosque.api.passwords import MAX_LENGTH, MIN_LENGTH
from kiosque.api.schemas.accounts import UserName, in_order
from kiosque.api.scopes import Scope
from kiosque.core.errors import Conflict, InvalidInput, KiosqueError
from kiosque.store import keys, users
from kiosque.web.language import gettext
from kiosque.web.render import house, page
from kiosque.web.session import need_admin, sender

router = APIRouter()

Short = Annotated[str, Form(max_length=300)]
Secret = Annotated[str, Form(max_length=MAX_LENGTH)]
ADMIN = [Depends(need_admin)]
_user_name: TypeAdapter[str] = TypeAdapter(UserName)
_key_name: TypeAdapter[str] = TypeAdapter(
    Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
)


@router.get("/users", dependencies=ADMIN)
def user_list(request: Request, sent: str = "") -> HTMLResponse:
    return _users(request, sent=sent)


@router.post("/users", response_model=None)
def add_user(
    request: Request, name: Short = "", password: Secret = "", scope: Short = "read", form_token: Short = ""
) -> HTMLResponse | RedirectResponse:
    sender(request, form_token, Scope.ADMIN)
    api = house(request)
    try:
        hashed = api.authenticator.hash_password(checked_password(password))
        with api.database.write() as tx:
            users.add(
                tx,
                checked(
                    _user_name, name, gettext("A name has letters, digits, dots, hyphens and @, 64 at most.")
                ),
                password_hash=hashed,
                scopes=(_scope(scope),),
                at=api.clock(),
            )
    except KiosqueError as error:
        return _users(request, problem=error, name=name)
    return RedirectResponse("/users?sent=added", status_code=303)


@router.post("/users/{user}", response_model=None)
def change_user(
    request: Request,
    user: str,
    do: Short = "",
    scope: Short = "",
    password: Secret = "",
    form_token: Short = "",
) -> HTMLResponse | RedirectResponse:
    """`do` is scope, password, disable, enable or delete. Raises Conflict for one's own rights."""
    caller = sender(request, form_token, Scope.ADMIN)
    if do in ("scope", "disable", "delete") and caller.name.casefold() == user.casefold():
        return _users(
            request, problem=Conflict(gettext("Your own rights another administrator has to take away."))
        )
    try:
        _change(house(request), user, do, scope=scope, password=password)
    except KiosqueError as error:
        return _users(request, problem=error)
    return RedirectResponse(f"/users?sent={do}", status_code=303)


def _change(api: Api, user: str, do: str, *, scope: str, password: str) -> None:
    hashed = api.authenticator.hash_password(checked_password(password)) if do == "password" else ""
    with api.database.write() as tx:
        match do:
            case "scope":
                users.set_scopes(tx, user, (_scope(scope),))
            case "password":
                users.set_password(tx, user, hashed)
            case "disable" | "enable":
                users.set_disabled(tx, user, do == "disable")
            case "delete":
                users.delete(tx, user)
            case _:
                raise InvalidInput(gettext("Nobody can do “%(what)s” to a user.", what=do[:40]))


def _users(
    request: Request, *, sent: str = "", problem: KiosqueError | None = None, name: str = ""
) -> HTMLResponse:
    with house(request).database.read() as tx:
        return page(
            request,
            tx,
            "users.html",
            section="/users",
            status=problem.status if problem else 200,
            users=users.everyone(tx),
            scopes=list(Scope),
            shortest=MIN_LENGTH,
            sent=sent,
            problem=problem,
            typed=name,
        )


@router.get("/keys", dependencies=ADMIN)
def key_list(request: Request, sent: str = "") -> HTMLResponse:
    return _keys(request, sent=sent)


@router.post("/keys", response_model=None)
def add_key(
    request: Request,
    name: Short = "",
    scope: Short = "read",
    expires: Short = "",
    owner: Short = "",
    form_token: Short = "",
) -> HTMLResponse:
    """Answers with the key, which nobody can show again: the page must not be kept."""
    sender(request, form_token, Scope.ADMIN)
    api = house(request)
    now, new = api.clock(), make_key()
    try:
        with api.database.write() as tx:
            if owner:
                users.get(tx, owner)
            made = keys.add(
                tx,
                name=checked(_key_name, name, gettext("Say what the key is for, in 200 characters at most.")),
                prefix=new.prefix,
                digest=new.digest,
                scopes=(_scope(scope),),
                at=now,
                owner=owner or None,
                expires_at=_expiry(expires, now),
            )
    except KiosqueError as error:
        return _keys(request, problem=error, name=name)
    answer = _keys(request, made=made, secret=new.text)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/keys/{key}/revoke")
def revoke_key(request: Request, key: int, form_token: Short = "") -> RedirectResponse:
    sender(request, form_token, Scope.ADMIN)
    api = house(request)
    with api.database.write() as tx:
        keys.revoke(tx, key, api.clock())
    return RedirectResponse("/keys?sent=revoked", status_code=303)


def _keys(
    request: Request,
    *,
    sent: str = "",
    problem: KiosqueError | None = None,
    made: keys.ApiKey | None = None,
    secret: str = "",
    name: str = "",
) -> HTMLResponse:
    api = house(request)
    now = api.clock()
    with api.database.read() as tx:
        listed = keys.everything(tx)
        return page(
            request,
            tx,
            "keys.html",
            section="/keys",
            status=problem.status if problem else 200,
            keys=listed,
            usable={key.id: key.usable_at(now) for key in listed},
            users=users.everyone(tx),
            scopes=list(Scope),
            sent=sent,
            problem=problem,
            made=made,
            secret=secret,
            typed=name,
        )


@router.get("/settings", dependencies=ADMIN)
def setting_list(request: Request) -> HTMLResponse:
    api = house(request)
    ask = api.context.hooks.settings
    with api.database.read() as tx:
        return page(request, tx, "settings.html", section="/settings", settings=list(ask()) if ask else [])


def checked(kind: TypeAdapter[str], value: str, hint: str) -> str:
    """`value` as `kind` takes it. Raises InvalidInput with `hint`."""
    try:
        return kind.validate_python(value.strip())
    except ValidationError:
        raise InvalidInput(gettext("“%(value)s” does not do.", value=value[:80]), hint=hint) from None


def checked_password(password: str) -> str:
    """Raises InvalidInput for one that is too short."""
    if len(password) < MIN_LENGTH:
        raise InvalidInput(
            gettext("A password has %(n)s characters at least.", n=MIN_LENGTH),
            hint=gettext("A few words in a row are good."),
        )
    return password


def _scope(name: str) -> str:
    try:
        return in_order(frozenset({Scope(name)}))[0].value
    except ValueError:
        raise InvalidInput(gettext("There is no scope “%(name)s”.", name=name[:40])) from None


def _expiry(day: str, now: datetime) -> datetime | None:
    """The end of that day. Raises InvalidInput for one that has passed."""
    if not day:
        return None
    try:
        end = datetime.combine(date.fromisoformat(day), time(23, 59, 59), UTC)
    except ValueError:
        raise InvalidInput(
            gettext("“%(text)s” is no day.", text=day[:40]), hint=gettext("Days are written YYYY-MM-DD.")
        ) from None
    if end <= now:
        raise InvalidInput(gettext("That day has passed."), hint=gettext("Give one in the future, or none."))
    return end
