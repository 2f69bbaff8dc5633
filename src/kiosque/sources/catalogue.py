"""Books out of files: our own catalogue, other people's CSV and JSON lists, saved answers of the NYT Books API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kiosque.core.book import Book, ListPlacement
from kiosque.core.catalogue import book_key, isbn13, normal_title
from kiosque.core.errors import SourceUnavailable
from kiosque.core.titles import name_case, title_case
from kiosque.sources.columns import Columns, Vocabulary, parse_list
from kiosque.sources.dates import moment_of
from kiosque.sources.files import Values, read_pages
from kiosque.sources.nyt_books import Row, collect, is_fiction, parse_book, read_books
from kiosque.sources.payload import excerpt, number, text, texts
from kiosque.sources.protocol import Cursor, Page, Reason, Skipped, SourceKind
from kiosque.sources.records import Record, RecordFile

VOCABULARY = Vocabulary(
    {
        "title": "book_title name original_title titel titre titulo",
        "author": "authors book_author writer creator",
        "isbn": "isbn13 isbn_13 primary_isbn13 isbn10 isbn_10 primary_isbn10 ean",
        "year": "original_publication_year publication_year year_published first_published",
        "published_on": "publication_date published published_date date",
        "publisher": "publishers imprint",
        "subjects": "genres categories category genre tags topics",
        "language": "language_code lang",
        "fiction": "is_fiction",
        "description": "nyt_description summary blurb abstract synopsis",
        "list_name": "list display_name",
        "week": "list_date",
        "rank": "",
        "weeks_on_list": "weeks",
    }
)
_DESCRIPTION_LIMIT = 8_000
_SUBJECTS = 30
_YES = frozenset({"true", "yes", "1", "fiction", "y"})
_NO = frozenset({"false", "no", "0", "nonfiction", "non-fiction", "n"})
_EARLIEST_YEAR = -3_000
# ISO 639-2 codes and names that catalogues use, as ISO 639-1.
_LANGUAGES = {
    "eng": "en", "english": "en", "fre": "fr", "fra": "fr", "ger": "de", "deu": "de", "spa": "es", "ita": "it",
    "por": "pt", "dut": "nl", "nld": "nl", "rus": "ru", "jpn": "ja", "chi": "zh", "zho": "zh", "ara": "ar",
    "swe": "sv", "nor": "no", "dan": "da", "fin": "fi", "pol": "pl", "tur": "tr", "ind": "id", "per": "fa",
}  # fmt: skip
_COMMAS = re.compile(r"\s*,\s*")


class BookFile:
    """A JSONL, CSV or JSON file of books, packed or not, as a source that is read once.

    A page holds each work once; across pages `core.catalogue.Catalogue` merges them.
    """

    kind = SourceKind.BOOK_FILE
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
            RecordFile(self._path, cursor), self._parse, self._check, self._page_size, _book_page
        )

    def _check(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        self._columns.check(columns, ("title",))
        unused = self._columns.unused(columns)
        return (f"Columns that were not used: {', '.join(unused)}.",) if unused else ()

    def _parse(self, record: Record) -> list[Row | Skipped]:
        return parse_record(record, self._columns)


def parse_record(record: Record, columns: Columns) -> list[Row | Skipped]:
    """The books in a record: one, or those of a whole NYT answer. Never raises, whatever the record holds."""
    fields = record.fields
    if isinstance(fields.get("results"), (list, dict)):
        return _answer(record)
    if isinstance(fields.get("book_details"), list) or isinstance(fields.get("isbns"), list):
        return [_at(record, parse_book(fields, where=record.where))]
    return [_mapped(record, columns)]


def _answer(record: Record) -> list[Row | Skipped]:
    try:
        return list(read_books(dict(record.fields)))
    except SourceUnavailable as error:
        return [Skipped(record.where, Reason.INVALID, error.detail, excerpt(dict(record.fields)))]


def _at(record: Record, result: Row | Skipped) -> Row | Skipped:
    if isinstance(result, Skipped):
        return Skipped(record.where, result.reason, result.detail, result.excerpt)
    return result


def _mapped(record: Record, columns: Columns) -> Row | Skipped:
    values = Values(record.fields, columns.plan(record.fields))
    title, author = title_case(values.text("title")), _author(values)
    isbns = _isbns(values)
    if not normal_title(title):
        return Skipped(record.where, Reason.NO_TITLE, "no title", excerpt(dict(record.fields)))
    key = book_key(title=title, author=author, isbn=isbns[0] if isbns else None)
    day = values.first("published_on", _day)
    list_name = values.text("list_name")
    book = Book(
        key=key,
        title=title,
        author=author,
        year=values.first("year", _year) or (int(day[:4]) if day else None),
        isbn13=isbns[0] if isbns else None,
        publisher=values.text("publisher") or None,
        subjects=(values.first("subjects", _subjects) or ())[:_SUBJECTS],
        language=values.first("language", _language),
        fiction=_fiction(values, list_name),
        description=values.text("description", _DESCRIPTION_LIMIT),
        published_on=day,
        editions=isbns[1:],
    )
    return book, _placement(values, key, list_name)


def _author(values: Values) -> str:
    return values.first("author", _joined) or ""


def _joined(value: object) -> str:
    """One author as written, but not in capitals; several in a list as "A, B and C"."""
    if not isinstance(value, list):
        return name_case(text(value))
    names = tuple(map(name_case, texts(value)))
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _isbns(values: Values) -> tuple[str, ...]:
    """Every edition's number, without repeats; a cell may hold several."""
    cells = (str(value) if isinstance(value, int) else value for value in values.all("isbn"))
    found = (isbn13(candidate) for cell in cells for candidate in texts(parse_list(cell)))
    return tuple(dict.fromkeys(number for number in found if number))


def _fiction(values: Values, list_name: str) -> bool | None:
    stated = text(values.first("fiction", str)).lower()
    if any(value is False for value in values.all("fiction")) or stated in _NO:
        return False
    return True if stated in _YES else is_fiction(list_name)


def _placement(values: Values, key: str, list_name: str) -> tuple[ListPlacement, ...]:
    week, rank = values.first("week", _day), values.first("rank", number)
    if not (list_name and week and rank and rank > 0):
        return ()
    return (ListPlacement(key, list_name, week, rank, values.first("weeks_on_list", number)),)


def _subjects(value: object) -> tuple[str, ...]:
    """A list, or text parted by `;`, `|` or, failing these, commas."""
    listed = parse_list(value)
    return texts(listed if isinstance(listed, list) else _COMMAS.split(text(listed)))


def _language(value: object) -> str | None:
    code = text(value).lower()
    return _LANGUAGES.get(code) or (code[:2] if re.fullmatch(r"[a-z]{2}(?:[-_]\w+)?", code) else None)


def _year(value: object) -> int | None:
    year = number(value)
    return year if year and _EARLIEST_YEAR <= year <= 2_200 else None


def _day(value: object) -> str | None:
    moment = moment_of(value) if isinstance(value, str) and not value.strip().isdecimal() else None
    return moment.date().isoformat() if moment else None


def _book_page(batch: list[Any], cursor: Cursor, progress: float, warnings: tuple[str, ...]) -> Page:
    rows: list[Row | Skipped] = []
    for results in batch:
        rows.extend(results if isinstance(results, list) else [results])
    books, placements, skipped = collect(iter(rows))
    found = sum(not isinstance(row, Skipped) for row in rows)
    return Page(
        cursor=cursor,
        books=books,
        placements=placements,
        skipped=skipped,
        repeats=found - len(books),
        warnings=warnings,
        progress=progress,
    )
