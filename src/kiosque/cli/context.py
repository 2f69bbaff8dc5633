"""From a command's context to the parts of the house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from kiosque.settings import Settings, load_settings

if TYPE_CHECKING:
    from kiosque.wiring import House


def settings_of(ctx: typer.Context, **overrides: Any) -> Settings:
    """The settings with the options of the root command and `overrides` on top; logging is set up by them."""
    settings = load_settings(**{**(ctx.find_root().obj or {}), **overrides})
    _configure_logging(settings)
    return settings


@contextmanager
def house_of(
    ctx: typer.Context, *, default_log_level: str | None = "warning", **overrides: Any
) -> Iterator[House]:
    """The parts of the house for one command. Jobs log warnings only; servers pass None for the set level."""
    from kiosque.wiring import open_house

    settings = load_settings(**{**(ctx.find_root().obj or {}), **overrides})
    _configure_logging(settings, default_log_level)
    with open_house(settings) as house:
        yield house


def _configure_logging(settings: Settings, default_level: str | None = None) -> None:
    from kiosque.ops.logs import configure_logging
    from kiosque.settings import secret_names

    level = settings.log_level
    chosen = "log_level" in settings.model_fields_set
    secrets = (getattr(settings, name) for name in secret_names())
    configure_logging(
        level if chosen or default_level is None else default_level,
        settings.log_format,
        secrets=[s.get_secret_value() for s in secrets if s is not None],
    )
