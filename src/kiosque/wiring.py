"""The composition root: settings in, ready objects out. The only module that knows which parts a process has."""

from __future__ import annotations

import os
import secrets
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr

from kiosque.core.clock import Clock, system_clock
from kiosque.core.errors import InvalidSettings, PreconditionFailed
from kiosque.settings import Settings

if TYPE_CHECKING:
    from kiosque.bus.protocol import Bus
    from kiosque.bus.stream import StreamSettings
    from kiosque.core.prediction import Predictor
    from kiosque.modelstore.store import ModelStore
    from kiosque.ops.metrics import Metrics
    from kiosque.pipeline.alert_sending import Postman
    from kiosque.pipeline.alerts import AlertWorker
    from kiosque.pipeline.backfill import Backfill
    from kiosque.pipeline.bookshop import Bookshop
    from kiosque.pipeline.consume import Consumer
    from kiosque.pipeline.imports import Importer
    from kiosque.pipeline.intake import Intake
    from kiosque.pipeline.produce import Producer
    from kiosque.pipeline.rescore import Rescorer
    from kiosque.pipeline.seed import Seeder
    from kiosque.pipeline.watch import Watch
    from kiosque.predict.local import LocalPredictor
    from kiosque.store.database import Database
    from kiosque.wiring_sources import Sources

T = TypeVar("T")


