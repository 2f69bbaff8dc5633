"""Collect the texts of the pages into kiosque.pot, and bring the catalogues of translations up to it.

A text that is new stands in a catalogue without a translation; one that is gone is taken out of it.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from kiosque.web.language import CATALOGUES, DOMAIN

ROOT = Path(__file__).resolve().parents[1]
WEB = CATALOGUES.parent
WIDTH = 110


def collected() -> Catalog:
    """Every text of the pages with the files that it is in."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["babel"]["mappings"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in mappings]
    options = {mapping["pattern"]: mapping for mapping in mappings}
    catalogue = Catalog(domain=DOMAIN, project="Kiosque", charset="utf-8")
    for name, _, message, comments, context in extract_from_dir(
        WEB, methods, options, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        # without numbers of lines: they would change with every edit
        catalogue.add(message, locations=[(name, None)], auto_comments=comments, context=context)
    return catalogue


def main() -> None:
    template = collected()
    with (CATALOGUES / f"{DOMAIN}.pot").open("wb") as file:
        write_po(file, template, width=WIDTH, omit_header=True, sort_output=True)
    for path in sorted(CATALOGUES.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parts[-3], domain=DOMAIN)
        # a guess at a translation is worth less than none: a hole is seen
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        catalogue.creation_date = catalogue.revision_date
        with path.open("wb") as file:
            write_po(file, catalogue, width=WIDTH, sort_output=True)
        missing = sum(1 for message in catalogue if message.id and not _translated(message.string))
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {missing} to translate", file=sys.stderr)


def _translated(words: str | tuple[str, ...]) -> bool:
    return all(words) if isinstance(words, tuple) else bool(words)


if __name__ == "__main__":
    main()
