"""Who looks at the pages: a signed cookie, checked on every request, and forms that only our pages can send."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from fastapi import Request
from starlette.requests import HTTPConnection
from starlette.responses import Response

from kiosque.api.auth import Authenticator
from kiosque.api.context import Api, api_of
from kiosque.api.keys import is_key
from kiosque.api.ratelimit import LoginThrottle, client_of
from kiosque.api.scopes import Caller, Scope, Via
from kiosque.api.tokens import TokenIssuer
from kiosque.core.errors import Forbidden, RateLimited, StoreUnavailable, Unauthenticated
from kiosque.store.users import User
from kiosque.web.language import gettext, ngettext

LIFETIME = timedelta(hours=12)
"""How long one login lasts: a working day."""
_SESSION, _VISIT = "kiosque_session", "kiosque_visit"
_OWN_SITE = ("same-origin", "none")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for a page. `form_token` goes into every form of the page that writes."""

    caller: Caller
    form_token: str

    @property
    def logged_in(self) -> bool:
        return self.caller.via is Via.SESSION

    @property
    def reads(self) -> bool:
        return Scope.READ in self.caller.scopes

    @property
    def writes(self) -> bool:
        return Scope.WRITE in self.caller.scopes

    @property
    def administers(self) -> bool:
        return self.logged_in and Scope.ADMIN in self.caller.scopes


class Sessions:
    """Makes and reads the cookies. The tokens in them are signed with a key of their own: they are none of the API's.

    Who logged out is remembered in this process until the session would have ended anyway.
    """

    def __init__(self, api: Api, *, secure: bool) -> None:
        key = hmac.new(api.context.secret_key.encode(), b"kiosque/web/session/1", hashlib.sha256)
        self._form_key = hmac.new(key.digest(), b"form", hashlib.sha256).digest()
        self._tokens = TokenIssuer(key.hexdigest(), lifetime=LIFETIME, clock=api.clock)
        self._api = api
        self._authenticator = Authenticator(
            api.database,
            tokens=self._tokens,
            passwords=api.context.passwords,
            throttle=LoginThrottle(),  # unused: passwords are tried at the API's authenticator
            clock=api.clock,
            open_reading=False,
        )
        self._secure = secure
        # A browser takes a cookie of this prefix only over TLS, for this host and every path.
        prefix = "__Host-" if secure else ""
        self._session, self._visit = prefix + _SESSION, prefix + _VISIT
        self._ended: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def caller(self, connection: HTTPConnection) -> Caller | None:
        """The user of the cookie; None without one, when it has ended, or when the user may not log in any more."""
        cookie = connection.cookies.get(self._session)
        if not cookie:
            return None
        try:
            if is_key(cookie) or self._tokens.read(cookie).token_id in self._ended:
                return None
            caller = self._authenticator.identify(cookie).caller
        except Unauthenticated:
            return None
        return replace(caller, via=Via.SESSION)

    def visitor(self, request: HTTPConnection) -> Visitor:
        """Who asks: the user of the session, else whoever comes from this address.

        Raises StoreUnavailable where that is not known and nobody may read who has not logged in.
        """
        address = client_of(request.client.host if request.client else None)
        nobody = self._api.authenticator.nobody(address)
        try:
            caller = self.caller(request)
        except StoreUnavailable:  # some pages need no database, and whoever comes may read them
            if Scope.READ not in nobody.scopes:
                raise
            caller = None
        if caller is None:
            return Visitor(nobody, self._form_token(request.cookies.get(self._visit, "")))
        return Visitor(caller, self._form_token(request.cookies[self._session]))

    def log_in(self, request: Request, response: Response, username: str, password: str) -> User:
        """Check the password and give `response` the session. Raises Unauthenticated or RateLimited."""
        address = client_of(request.client.host if request.client else None)
        user = self._api.authenticator.log_in(username, password, address)
        token = self._authenticator.issue_token(user, frozenset(Scope))
        self._set(response, self._session, token, LIFETIME)
        self._drop(response, self._visit)
        return user

    def log_out(self, request: Request, response: Response) -> None:
        """End the session, also for whoever kept a copy of the cookie."""
        cookie = request.cookies.get(self._session)
        if cookie and self.caller(request) is not None:
            claims, now = self._tokens.read(cookie), self._api.clock()
            with self._lock:
                self._ended = {name: end for name, end in self._ended.items() if end > now}
                self._ended[claims.token_id] = claims.expires_at
        self._drop(response, self._session)

    def begin_visit(self, request: Request) -> tuple[str, str]:
        """For the login form, before there is a session: a random seed for `keep_visit`, and the form's token."""
        seed = request.cookies.get(self._visit) or secrets.token_urlsafe(16)
        return seed, self._form_token(seed)

    def keep_visit(self, response: Response, seed: str) -> None:
        self._set(response, self._visit, seed, LIFETIME)

    def check_form(self, request: Request, token: str) -> None:
        """That the form came from a page of ours, shown to this browser. Raises Forbidden."""
        seed = (
            request.cookies.get(self._session) if self.caller(request) else request.cookies.get(self._visit)
        )
        expected = self._form_token(seed or "")
        right = bool(seed) and hmac.compare_digest(token.encode(), expected.encode())
        if not right or not _from_own_site(request):
            raise Forbidden(
                gettext(
                    "This form was not sent from a page of this installation, or the page was open for too long."
                ),
                hint=gettext("Open the page again and send the form from there."),
            )

    def _form_token(self, seed: str) -> str:
        return hmac.new(self._form_key, seed.encode(), hashlib.sha256).hexdigest()[:32]

    def _set(self, response: Response, name: str, value: str, lifetime: timedelta) -> None:
        seconds = int(lifetime.total_seconds())
        response.set_cookie(name, value, seconds, httponly=True, samesite="lax", secure=self._secure)

    def _drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, httponly=True, samesite="lax", secure=self._secure)


