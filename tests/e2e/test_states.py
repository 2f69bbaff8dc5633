"""Every page in a young installation: each opens and says why it is empty and what to do.

Real processes, started through the command line: with nothing in them, and with news but without a model.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiosque.testing.processes import running

from .visiting import (
    ALWAYS,
    NAMES,
    NEWS,
    PATIENCE,
    PRIVATE,
    READS_NOTHING,
    WATCHED,
    Visitor,
    administered,
    article_of,
    did,
)


class TestNothingHasComeInYet:
    @pytest.fixture(scope="class")
    @classmethod
    def visitor(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
        folder = tmp_path_factory.mktemp("empty")
        with running("up", timeout=PATIENCE, data_dir=folder, KIOSQUE_SEED_DEMO="false") as server:
            yield Visitor(server)

    def test_every_page_opens(self, visitor: Visitor) -> None:
        assert visitor.broken([*ALWAYS, "/login"]) == {}

    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("/", "Nothing has come in yet. Kiosque shows who is in the news once it has news. Add a feed"),
            ("/people", "Nobody of that name is watched. Add one with kiosque entity add"),
            ("/articles", "0 articles"),
            ("/articles", "No article fits all of this."),
            ("/compare", "Name two to six of those who are watched."),
            ("/elections", "No articles name a candidate yet."),
            ("/books", "The shelves are empty. Fill them: kiosque books import FILE"),
            ("/books?text=Lincoln", "No books just now:"),
            ("/for-you", "Nothing is ticked or pasted yet."),
            ("/for-you?text=Lincoln", "No books just now:"),
            ("/searches", "Nobody has saved a search yet."),
            ("/alerts", "There is none yet. Make one"),
            ("/alerts/new", "Name somebody, and see when the rule would have fired."),
            ("/operations", "Nothing is polled yet. Add a feed with"),
            ("/operations", "No article has come in yet, so that there is nothing to say of their quality."),
            ("/operations/dead-letters", "Nothing. Every message was handled."),
            ("/login", "There is no account yet."),
        ],
    )
    def test_it_says_why_it_is_empty_and_what_to_do(self, visitor: Visitor, path: str, words: str) -> None:
        assert words in visitor.text(path)

    def test_someone_who_is_not_watched_is_not_found(self, visitor: Visitor) -> None:
        for path in ("/people/abraham-lincoln", "/elections/1860", "/articles/none", "/books/none"):
            status, html = visitor.get(path)
            assert (status, html.count("<h1")) == (404, 1), path


class TestNoModelYet:
    """News came in and there is no model at all: none was seeded, none can be asked."""

    @pytest.fixture(scope="class")
    @classmethod
    def visitor(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
        folder = tmp_path_factory.mktemp("no-model")
        (folder / "none").mkdir()
        models = {"KIOSQUE_MODELS_DIR": str(folder / "none")}
        did(folder, "db", "migrate")
        did(folder, "entity", "import", str(NAMES), **models)
        did(folder, "import", str(NEWS), **models)
        with running("web", timeout=PATIENCE, data_dir=administered(folder), **models) as server:
            yield Visitor(server).log_in()

    def test_every_page_opens_and_says_that_nobody_has_read_the_news(self, visitor: Visitor) -> None:
        assert visitor.broken([*ALWAYS, *WATCHED, *PRIVATE, article_of(visitor)]) == {}
        for path in {*ALWAYS, *WATCHED, article_of(visitor)} - {READS_NOTHING}:
            assert "No model has read these articles yet" in visitor.text(path), path

    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("/models", "There is no model here yet. Put the ones that ship in place: kiosque model seed."),
            ("/articles?q=Lincoln", "Lincoln"),
            ("/people", "Abraham Lincoln"),
            ("/people/abraham-lincoln", "0 articles name Abraham Lincoln"),
            ("/people/abraham-lincoln", "No book was recommended for an article about Abraham Lincoln yet."),
            ("/elections", "No articles name a candidate yet."),
            ("/elections/1860", "No article of these months names a candidate."),
            ("/books?text=Lincoln", "No books just now:"),
            ("/for-you?text=Lincoln", "No books just now:"),
            ("/try?text=Lincoln+wins&targets=Lincoln", "No answer just now:"),
            ("/jobs", "Nothing yet."),
        ],
    )
    def test_each_says_what_is_missing(self, visitor: Visitor, path: str, words: str) -> None:
        assert words in visitor.text(path)

    def test_an_article_is_there_and_has_not_been_read(self, visitor: Visitor) -> None:
        text = visitor.text(article_of(visitor))
        assert "The model that answers has not read it yet." in text
        assert "There is no label to correct." in text
        assert "No books just now:" in text
