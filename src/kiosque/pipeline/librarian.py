"""Filing books that come in: an edition of a work that is there already joins it, whatever key it came with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kiosque.core.book import Book, ListPlacement
from kiosque.core.catalogue import Catalogue
from kiosque.store import books
from kiosque.store.books import BooksChange
from kiosque.store.tx import Tx


class Librarian:
    """Keeps the catalogue in memory between pages, and reads it anew when somebody else has changed it."""

    def __init__(self) -> None:
        self._catalogue = Catalogue()
        self._generation: int | None = None

    def file(
        self, tx: Tx, given: Sequence[Book], placements: Sequence[ListPlacement], at: datetime
    ) -> BooksChange:
        """Store `given`, each merged with its work, and where they stood on lists, under the works' keys."""
        if self._generation != books.generation(tx):
            self._catalogue = Catalogue(books.iterate(tx))
        filed = {book.key: self._catalogue.add(book).key for book in given}
        works = [self._catalogue.get(key) for key in dict.fromkeys(filed.values())]
        change = books.save(tx, [work for work in works if work is not None], at)
        books.save_placements(
            tx, [replace(p, book_key=filed.get(p.book_key, p.book_key)) for p in placements]
        )
        # Undone with the transaction: the number in the store is then another one, and the catalogue is read again.
        self._generation = books.generation(tx)
        return change