def shipped_data() -> Path:
    """The folder of what a new installation starts with: inside the installed package, else in the checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "_data", package.parents[1] / "data"):
        if folder.is_dir():
            return folder
    raise PreconditionFailed(
        "The data that ships with Kiosque is missing.",
        hint="Install Kiosque again, or run it from a checkout.",
    )


class House:
    """The parts of one process, each made when it is first asked for; `close` lets go of them in reverse order."""

    def __init__(self, settings: Settings, clock: Clock = system_clock) -> None:
        self.settings = settings
        self.clock = clock
        self._closing = ExitStack()

    def close(self) -> None:
        self._closing.close()

    def _kept(self, part: T, close: Callable[[], object]) -> T:
        self._closing.callback(close)
        return part

    # ---- what every process has

    @cached_property
    def metrics(self) -> Metrics:
        from kiosque.ops.metrics import Metrics

        return Metrics()

    @cached_property
    def database(self) -> Database:
        """Opened, not migrated: see `migrated`."""
        from kiosque.store.database import open_database

        make_folder(self.settings.data_dir)
        database = open_database(self.settings)
        return self._kept(database, database.close)

    @cached_property
    def migrated(self) -> Database:
        """The database with its schema brought up to this program."""
        self.database.migrate()
        return self.database

    @cached_property
    def model_store(self) -> ModelStore:
        from kiosque.modelstore.store import ModelStore

        return ModelStore(self.settings.model_store)

    @cached_property
    def secret_key(self) -> str:
        """Signs tokens and cookies: the setting's, else one made once and kept in the data folder."""
        if self.settings.secret_key is not None:
            return self.settings.secret_key.get_secret_value()
        make_folder(self.settings.data_dir)
        return kept_secret(self.settings.data_dir / "secret-key")

    @property
    def token(self) -> str | None:
        """What processes show one another, and what people show the producer and the consumer."""
        return _revealed(self.settings.predict_token)

    def wake(self) -> None:
        """Rouse whoever waits for a quota or a server, so that the process can end."""
        if "sources" in self.__dict__:
            self.sources.close()

    # ---- the bus

    @cached_property
    def bus(self) -> Bus:
        if self.settings.bus == "inline":
            from kiosque.bus.inline import InlineBus

            inline = InlineBus()
            return self._kept(inline, inline.close)
        from kiosque.bus.jetstream import JetStreamBus

        jetstream = JetStreamBus(
            self.settings.nats_url,
            token=_revealed(self.settings.nats_token),
            stream=self._stream,
            max_pending=self.settings.nats_max_pending,
        )
        return self._kept(jetstream, jetstream.close)

    @cached_property
    def lookout(self) -> Bus:
        """The bus for one who only asks how it fares: with a broker it gives up soon, since a page waits for it."""
        if self.settings.bus == "inline":
            return self.bus
        from kiosque.bus.jetstream import JetStreamBus

        looking = JetStreamBus(
            self.settings.nats_url,
            token=_revealed(self.settings.nats_token),
            stream=self._stream,
            timeout=1.5,
        )
        return self._kept(looking, looking.close)

    @property
    def _stream(self) -> StreamSettings:
        """One for all that use it: each of them brings the broker's up to its own."""
        from kiosque.bus.stream import StreamSettings

        return StreamSettings(
            name=self.settings.nats_stream,
            replicas=self.settings.nats_replicas,
            max_age=self.settings.nats_max_age_days * 86_400.0,
            max_bytes=self.settings.nats_max_bytes,
            ack_wait=self.settings.nats_ack_wait,
        )

    # ---- the sources

    @cached_property
    def sources(self) -> Sources:
        from kiosque.wiring_sources import Sources

        make_folder(self.settings.data_dir)
        sources = Sources(self.settings, self.clock)
        return self._kept(sources, sources.close)

    # ---- the models

    @cached_property
    def local_predictor(self) -> LocalPredictor:
        """The models of this process; see `LocalPredictor.watch` for following their aliases."""
        from kiosque.predict.local import LocalPredictor

        predictor = LocalPredictor(self.model_store, metrics=self.metrics, threads=self.settings.threads)
        return self._kept(predictor, predictor.close)

    @cached_property
    def predictor(self) -> Predictor:
        """In this process, or over HTTP where an address is set."""
        if not self.settings.predict_url:
            return self.local_predictor
        from kiosque.predict.client import HttpPredictor

        remote = HttpPredictor(
            self.settings.predict_url,
            token=self.token,
            timeout=self.settings.predict_timeout,
        )
        return self._kept(remote, remote.close)

    @cached_property
    def bookshop(self) -> Bookshop:
        from kiosque.pipeline.bookshop import Bookshop

        return Bookshop(self.migrated, self.model_store, shipped_data() / "models", clock=self.clock)

    # ---- the pipeline

    @cached_property
    def watch(self) -> Watch:
        from kiosque.pipeline.watch import Watch

        return Watch()

    @cached_property
    def intake(self) -> Intake:
        from kiosque.pipeline.intake import Intake

        return Intake(
            self.migrated,
            self.predictor,
            clock=self.clock,
            metrics=self.metrics,
            books_per_article=self.settings.books_per_article,
            watch=self.watch,
            scored_by=lambda version: self.rescorer.note(version),  # noqa: PLW0108 - made when first needed
        )

    @cached_property
    def consumer(self) -> Consumer:
        from kiosque.pipeline.consume import Consumer, ConsumerPolicy
        from kiosque.pipeline.decide import RetryPolicy, heartbeat

        policy = ConsumerPolicy(
            batch_size=self.settings.batch_size,
            heartbeat=heartbeat(self.settings.nats_ack_wait),
            retry=RetryPolicy(max_deliveries=self.settings.max_deliveries),
        )
        return Consumer(
            self.bus, self.intake, self.migrated, clock=self.clock, metrics=self.metrics, policy=policy
        )

    @cached_property
    def producer(self) -> Producer:
        from kiosque.pipeline.produce import Producer

        return Producer(self.bus, self.migrated, self.sources.make, clock=self.clock, metrics=self.metrics)

    @cached_property
    def importer(self) -> Importer:
        """Inline it takes the articles here and now; with a broker it publishes them for the consumers."""
        from kiosque.pipeline.imports import BusSink, Importer, StoreSink

        sink = (
            StoreSink(self.intake, self.migrated)
            if self.settings.bus == "inline"
            else BusSink(self.bus, self.migrated)
        )
        return Importer(sink, self.migrated, clock=self.clock)

    @cached_property
    def backfill(self) -> Backfill:
        from kiosque.pipeline.backfill import Backfill

        return Backfill(
            self.importer,
            self.migrated,
            self.sources.make_archive,
            per_day=self.settings.nyt_per_day,
            until=self.settings.backfill_until,
        )

    @cached_property
    def seeder(self) -> Seeder:
        from kiosque.pipeline.seed import Seeder

        return Seeder(shipped_data(), self.migrated, self.intake, clock=self.clock)

    @contextmanager
    def consuming(self) -> Iterator[None]:
        """On the inline bus whoever publishes must also consume: a consumer in a thread, for as long as the block."""
        if self.settings.bus != "inline":
            yield
            return
        from kiosque.pipeline.worker import Workers

        workers = Workers(clock=self.clock)
        workers.add("consumer", self.consumer.run, last=True)
        workers.start()
        try:
            yield
        finally:
            workers.stop()

    @cached_property
    def rescorer(self) -> Rescorer:
        from kiosque.pipeline.rescore import Rescorer

        return Rescorer(self.migrated, self.predictor, clock=self.clock, watch=self.watch)

    # ---- alerts

    @cached_property
    def postman(self) -> Postman:
        """Sends what alerts fired. Its webhooks keep off this machine's own network as sources do."""
        from kiosque.pipeline.alert_sending import Postman
        from kiosque.pipeline.mail import Mail, MailServer
        from kiosque.pipeline.webhook import Webhook
        from kiosque.sources.addresses import outbound

        settings = self.settings
        network = outbound(allow_private_hosts=settings.allow_private_hosts, proxy=settings.proxy)
        server = settings.smtp_host and MailServer(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_tls,
            settings.smtp_from,
            settings.smtp_user,
            _revealed(settings.smtp_password),
        )
        postman = Postman(
            Webhook(network, user_agent=settings.user_agent),
            Mail(server) if server else None,
            secret_key=self.secret_key,
            clock=self.clock,
            new_id=new_id,
            public_url=settings.public_url,
        )
        return self._kept(postman, postman.close)

    @cached_property
    def alert_worker(self) -> AlertWorker:
        from kiosque.pipeline.alerts import AlertPolicy, AlertWorker

        policy = AlertPolicy(self.settings.alert_seconds, self.settings.alert_digest_hour)
        return AlertWorker(
            self.migrated,
            self.postman,
            clock=self.clock,
            metrics=self.metrics,
            new_id=new_id,
            policy=policy,
        )


