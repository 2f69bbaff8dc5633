"""Every setting, with its name, default and meaning. Read from `KIOSQUE_*`, `.env` and, for secrets, `*_FILE`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kiosque.core.errors import InvalidSettings
from kiosque.core.secrets import HIDDEN, mask_address

PREFIX = "KIOSQUE_"
_TOKEN_AS_NAME = re.compile(r"(://)[^/@:]+@")


def _default_data_dir() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "kiosque"


def _expanded(path: Path) -> Path:
    return path.expanduser().resolve()


DirectoryPath = Annotated[Path, AfterValidator(_expanded)]


class Settings(BaseSettings):
    """Immutable once read; handed down from `wiring`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    # where things lie
    data_dir: DirectoryPath = Field(
        default_factory=_default_data_dir,
        description="Folder of everything that Kiosque keeps: database, models, reject files, quota.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL address, `postgresql://user@host/name`. Without it: SQLite in the data folder.",
    )
    database_password: SecretStr | None = Field(
        default=None, description="Password for `database_url`, kept apart so that it can come from a file."
    )
    models_dir: DirectoryPath | None = Field(
        default=None, description="The model store. Without it: `models` in the data folder."
    )
    seed_demo: bool = Field(
        default=True, description="Load the demo news, books and watch list into an empty database."
    )

    # the bus
    bus: Literal["inline", "jetstream"] = Field(
        default="inline", description="How articles travel from producer to consumer."
    )
    nats_url: str = Field(default="nats://127.0.0.1:4222", description="Address of the broker.")
    nats_token: SecretStr | None = Field(default=None, description="Token for the broker.")
    nats_stream: str = Field(default="articles", description="Name of the stream.")
    nats_replicas: int = Field(default=1, ge=1, le=5, description="Copies of the stream in a broker cluster.")
    nats_max_age_days: float = Field(
        default=30.0, gt=0, description="Days that the broker keeps an article, handled or not, for replay."
    )
    nats_ack_wait: float = Field(
        default=60.0,
        ge=1,
        description="Seconds without a word from a consumer until its articles go to another one; at least 1.",
    )
    nats_max_pending: int = Field(
        default=1_000_000,
        ge=0,
        description="Articles that may wait for consumers before the bus takes no more. 0: any number.",
    )
    nats_max_bytes: int = Field(
        default=2_147_483_648,
        ge=0,
        description="Bytes of the broker's disk for the stream, set aside there. When they are full, handled "
        "articles make room, oldest first; those that wait never do: then the bus takes no more. 0: any number.",
    )

    # predict
    predict_url: str | None = Field(
        default=None, description="Address of the predict server. Without it: models run in this process."
    )
    predict_timeout: float = Field(default=30.0, gt=0, description="Seconds to wait for the predict server.")
    predict_token: SecretStr | None = Field(
        default=None, description="Bearer token that the predict server asks for and its clients send."
    )
    model_poll_seconds: float = Field(
        default=2.0, gt=0, description="How often predict looks for a moved alias in the model store."
    )
    threads: int | None = Field(
        default=None, ge=1, description="Threads for scoring. Without it: what affinity and cgroup allow."
    )

    # HTTP
    host: str = Field(default="127.0.0.1", description="Address to bind to.")
    port: int | None = Field(
        default=None, ge=0, le=65535, description="Port to bind to. Without it: that of the process."
    )
    open_reading: bool | None = Field(
        default=None,
        description="Whether reading needs no key. Without it: yes on loopback, no elsewhere.",
    )
    behind_proxy: bool = Field(
        default=False, description="A TLS-ending proxy stands in front; needed to bind to a public address."
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Signs tokens and cookies. Without it: made once and kept in the data folder.",
    )
    token_minutes: int = Field(default=60, ge=1, le=1440, description="How long a token lives.")
    max_body_bytes: int = Field(default=4_194_304, ge=1024, description="Largest request body, in bytes.")
    rate_limit: str = Field(
        default="600/minute", description="Requests per key or address, e.g. `600/minute`; empty for none."
    )

    # sources
    nyt_api_key: SecretStr | None = Field(
        default=None, description="Key for the New York Times APIs; without it those sources stay off."
    )
    nyt_per_minute: int = Field(default=5, ge=1, description="NYT requests a minute, all sources together.")
    nyt_per_day: int = Field(default=500, ge=1, description="NYT requests a day, all sources together.")
    feeds: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="RSS or Atom addresses to poll, separated by blanks or commas."
    )
    poll_seconds: int = Field(default=300, ge=10, description="How often a source is polled.")
    fetch_timeout: float = Field(default=30.0, gt=0, description="Seconds to wait for a source.")
    fetch_max_bytes: int = Field(
        default=20_971_520, ge=1024, description="Largest answer taken from a source, in bytes."
    )
    user_agent: str = Field(
        default="Kiosque/0.1", description="How Kiosque names itself to sources; add a contact address."
    )
    allow_private_hosts: bool = Field(
        default=False, description="Allow sources on loopback and private addresses."
    )
    proxy: str | None = Field(default=None, description="HTTP proxy for sources, as an address.")
    backfill_until: date | None = Field(default=None, description="Last day that backfills may reach.")

    # pipeline
    batch_size: int = Field(default=256, ge=1, le=4096, description="Articles handled in one go.")
    max_deliveries: int = Field(
        default=5, ge=1, description="Tries before an article goes to the dead letters."
    )
    books_per_article: int = Field(
        default=5, ge=0, le=50, description="Books kept for an article that mentions someone; 0 for none."
    )

    # alerts and feeds
    public_url: str | None = Field(
        default=None,
        description="Address under which people reach the pages, for links in mails, webhooks and feeds. Without "
        "it: feeds use the address that they are asked at, mails and webhooks have no links.",
    )
    alert_seconds: float = Field(
        default=60.0, ge=1, description="How often alerts are looked at and what they fired is sent."
    )
    alert_digest_hour: int = Field(
        default=6, ge=0, le=23, description="The hour (UTC) at which daily messages of alerts are sent."
    )
    smtp_host: str | None = Field(
        default=None, description="Mail server that takes the mails of alerts; without it none are sent."
    )
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="`starttls` (port 587), `tls` from the first byte (port 465), or `none`.",
    )
    smtp_user: str | None = Field(
        default=None, description="User name at the mail server, if it asks for one."
    )
    smtp_password: SecretStr | None = Field(default=None, description="Password at the mail server.")
    smtp_from: str = Field(
        default="Kiosque <kiosque@localhost>", description="Sender of the mails, a name with an address."
    )

    # ops
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much is logged, to stderr."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="`auto` is text on a terminal and JSON elsewhere."
    )

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: Any) -> Any:
        """`KIOSQUE_X_FILE=/run/secrets/x` sets the secret X to what the file holds, without the line end."""
        if not isinstance(values, dict):
            return values
        for name in secret_names():
            path = os.environ.get(f"{PREFIX}{name.upper()}_FILE")
            if path and not values.get(name):
                values[name] = _read_secret(name, Path(path))
        return values

    @model_validator(mode="before")
    @classmethod
    def _take_empty_for_none(cls, values: Any) -> Any:
        """So that a file for containers can pass `${KIOSQUE_SMTP_HOST:-}` on."""
        if isinstance(values, dict):
            empty = [name for name in ("public_url", "smtp_host", "smtp_user") if values.get(name) == ""]
            values.update(dict.fromkeys(empty))
        return values

    @model_validator(mode="before")
    @classmethod
    def _split_feeds(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("feeds"), str):
            values["feeds"] = tuple(values["feeds"].replace(",", " ").split())
        return values

    @property
    def sqlite_path(self) -> Path:
        return self.data_dir / "kiosque.sqlite"

    @property
    def model_store(self) -> Path:
        return self.models_dir or self.data_dir / "models"