def sessions_of(connection: HTTPConnection) -> Sessions | None:
    """The `Sessions` that `install_pages` put into the application; None where there are no pages."""
    sessions: Sessions | None = getattr(connection.app.state, "sessions", None)
    return sessions


def session_caller(connection: HTTPConnection) -> Caller | None:
    """For `Hooks.session`: who a browser's cookie says is reading the API, e.g. by a CSV link."""
    sessions = sessions_of(connection)
    return sessions.caller(connection) if sessions else None


def visitor_of(request: HTTPConnection) -> Visitor:
    """Who asks for this page; found out once a request."""
    known: Visitor | None = getattr(request.state, "visitor", None)
    if known is None:
        sessions = sessions_of(request)
        if sessions is None:
            raise RuntimeError("install_pages has not run")
        known = request.state.visitor = sessions.visitor(request)
    return known


def need_reader(request: Request) -> None:
    """The dependency of every page. Raises Unauthenticated or Forbidden without the right to read, RateLimited."""
    visitor = visitor_of(request)
    visitor.caller.require(Scope.READ)
    allowance = api_of(request).limiter.take(visitor.caller.id)
    if allowance and not allowance.allowed:
        raise RateLimited(
            gettext("These pages were asked for too often in too short a time."),
            hint=ngettext("Try again in %(num)s second.", "Try again in %(num)s seconds.", allowance.reset),
            retry_after=allowance.reset,
        )


def need_admin(request: Request) -> None:
    """The dependency of pages for administrators. Raises Unauthenticated or Forbidden."""
    visitor_of(request).caller.require(Scope.ADMIN)


def sender(request: Request, form_token: str, scope: Scope) -> Caller:
    """Who sends a form that changes something.

    Raises Unauthenticated without a login, Forbidden without the right to, or when the form is none of our pages'.
    """
    visitor, sessions = visitor_of(request), sessions_of(request)
    if sessions is None or not visitor.logged_in:
        raise Unauthenticated(gettext("Log in to do this."), hint=gettext("The page of the login is /login."))
    sessions.check_form(request, form_token)
    visitor.caller.require(scope)
    return visitor.caller


def safe_return(address: str) -> str:
    """`address` if it is one of this installation's pages, else the first page."""
    parts = urlsplit(address)
    inside = address.startswith("/") and not address.startswith(("//", "/\\"))
    plain = address.isprintable() and not parts.scheme and not parts.netloc and "\\" not in address
    return address if inside and plain and parts.path not in ("/login", "/logout") else "/"


def _from_own_site(request: Request) -> bool:
    """What browsers say of where a form comes from; one that says nothing is judged by its token alone."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in _OWN_SITE
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
