"""Every error that Kiosque raises on purpose.

    KiosqueError                       code              status  exit
    ├── InvalidInput                   invalid_input     422     2
    │   └── InvalidSettings            invalid_settings  500     2
    ├── NotFound                       not_found         404     3
    ├── Unauthenticated                unauthenticated   401     1
    ├── Forbidden                      forbidden         403     1
    ├── Conflict                       conflict          409     1
    ├── TooLarge                       too_large         413     2
    ├── PreconditionFailed             precondition      412     4
    │   ├── SchemaMismatch             schema_mismatch   500     4
    │   └── NoModel                    no_model          503     4
    ├── CorruptModel                   corrupt_model     500     1
    └── TryAgain                       try_again         503     5
        ├── RateLimited                rate_limited      429     5
        ├── SourceUnavailable          source_unavailable 502    5
        ├── BusUnavailable             bus_unavailable   503     5
        ├── StoreUnavailable           store_unavailable 503     5
        ├── PredictUnavailable         predict_unavailable 503   5
        └── OutputUnavailable          output_unavailable 502    5

`code` is stable and documented; `status` is the HTTP status; `exit_code` is what the command line
ends with; `hint` says what to do. Adapters translate the exceptions of their libraries into these.
"""

from __future__ import annotations

from typing import ClassVar


class KiosqueError(Exception):
    """Something went wrong, and Kiosque knows what."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str, *, hint: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.detail} {self.hint}" if self.hint else self.detail


class InvalidInput(KiosqueError):
    """What was given is not what is expected; the hint says what is."""

    code = "invalid_input"
    status = 422
    exit_code = 2
    title = "Invalid input"


class InvalidSettings(InvalidInput):
    """A setting is missing or malformed."""

    code = "invalid_settings"
    status = 500
    title = "Invalid settings"


class NotFound(KiosqueError):
    """There is no such thing here."""

    code = "not_found"
    status = 404
    exit_code = 3
    title = "Not found"


class Unauthenticated(KiosqueError):
    """Who is asking is not known."""

    code = "unauthenticated"
    status = 401
    title = "Not authenticated"


class Forbidden(KiosqueError):
    """Who is asking is known and may not."""

    code = "forbidden"
    status = 403
    title = "Not allowed"


class Conflict(KiosqueError):
    """It exists already, or it changed in the meantime."""

    code = "conflict"
    status = 409
    title = "Conflict"


class TooLarge(KiosqueError):
    """More than the stated limit."""

    code = "too_large"
    status = 413
    exit_code = 2
    title = "Too large"


class PreconditionFailed(KiosqueError):
    """Something must be done first; the hint says what."""

    code = "precondition"
    status = 412
    exit_code = 4
    title = "Precondition failed"


class SchemaMismatch(PreconditionFailed):
    """The database is older or newer than this program."""

    code = "schema_mismatch"
    status = 500
    title = "The database does not fit this version"


class NoModel(PreconditionFailed):
    """The model store holds no usable version of the model that was asked for."""

    code = "no_model"
    status = 503
    title = "No model"


class CorruptModel(KiosqueError):
    """A model version does not match its manifest and is refused."""

    code = "corrupt_model"
    title = "Corrupt model"


class TryAgain(KiosqueError):
    """It did not work now and may work later."""

    code = "try_again"
    status = 503
    exit_code = 5
    title = "Try again later"

    def __init__(self, detail: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after = retry_after
        """Seconds to wait before the next try, where that is known."""


class RateLimited(TryAgain):
    """More requests than the limit allows."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"


class SourceUnavailable(TryAgain):
    """A news source did not answer, or answered with an error."""

    code = "source_unavailable"
    status = 502
    title = "Source unavailable"


class BusUnavailable(TryAgain):
    """The broker did not answer, or did not take the message."""

    code = "bus_unavailable"
    title = "Broker unavailable"


class StoreUnavailable(TryAgain):
    """The database did not answer."""

    code = "store_unavailable"
    title = "Database unavailable"


class PredictUnavailable(TryAgain):
    """The predict server did not answer."""

    code = "predict_unavailable"
    title = "Predict unavailable"


class OutputUnavailable(TryAgain):
    """The receiver of an alert (a webhook, a mail server) did not take it."""

    code = "output_unavailable"
    status = 502
    title = "Receiver unavailable"

    def __init__(self, detail: str, *, hint: str | None = None, final: bool = False) -> None:
        super().__init__(detail, hint=hint)
        self.final = final
        """Whether the receiver said that it will never take it."""
