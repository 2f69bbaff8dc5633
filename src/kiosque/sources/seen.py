"""What a source has delivered before, remembered in its cursor as short digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from kiosque.core.article import Article
from kiosque.sources.protocol import Cursor

_LIMIT = 1_000


class Seen:
    """Digests of articles, newest first. A story whose headline or abstract was changed counts as not seen."""

    def __init__(self, digests: Iterable[str] = (), *, limit: int = _LIMIT) -> None:
        self._digests = dict.fromkeys(digests)
        self._limit = limit

    @classmethod
    def of(cls, cursor: Cursor | None) -> Seen:
        stored = (cursor or {}).get("seen")
        return (
            cls(digest for digest in stored if isinstance(digest, str)) if isinstance(stored, list) else cls()
        )

    def __contains__(self, article: object) -> bool:
        return isinstance(article, Article) and digest(article) in self._digests

    def with_newest(self, articles: Iterable[Article]) -> Seen:
        """These first, then what was known, up to the limit."""
        return Seen([*(digest(article) for article in articles), *self._digests], limit=self._limit)

    def to_json(self) -> list[str]:
        return list(self._digests)[: self._limit]


def digest(article: Article) -> str:
    """12 hexadecimal digits that change with the key and the words."""
    words = "\n".join((article.key, article.headline, article.abstract))
    return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
