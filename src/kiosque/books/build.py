"""Build a version of the recommender from books: a folder that holds all that answering needs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kiosque.books.asked import book_text
from kiosque.books.catalogue import Catalogue, arrange, write_rows
from kiosque.books.encoder import GRAPH, TOKENIZER, Encoder
from kiosque.books.lexical import build_index, save_index
from kiosque.books.model import CANARY, VECTORS, load
from kiosque.books.recipe import Recipe, write_recipe
from kiosque.books.terms import index_terms
from kiosque.core.book import Book, BookQuery

FORMAT = "books/1"
_CANARIES = 8

Progress = Callable[[int, int], None]
"""Called with (books done, books in all)."""


def build(
    books: Iterable[Book],
    out: Path,
    *,
    encoder: Path | None,
    progress: Progress | None = None,
    recipe: Recipe | None = None,
) -> dict[str, Any]:
    """Write a version of `books` into the folder `out` and return what its manifest is to say.

    `encoder` is the folder of the sentence encoder; without it books are compared by words alone. The files depend
    on the set of books, the encoder and the recipe only, not on their order or on the time, so that the same
    catalogue always gives the same digests. `out` is made; files of the same names are overwritten.
    """
    out.mkdir(parents=True, exist_ok=True)
    recipe = recipe or Recipe()
    catalogue = arrange(books)
    digest = write_rows(catalogue, out)
    save_index(
        build_index([index_terms(book_text(b)) for b in catalogue.books], k1=recipe.k1, b=recipe.b), out
    )
    write_recipe(recipe, out)
    if encoder is not None:
        for name in (GRAPH, TOKENIZER):
            _place(encoder / name, out / name)
        np.save(out / VECTORS, _vectors(catalogue, Encoder(out), progress), allow_pickle=False)
    (out / CANARY).write_text("[]\n", encoding="utf-8")
    _record_canary(catalogue, out)
    manifest = _manifest(catalogue, digest, recipe, encoder)
    (out / "card.md").write_text(_card(manifest), encoding="utf-8")
    return manifest


def _vectors(catalogue: Catalogue, encoder: Encoder, progress: Progress | None) -> NDArray[np.float16]:
    """The vectors of all books, [books, width]; half precision moves a cosine by less than 0.001."""
    vectors = np.zeros((len(catalogue), encoder.width), np.float16)
    for row, vector in enumerate(encoder.encode_each(book_text(book) for book in catalogue.books)):
        vectors[row] = vector
        if progress is not None:
            progress(row + 1, len(catalogue))
    return vectors


def _record_canary(catalogue: Catalogue, out: Path) -> None:
    """Ask the fresh version for a few of its own books' descriptions and write down what it says."""
    model = load(out, threads=1)
    step = max(1, len(catalogue) // _CANARIES)
    cases = []
    for book in catalogue.books[::step][:_CANARIES]:
        text = book.description or book.title
        found = model.recommend([BookQuery(text=text, k=1, min_score=0.0)])[0].recommendations
        if found:
            cases.append({"text": text, "key": found[0].book.key, "score": found[0].score})
    (out / CANARY).write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _place(source: Path, target: Path) -> None:
    """Hard-link where the file system can (the encoder is most of a version), copy elsewhere."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _manifest(catalogue: Catalogue, digest: str, recipe: Recipe, encoder: Path | None) -> dict[str, Any]:
    described = sum(bool(book.description) for book in catalogue.books)
    return {
        "format": FORMAT,
        "metrics": {"books": len(catalogue), "with_description": described},
        "data": {
            "catalogue_sha256": digest,
            "encoder_sha256": hashlib.sha256((encoder / GRAPH).read_bytes()).hexdigest() if encoder else None,
        },
        "recipe": asdict(recipe),
        "input": {"texts": "article, any text, reading list or book key", "k": [1, 50]},
    }


def _card(manifest: dict[str, Any]) -> str:
    metrics, data = manifest["metrics"], manifest["data"]
    return (
        "# Books\n\n"
        f"{metrics['books']} books, {metrics['with_description']} with a description.\n\n"
        f"- catalogue: `{data['catalogue_sha256']}`\n- encoder: `{data['encoder_sha256'] or 'none'}`\n"
    )
