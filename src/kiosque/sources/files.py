"""Articles out of files: our own, headline lists, exports of Kiosque, and answers of the NYT APIs that were saved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from kiosque.core.article import Article, article_key
from kiosque.core.errors import InvalidInput, TooLarge
from kiosque.core.message import SCHEMA, decode_article
from kiosque.sources.columns import Columns, Vocabulary, parse_list, parse_literal
from kiosque.sources.dates import moment_of
from kiosque.sources.nyt_documents import names_in_byline, parse_document
from kiosque.sources.nyt_wire import parse_item
from kiosque.sources.payload import ABSTRACT_LIMIT, excerpt, identifier, number, text, texts, web_address
from kiosque.sources.protocol import Cursor, Page, Reason, Skipped, SourceKind, without_repeats
from kiosque.sources.records import Record, RecordFile

VOCABULARY = Vocabulary(
    {
        "uri": "_id guid",
        "url": "link web_url href address",
        "headline": "title main heading titel titre titulo",
        "abstract": "description summary snippet lead_paragraph standfirst teaser",
        "published_at": "pub_date published date published_date publication_date pubdate datetime timestamp",
        "section": "section_name category rubric",
        "byline": "author authors creator writer",
        "keywords": "tags subjects topics",
        "language": "lang language_code",
        "kind": "document_type doc_type item_type type",
        "material": "material_type type_of_material material_type_facet",
        "desk": "news_desk",
        "subsection": "subsection_name",
        "print_page": "",
        "words": "word_count",
        "provider": "source",
    }
)
_EXTRA = ("desk", "subsection", "material", "print_page", "words", "provider")
_NESTED = ("headline", "byline", "keywords")

T = TypeVar("T")


class ArticleFile:
    """A JSONL, CSV or JSON file of articles, packed or not, as a source that is read once.

    The cursor holds the line and byte reached, so that an import that was broken off goes on there. `source` is the
    id that its articles get.
    """

    kind = SourceKind.FILE
    interval = 86_400.0

    def __init__(
        self,
        path: Path,
        *,
        mapping: Mapping[str, str] | None = None,
        source: str = "import",
        page_size: int = 1_000,
    ) -> None:
        self.id = source
        self._path = path
        self._columns = Columns(VOCABULARY, mapping)
        self._page_size = page_size

    def poll(self, cursor: Cursor | None) -> Iterator[Page]:
        """Raises NotFound, TooLarge, or InvalidInput for a file that is damaged or lacks a column that is needed."""
        yield from read_pages(
            RecordFile(self._path, cursor), self._parse, self._check, self._page_size, _article_page
        )

    def _check(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        self._columns.check(columns, ("headline", "abstract"))
        unused = [
            name for name in self._columns.unused(columns) if name not in {"mentions", "schema", "extra"}
        ]
        return (f"Columns that were not used: {', '.join(unused)}.",) if unused else ()

    def _parse(self, record: Record) -> Article | Skipped:
        return parse_record(record, self._columns, self.id)


Parsed = Any
"""What a record became: an Article or a row of books, or Skipped."""


def read_pages(
    file: RecordFile,
    parse: Callable[[Record], Parsed],
    check: Callable[[tuple[str, ...]], tuple[str, ...]],
    page_size: int,
    make_page: Callable[[list[Parsed], Cursor, float, tuple[str, ...]], Page],
) -> Iterator[Page]:
    """Pages of parsed records; at least one. `check` sees the columns of a CSV file before anything is parsed.

    What was read before a file turned out to be damaged is delivered, and then the error raised.
    """
    with file:
        records, batch = iter(file), list[Parsed]()
        warnings: tuple[str, ...] | None = None
        damage: InvalidInput | TooLarge | None = None
        while True:
            try:
                record = next(records, None)
            except (InvalidInput, TooLarge) as error:
                record, damage = None, error
            if warnings is None:
                warnings = check(file.columns) if file.columns and not damage else ()
            if record is not None:
                batch.append(parse(record) if isinstance(record, Record) else record)
            if record is None or len(batch) >= page_size:
                progress = 1.0 if record is None and not damage else file.progress
                yield make_page(batch, file.cursor, progress, warnings)
                batch, warnings = [], ()
            if damage:
                raise damage
            if record is None:
                return


def parse_record(record: Record, columns: Columns, source: str) -> Article | Skipped:
    """The article in a record of any known shape, or why there is none. Never raises, whatever the record holds."""
    fields = record.fields
    if fields.get("schema") == SCHEMA:
        return _exported(record)
    if _is_nyt_document(fields):
        return _as_skip_at(record, parse_document(_unflattened(fields), source=source, where=record.where))
    if "title" in fields and ("des_facet" in fields or "first_published_date" in fields):
        return _as_skip_at(record, parse_item(fields, source=source, where=record.where))
    return _mapped(record, columns, source)


def _exported(record: Record) -> Article | Skipped:
    """An article that Kiosque wrote: it keeps its key and its source."""
    try:
        return decode_article(json.dumps(record.fields).encode())
    except (InvalidInput, ValueError) as error:
        return Skipped(record.where, Reason.INVALID, str(error)[:200], excerpt(dict(record.fields)))


def _is_nyt_document(fields: Mapping[str, Any]) -> bool:
    headline = fields.get("headline")
    return isinstance(headline, dict) or ("pub_date" in fields and ("web_url" in fields or "_id" in fields))


def _unflattened(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A document whose nested parts a CSV holds as Python or JSON literals."""
    nested = {
        name: parse_literal(value)
        for name in _NESTED
        if isinstance(value := fields.get(name), str) and value[:1] in {"{", "["}
    }
    return {**fields, **nested}


