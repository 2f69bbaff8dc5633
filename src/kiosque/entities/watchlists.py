"""Watch lists as files.

TOML holds everything, candidacies included:

    id = "us-presidents"                  # a slug
    name = "Presidents of the United States"

    [[entities]]
    id = "george-w-bush"                  # a slug, unique; without it one is made of the name
    name = "George W. Bush"               # what pages show
    kind = "person"                       # person (default), party, organisation, place
    description = "43rd president"        # optional
    excludes = ["Bush Stadium"]           # phrases inside which a name is not this entity
    aliases = [                           # without it the name is the only alias
      "George W. Bush",                   # valid at any time
      { text = "Bush", valid_from = 1999-06-01, valid_to = 2009 },
      { text = "W.", case = "exact" },
    ]

    [[candidacies]]
    election_year = 2000
    election_date = 2000-11-07
    entity_id = "george-w-bush"
    party = "Republican"
    winner = true                         # default false
    popular_vote = 50456002               # these three are optional
    popular_share = 47.86                 # per cent
    electoral_votes = 271

`valid_from` and `valid_to` are inclusive and may be a day, a month ("1999-06") or a year (1999 or "1999"): the
first day of it for `valid_from`, the last for `valid_to`. `case` is `name` (default: with its capitals or ALL CAPS),
`any` or `exact`.

CSV holds entities only, one row for each alias or exclude phrase; the columns, of which only `name` must be there:

    id,name,kind,description,alias,valid_from,valid_to,case,exclude
    george-w-bush,George W. Bush,person,43rd president,George W. Bush,,,,
    george-w-bush,George W. Bush,,,Bush,1999-06-01,2009,,Bush Stadium

Rows with the same id (without one: the same name) are one entity; `kind` and `description` count where they are
filled in. An entity whose rows name no alias has its name as the only one. JSON is what the API takes and gives: the
same keys as TOML (`documents`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from kiosque.core.entity import Watchlist
from kiosque.core.errors import InvalidInput, NotFound, TooLarge
from kiosque.entities import csv_format, toml_format
from kiosque.entities.documents import slug, watchlist_document, watchlist_from

MAX_BYTES = 32 * 1024 * 1024
"""Largest watch list read: about half a million aliases."""

SUFFIXES = (".toml", ".csv", ".json")


def read_watchlist(path: Path) -> Watchlist:
    """The watch list in a `.toml`, `.csv` or `.json` file.

    A CSV list is named after its file. Raises NotFound, TooLarge, or InvalidInput naming the file, the line or
    entity, and what to do.
    """
    kind = _suffix(path)
    return parse_watchlist(_text(path), kind=kind, origin=str(path), stem=path.stem)


def read_folder(folder: Path) -> tuple[Watchlist, ...]:
    """Every watch list in `folder`, by file name."""
    return tuple(read_watchlist(path) for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES)


def parse_watchlist(text: str, *, kind: str, origin: str, stem: str = "watchlist") -> Watchlist:
    """The watch list in `text`: `kind` is one of `SUFFIXES`, `origin` names it in errors, `stem` names a CSV list."""
    if kind == ".toml":
        return watchlist_from(toml_format.parse(text, origin), origin=origin)
    if kind == ".json":
        return watchlist_from(_json(text, origin), origin=origin)
    entities = csv_format.parse(text, origin)
    return watchlist_from(
        {"id": slug(stem) or "watchlist", "name": stem, "entities": entities}, origin=origin
    )


def format_watchlist(watchlist: Watchlist, *, kind: str) -> str:
    """`watchlist` as text that `parse_watchlist` reads back to the same. CSV refuses one with candidacies."""
    document = watchlist_document(watchlist)
    writers: dict[str, Callable[[], str]] = {
        ".toml": lambda: toml_format.format_document(document),
        ".json": lambda: json.dumps(document, ensure_ascii=False, indent=2) + "\n",
        ".csv": lambda: csv_format.format_document(document),
    }
    return writers[kind]()


def write_watchlist(watchlist: Watchlist, path: Path) -> None:
    """Writes `watchlist` in the format of the file's suffix, all of it or nothing."""
    text = format_watchlist(watchlist, kind=_suffix(path))
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InvalidInput(
            f"Cannot write {path}: {error.strerror}.", hint="Check the folder and its permissions."
        ) from error


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidInput(f"{path}: not a watch list.", hint=f"Name the file {', '.join(SUFFIXES)}.")
    return suffix


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TooLarge(
                f"{path} is larger than {MAX_BYTES // 2**20} MiB.", hint="Split it into several watch lists."
            )
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f"There is no watch list {path}.", hint="Check the path.") from None
    except OSError as error:
        raise InvalidInput(f"Cannot read {path}: {error.strerror}.", hint="Check its permissions.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path}: not UTF-8 at byte {error.start}.", hint="Save the file as UTF-8 and try again."
        ) from None


def _json(text: str, origin: str) -> object:
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{origin}: not JSON: {error}.", hint="Correct the place named.") from None
    return document
