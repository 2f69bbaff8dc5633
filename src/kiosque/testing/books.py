"""A few books that differ in what is known of them, for tests."""

from __future__ import annotations

from zlib import crc32

import numpy as np

from kiosque.books.encoder import Encoder, Vector
from kiosque.books.terms import index_terms
from kiosque.core.book import Book

TRUMAN = Book(
    "isbn:9780671869205",
    "Truman",
    "David McCullough",
    year=1992,
    isbn13="9780671869205",
    subjects=("Harry S. Truman", "election of 1948", "presidential biography"),
    language="en",
    fiction=False,
    description="From a Missouri farm to the White House, with the whistle-stop train of 1948.",
)
LINCOLN = Book(
    "work:lincoln/gore vidal",
    "Lincoln",
    "Gore Vidal",
    year=1984,
    subjects=("Abraham Lincoln", "Civil War"),
    language="en",
    fiction=True,
    description="A novel of the war years in Washington, told by those round the President.",
)
BRIDGE = Book(
    "work:le pont/anne morel",
    "Le Pont",
    "Anne Morel",
    year=1931,
    subjects=("bridges", "engineering"),
    language="fr",
    fiction=False,
    description="How steel bridges were drawn, riveted and painted.",
    published_on="1931-05-04",
)
PLAIN = Book("work:untold/nobody", "Untold", "Nobody Known")
"""A book of which next to nothing is known."""

BOOKS = (TRUMAN, LINCOLN, BRIDGE, PLAIN)


class WordEncoder(Encoder):
    """Stands in for the sentence encoder: a text's vector counts its words in a few hashed places."""

    def __init__(self, width: int = 64) -> None:
        self.width = width
        self._known = None

    def _encode(self, text: str) -> Vector:
        vector = np.zeros(self.width, np.float32)
        for term in index_terms(text):
            vector[crc32(term.encode()) % self.width] += 1.0
        vector[0] += 1e-3
        return np.asarray(vector / np.linalg.norm(vector), np.float32)