def new_id() -> str:
    """32 hexadecimal digits that nobody else makes."""
    return uuid.uuid4().hex


@contextmanager
def open_house(settings: Settings, clock: Clock = system_clock) -> Iterator[House]:
    """The parts of this process for as long as the block lasts."""
    house = House(settings, clock)
    try:
        yield house
    finally:
        house.close()


def make_folder(folder: Path) -> None:
    """Make `folder`, readable by this user only: it holds keys and a database. Raises InvalidSettings."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InvalidSettings(
            f"KIOSQUE_DATA_DIR: cannot make {folder}: {error.strerror}.",
            hint="Choose another with --data-dir.",
        ) from error


def kept_secret(path: Path) -> str:
    """The secret in `path`; made of 256 random bits when there is none, readable by this user only."""
    if not path.exists():
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        with suppress(FileExistsError):  # two processes start at once: the first one's secret holds
            os.link(temporary, path)
        Path(temporary).unlink()
    return path.read_text(encoding="ascii").strip()


SHARED_SECRETS = ("database-password", "nats-token", "predict-token", "secret-key")
"""What the parts of a split installation must know alike; one file each."""
BROKER_FILE = "broker-authorization.conf"


def make_secrets(folder: Path, *, apart: bool = False) -> list[str]:
    """Make the files of `SHARED_SECRETS` that are missing in `folder`, and the broker's form of its token.

    Readable by owner and group, since a database and a broker run as other users. `apart` puts each into a folder of
    its own name, so that each can be handed to those alone who need it. Returns what was made.
    """

    def place(name: str) -> Path:
        return folder / Path(name).stem / name if apart else folder / name

    made = [name for name in SHARED_SECRETS if not place(name).exists()]
    for name in SHARED_SECRETS:
        make_folder(place(name).parent)
        kept_secret(place(name))
        place(name).chmod(0o640)
    token = kept_secret(place("nats-token"))
    fragment = place(BROKER_FILE)
    make_folder(fragment.parent)
    fragment.touch(mode=0o640)
    fragment.write_text(f'authorization {{ token: "{token}" }}\n', encoding="ascii")
    fragment.chmod(0o640)
    return made


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
