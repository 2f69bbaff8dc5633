from __future__ import annotations

from pathlib import Path

import pytest

from kiosque.books.build import build
from kiosque.books.model import BooksModel, load
from kiosque.testing.books import BOOKS


@pytest.fixture(scope="session")
def lexical_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books") / "20260101-abc"
    build(BOOKS, folder, encoder=None)
    return folder


@pytest.fixture(scope="session")
def lexical_model(lexical_folder: Path) -> BooksModel:
    return load(lexical_folder)