def _as_skip_at(record: Record, result: Article | Skipped) -> Article | Skipped:
    """A reject names its line, whatever else the document calls itself."""
    if isinstance(result, Article):
        return result
    return Skipped(record.where, result.reason, result.detail, result.excerpt)


def _mapped(record: Record, columns: Columns, source: str) -> Article | Skipped:
    values = Values(record.fields, columns.plan(record.fields))
    headline, abstract = values.text("headline"), values.text("abstract", ABSTRACT_LIMIT)
    if not headline and not abstract:
        return Skipped(
            record.where, Reason.NO_TEXT, "neither headline nor abstract", excerpt(dict(record.fields))
        )
    published_at = values.first("published_at", moment_of)
    if published_at is None:
        return Skipped(record.where, Reason.NO_DATE, "no date that can be read", excerpt(dict(record.fields)))
    url, uri = values.first("url", web_address), values.first("uri", _uri)
    return Article(
        key=article_key(
            uri=uri,
            url=url,
            headline=headline or abstract,
            published_on=published_at.date().isoformat(),
        ),
        source=source,
        headline=headline,
        abstract=abstract,
        published_at=published_at,
        url=url,
        section=values.text("section") or None,
        byline=values.first("byline", _byline) or (),
        keywords=values.first("keywords", _keywords) or (),
        language=values.text("language").lower()[:12] or None,
        kind=values.text("kind").lower() or "article",
        extra=tuple(
            (name, value) for name in _EXTRA if name in values.plan and (value := _extra(name, values))
        ),
    )


class Values:
    """The fields of one record, through its columns."""

    __slots__ = ("_fields", "plan")

    def __init__(self, fields: Mapping[str, Any], plan: Mapping[str, tuple[str, ...]]) -> None:
        self._fields = fields
        self.plan = plan

    def text(self, field: str, limit: int = 1_000) -> str:
        for name in self.plan.get(field, ()):
            if found := text(self._fields[name], limit=limit):
                return found
        return ""

    def all(self, field: str) -> list[Any]:
        return [self._fields[name] for name in self.plan.get(field, ())]

    def first(self, field: str, read: Callable[[Any], T | None]) -> T | None:
        """The first value that `read` makes something of."""
        for name in self.plan.get(field, ()):
            value = self._fields[name]
            if value and (found := read(value)):
                return found
        return None


def _uri(value: object) -> str | None:
    """A row's own id, if it is one beyond its file: it has a scheme."""
    found = identifier(value)
    return found if ":" in found else None


def _keywords(value: object) -> tuple[str, ...]:
    return texts(parse_list(value))


def _byline(value: object) -> tuple[str, ...]:
    listed = parse_list(value)
    return texts(listed) if isinstance(listed, list) else names_in_byline(text(listed))


def _extra(name: str, values: Values) -> str:
    value = values.text(name)
    if name not in {"print_page", "words"}:
        return value
    count = number(value)
    return str(count) if count and count > 0 else ""


def _article_page(batch: list[Parsed], cursor: Cursor, progress: float, warnings: tuple[str, ...]) -> Page:
    articles, repeats = without_repeats(result for result in batch if isinstance(result, Article))
    return Page(
        cursor=cursor,
        articles=articles,
        skipped=tuple(result for result in batch if isinstance(result, Skipped)),
        repeats=repeats,
        warnings=warnings,
        progress=progress,
    )