def secret_names() -> tuple[str, ...]:
    """The settings that hold secrets and can be read from `<NAME>_FILE`."""
    return tuple(
        name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
    )


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting as it holds in this process. A secret has no value here; an address has no password in it."""

    name: str
    value: str | None
    origin: Literal["default", "environment", "file", ".env", "command line"]
    meaning: str
    secret: bool = False


def effective(settings: Settings) -> list[Effective]:
    """Every setting of `settings` with where its value comes from. Nothing that is secret is in it."""
    secrets = secret_names()
    return [
        Effective(
            name=f"{PREFIX}{name.upper()}",
            value=None if name in secrets else shown_value(getattr(settings, name)),
            origin=_origin(settings, name),
            meaning=field.description or "",
            secret=name in secrets,
        )
        for name, field in Settings.model_fields.items()
    ]


def _origin(
    settings: Settings, name: str
) -> Literal["default", "environment", "file", ".env", "command line"]:
    if name not in settings.model_fields_set or getattr(settings, name) is None:
        return "default"
    variable = f"{PREFIX}{name.upper()}"
    if os.environ.get(variable):
        return "environment"
    if os.environ.get(f"{variable}_FILE"):
        return "file"
    return ".env" if variable.lower() in _env_file() else "command line"


def _env_file() -> set[str]:
    from dotenv import dotenv_values

    return {key.lower() for key in dotenv_values(str(Settings.model_config.get("env_file") or ""))}


def shown_value(value: Any) -> str | None:
    """A setting's value as text that may be shown: no password, token or key stands in its addresses."""
    if value is None:
        return None
    parts = value if isinstance(value, tuple) else str(value).split(",")
    return (" " if isinstance(value, tuple) else ",").join(_address_shown(str(part)) for part in parts)


def _address_shown(text: str) -> str:
    """As `mask_address`; a name without a password is hidden, too: brokers take a token in its place."""
    return _TOKEN_AS_NAME.sub(rf"\1{HIDDEN}@", mask_address(text)) if "://" in text else text


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises InvalidSettings naming each setting that is wrong."""
    try:
        return Settings(**{k: v for k, v in overrides.items() if v is not None})
    except ValidationError as error:
        problems = "; ".join(
            f"{PREFIX}{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors()
        )
        raise InvalidSettings(problems, hint="See docs/reference/settings.md.") from None


def _read_secret(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InvalidSettings(
            f"{PREFIX}{name.upper()}_FILE: cannot read {path}: {error.strerror}.",
            hint="Check that the file exists and that this user may read it.",
        ) from error
