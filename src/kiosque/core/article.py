"""An article as Kiosque knows it, whatever source it came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from kiosque.core.errors import InvalidInput

_TRACKING_PREFIXES = ("utm_",)
_TRACKING_PARAMETERS = frozenset(
    {"fbclid", "gclid", "mc_cid", "mc_eid", "partner", "emc", "ref", "smid", "smtyp", "src", "rss", "cmpid"}
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Field(StrEnum):
    """The parts of an article in which entities are looked for."""

    HEADLINE = "headline"
    ABSTRACT = "abstract"


@dataclass(frozen=True, slots=True)
class Article:
    """One story. `key` identifies it for ever; see `article_key`.

    `published_at` is aware and in UTC. At least one of `headline` and `abstract` is not empty.
    `source` is the id of the source that delivered it, e.g. `nyt-wire`, `demo`, `import`.
    """

    key: str
    source: str
    headline: str
    published_at: datetime
    abstract: str = ""
    url: str | None = None
    section: str | None = None
    byline: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    language: str | None = None
    kind: str = "article"
    """What the source calls it: article, blogpost, multimedia, …"""
    extra: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """What else the source says and a reader may want, as pairs: print page, news desk, …"""
    told_at: datetime | None = field(default=None, compare=False)
    """When the broker took the message with this text: of two texts of a story the one told later holds.
    None where there is no broker, and texts come in the order in which they are told."""

    def __post_init__(self) -> None:
        if not self.key:
            raise InvalidInput("An article needs a key.", hint="Make one with article_key().")
        if not (self.headline or self.abstract):
            raise InvalidInput(f"Article {self.key} has neither headline nor abstract.")
        if self.published_at.tzinfo is None:
            raise InvalidInput(f"Article {self.key} has a date without a time zone.")

    @property
    def id(self) -> str:
        """A short name for addresses, derived from the key; see `article_id`."""
        return article_id(self.key)

    def text_of(self, part: Field) -> str:
        return self.headline if part is Field.HEADLINE else self.abstract


def is_older(told_at: datetime | None, than: datetime | None) -> bool:
    """Whether a text was told before another one of the same story, as far as that is known."""
    return told_at is not None and than is not None and told_at < than


def article_id(key: str) -> str:
    """16 hexadecimal digits out of the key's BLAKE2b: the article's name in URLs."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def article_key(*, uri: str | None, url: str | None, headline: str = "", published_on: str = "") -> str:
    """The key under which a story is kept once.

    The source's own URI if it has one, else the canonical URL, else a digest of day and headline
    (bare headline files carry neither URI nor URL).
    """
    if uri and uri.strip():
        return uri.strip()
    if url and url.strip():
        return canonical_url(url)
    if not headline:
        raise InvalidInput("An article needs a URI, a URL or a headline to be told from others.")
    digest = hashlib.sha256(f"{published_on}\n{headline}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"sha256:{digest[:32]}"


def canonical_url(url: str) -> str:
    """`url` without what does not change the story: fragment, tracking parameters, default port, case of host.

    `http` becomes `https`: sources deliver both for one story.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise InvalidInput(f"Not a URL: {url[:200]!r}.") from error
    host = (parts.hostname or "").lower()
    if parts.scheme.lower() not in _DEFAULT_PORTS or not host:
        return url.strip()
    netloc = host if port in (None, _DEFAULT_PORTS[parts.scheme.lower()]) else f"{host}:{port}"
    query = urlencode([(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _tracks(k)])
    path = parts.path.rstrip("/") or "/"
    return urlunsplit(("https", netloc, path, query, ""))


def _tracks(parameter: str) -> bool:
    name = parameter.lower()
    return name in _TRACKING_PARAMETERS or name.startswith(_TRACKING_PREFIXES)
