"""Logging, set up once per process: text on a terminal, JSON lines elsewhere, always on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from kiosque.core.secrets import HIDDEN, is_secret_name


def configure_logging(
    level: str = "info",
    style: Literal["auto", "json", "text"] = "auto",
    *,
    secrets: Iterable[str] = (),
) -> None:
    """Send structlog and the standard library's loggers to stderr in one form.

    `secrets` are values that must never be printed, whatever they stand in: they are replaced by `***`.
    """
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    shared = _shared_processors(tuple(s for s in secrets if s))
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default prints local variables, and with them what must never be logged.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    tail: list[Processor] = [structlog.processors.format_exc_info] if as_json else []
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(
        level.upper()
    )  # a library may set its own logger to DEBUG; what is printed is ours to say
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # Their request lines carry addresses with keys in them; what matters is logged by the sources.
    for name in ("httpx2", "httpcore2", "uvicorn.access", "alembic", "bm25s"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _shared_processors(secrets: tuple[str, ...]) -> list[Processor]:
    def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {key: _hide(key, value, secrets) for key, value in event.items()}

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        hide_secrets,
    ]


def _hide(key: str, value: object, secrets: tuple[str, ...]) -> object:
    if is_secret_name(key) and value:
        return HIDDEN
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
    return value
