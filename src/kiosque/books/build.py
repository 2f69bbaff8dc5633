"""Build a version of the recommender from books: a folder that holds all that answering needs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kiosque.books.asked import MAX_BOOKS, MAX_CHARACTERS, describe, sentences
from kiosque.books.catalogue import Catalogue, arrange, write_rows
from kiosque.books.chronicle import FOLDER, SOURCE, Chronicle, holds, write_chronicle
from kiosque.books.encoder import GRAPH, MAX_TOKENS, TOKENIZER, Encoder
from kiosque.books.evaluation.report import markdown
from kiosque.books.evidence import Index
from kiosque.books.lexical import build_index, save_index
from kiosque.books.model import CANARY, VECTORS, load
from kiosque.books.priors import Votes, write_votes
from kiosque.books.recipe import Recipe, write_recipe
from kiosque.books.terms import index_terms
from kiosque.core.book import Book, BookQuery
from kiosque.core.cpus import count_cpus

FORMAT = "books/1"
EVALUATION = "evaluation.json"
"""Beside an encoder: what was measured with it."""
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
    votes: Mapping[str, Votes] | None = None,
    threads: int | None = None,
) -> dict[str, Any]:
    """Write a version of `books` into the folder `out` and return what its manifest is to say.

    `encoder` is the folder of the sentence encoder; without it books are compared by words alone. `votes` are
    readers' verdicts by book key. The files depend on the set of books, the encoder, the recipe and the votes only,
    not on order, time or number of threads, so that the same catalogue gives the same digests. `out` is made; files
    of the same names are overwritten.
    """
    out.mkdir(parents=True, exist_ok=True)
    recipe = recipe or Recipe()
    catalogue = arrange(books)
    digest = write_rows(catalogue, out)
    write_recipe(recipe, out)
    write_votes(votes or {}, out)
    if encoder is not None:
        _place_encoder(encoder, out)
        if (encoder / EVALUATION).exists():
            _place(encoder / EVALUATION, out / EVALUATION)
    index = assemble(
        catalogue,
        recipe,
        encoder=Encoder(out) if encoder else None,
        threads=threads or count_cpus(),
        progress=progress,
    )
    save_index(index.lexical, out)
    if index.vectors is not None:
        # half precision moves a cosine by less than 0.001
        np.save(out / VECTORS, index.vectors.astype(np.float16), allow_pickle=False)
    (out / CANARY).write_text("[]\n", encoding="utf-8")
    _record_canary(catalogue, out)
    manifest = _manifest(catalogue, digest, recipe, encoder)
    (out / "card.md").write_text(_card(manifest, out), encoding="utf-8")
    return manifest


def assemble(
    catalogue: Catalogue,
    recipe: Recipe,
    *,
    encoder: Encoder | None,
    chronicle: Chronicle | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Index:
    """The index of `catalogue` in memory: words counted and, with an encoder, vectors computed."""
    terms = [index_terms(lexical_text(book)) for book in catalogue.books]
    lexical = build_index(terms, k1=recipe.k1, b=recipe.b)
    vectors = _vectors(catalogue, encoder, recipe, threads, progress) if encoder else None
    return Index(catalogue, lexical, recipe, encoder, vectors, chronicle)


def lexical_text(book: Book) -> str:
    """What the words of a book are taken from."""
    return " ".join((book.title, *book.subjects, book.description))


def short_text(book: Book) -> str:
    """Title and subjects alone: what the book is about, without the telling."""
    return sentences(book.title, "; ".join(book.subjects))


def _vectors(
    catalogue: Catalogue, encoder: Encoder, recipe: Recipe, threads: int, progress: Progress | None
) -> NDArray[np.float32]:
    """The vectors of all books, [books, width], each of length 1."""
    vectors = np.zeros((len(catalogue), encoder.width), np.float32)
    share = np.float32(recipe.title_share)

    def encode(book: Book) -> NDArray[np.float32]:
        mixed = (1 - share) * encoder.encode(describe(book)) + share * encoder.encode(short_text(book))
        return np.asarray(mixed / np.linalg.norm(mixed), np.float32)

    with ThreadPoolExecutor(threads, thread_name_prefix="books-build") as pool:
        for row, vector in enumerate(_in_order(pool, encode, catalogue.books)):
            vectors[row] = vector
            if progress is not None:
                progress(row + 1, len(catalogue))
    return vectors


def _in_order(
    pool: ThreadPoolExecutor, encode: Callable[[Book], NDArray[np.float32]], books: tuple[Book, ...]
) -> Iterator[NDArray[np.float32]]:
    """`encode` of each book, in order, a thousand handed out at a time."""
    for start in range(0, len(books), 1000):
        yield from pool.map(encode, books[start : start + 1000])


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


def _place_encoder(encoder: Path, out: Path) -> None:
    """Put graph, tokeniser and chronicle into the version; the chronicle's vectors come with the encoder where they
    are of the present notes and are computed where not.
    """
    for name in (GRAPH, TOKENIZER):
        _place(encoder / name, out / name)
    if holds(encoder / FOLDER, SOURCE):
        (out / FOLDER).mkdir(exist_ok=True)
        for path in sorted((encoder / FOLDER).iterdir()):
            _place(path, out / FOLDER / path.name)
    else:
        write_chronicle(SOURCE, out / FOLDER, Encoder(out))


def _place(source: Path, target: Path) -> None:
    """Hard-link where the file system can (the encoder is most of a version), copy elsewhere."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _manifest(catalogue: Catalogue, digest: str, recipe: Recipe, encoder: Path | None) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "metrics": {
            "books": len(catalogue),
            "with_description": sum(bool(book.description) for book in catalogue.books),
        },
        "data": {
            "catalogue_sha256": digest,
            "encoder_sha256": hashlib.sha256((encoder / GRAPH).read_bytes()).hexdigest() if encoder else None,
            "chronicle_sha256": hashlib.sha256(SOURCE.read_bytes()).hexdigest() if encoder else None,
        },
        "recipe": asdict(recipe),
        "input": {"k": [1, MAX_BOOKS], "max_characters": MAX_CHARACTERS, "max_word_pieces": MAX_TOKENS},
    }


def _card(manifest: Mapping[str, Any], out: Path) -> str:
    """What a person should know: the catalogue, and how good the method is, where that was measured with this very
    encoder and recipe.
    """
    metrics, data = manifest["metrics"], manifest["data"]
    head = (
        "# Books\n\n"
        f"{metrics['books']} books, {metrics['with_description']} of them with a description.\n\n"
        f"- catalogue: SHA-256 `{data['catalogue_sha256']}`\n"
        f"- encoder: SHA-256 `{data['encoder_sha256'] or 'none: books are compared by words alone'}`\n\n"
        "Scores between 0 and 1 are calibrated: of judged books with a score of 0.3, about 30 % were graded\n"
        "clearly relevant. Texts in other languages than English are compared by words only in effect.\n\n"
    )
    report = _evaluation(out)
    if report is None or report.get("recipe") != manifest["recipe"]:
        return head + "How good this is has not been measured: run `kiosque books evaluate`.\n"
    return f"{head}# Measured, with this encoder and recipe, on other catalogues\n\n{markdown(report)}"


def _evaluation(out: Path) -> dict[str, Any] | None:
    path = out / EVALUATION
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
