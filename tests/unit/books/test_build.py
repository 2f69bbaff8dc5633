import hashlib
from dataclasses import replace
from pathlib import Path

from kiosque.books.build import build
from kiosque.testing.books import BOOKS, TRUMAN


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_same_books_in_any_order_give_the_same_files(tmp_path):
    first = build(BOOKS, tmp_path / "a", encoder=None)
    second = build(tuple(reversed(BOOKS)), tmp_path / "b", encoder=None)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert first == second


def test_a_changed_book_gives_other_digests(tmp_path):
    first = build(BOOKS, tmp_path / "a", encoder=None)
    second = build((replace(TRUMAN, year=1993), *BOOKS[1:]), tmp_path / "b", encoder=None)
    assert first["data"] != second["data"]
    assert digests(tmp_path / "a")["books.jsonl"] != digests(tmp_path / "b")["books.jsonl"]


def test_a_book_given_twice_is_one(tmp_path):
    assert build((*BOOKS, TRUMAN), tmp_path, encoder=None)["metrics"]["books"] == len(BOOKS)


def test_the_manifest_says_how_many_books_have_a_description(tmp_path):
    assert build(BOOKS, tmp_path, encoder=None)["metrics"]["with_description"] == 3
