"""The recommender with the sentence encoder that ships, over the books that ship."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from kiosque.books.build import build
from kiosque.books.chronicle import FOLDER, SOURCE, holds
from kiosque.books.encoder import GRAPH, MAX_TOKENS, TOKENIZER, Encoder
from kiosque.books.model import load
from kiosque.core.book import Book, BookQuery, ReadItem
from kiosque.core.errors import CorruptModel, InvalidInput
from kiosque.modelstore.store import ModelStore
from kiosque.testing.paths import CHECKOUT

OFF_TOPIC = (
    "Fold the egg whites into the batter and bake the sponge for forty minutes.",
    "How to reset the router: hold the button for ten seconds and join the network again.",
    "Knit two, purl two across the row, slip the marker and turn the work at the heel.",
    "The kitchen tap drips because the washer is worn. Close the valve and fit a new one.",
    "Prune roses in late winter and mulch the bed with compost.",
    "Scattered showers on Thursday with a high of 61; a gentle breeze from the west.",
    "Leeside United beat Marbury Town 2-1 with a header in the ninetieth minute.",
    "A patch for the puzzle game fixes a crash on level nine.",
    "Sourdough starter doubles in eight hours if you feed it equal parts of flour and water.",
    "How to descale a kettle with vinegar, and why you should do so every month.",
)


@pytest.fixture(scope="module")
def encoder_folder():
    return ModelStore(CHECKOUT / "data" / "models").champion("encoder").folder


@pytest.fixture(scope="module")
def books():
    with (CHECKOUT / "data" / "demo" / "books.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Book(
            f"work:{row['title'].casefold()}/{row['author'].casefold()}",
            row["title"],
            row["author"],
            year=row["year"],
            subjects=tuple(row["subjects"]),
            language=row["language"],
            fiction=row["fiction"],
            description=row["description"],
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def folder(encoder_folder, books, tmp_path_factory):
    folder = tmp_path_factory.mktemp("books") / "version"
    build(books, folder, encoder=encoder_folder)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return load(folder, threads=1)


def first(model, query):
    return model.recommend([query])[0].recommendations[0]


def test_the_shipped_version_is_sound_and_small(encoder_folder):
    store = ModelStore(CHECKOUT / "data" / "models")
    store.verify(store.champion("encoder"))
    assert holds(encoder_folder / FOLDER, SOURCE)
    assert sum((encoder_folder / name).stat().st_size for name in (GRAPH, TOKENIZER)) < 24 * 1024 * 1024


def test_a_text_has_one_vector_of_length_one(encoder_folder):
    encoder = Encoder(encoder_folder)
    vector = encoder.encode("The President spoke.")
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    assert (vector == list(encoder.encode_each(["Another text.", "The President spoke."]))[1]).all()


def test_near_texts_have_near_vectors(encoder_folder):
    encoder = Encoder(encoder_folder)
    near, far = (encoder.encode(t) for t in ("Soldiers fought at dawn.", "Bake the cake slowly."))
    asked = encoder.encode("The army attacked in the early morning.")
    assert asked @ near > asked @ far + 0.3


def test_beyond_the_last_word_piece_a_text_is_not_read(encoder_folder):
    encoder = Encoder(encoder_folder)
    long = "war " * MAX_TOKENS
    assert (encoder.encode(long) == encoder.encode(long + "and peace " * 20_000)).all()


def test_characters_that_the_vocabulary_lacks_do_no_harm(encoder_folder):
    assert np.isfinite(Encoder(encoder_folder).encode("選挙 🗳️ \x00 Ελλάδα")).all()


def test_a_version_reproduces_its_answers(model):
    model.warm()
    model.check()
    assert model.info.encoder
    assert model.info.notes > 400


def test_an_article_that_names_no_one_finds_its_person(model):
    text = "The rail-splitter of Illinois, named on the third ballot in the Wigwam, carries the North."
    best = first(model, BookQuery(text=text))
    assert "Abraham Lincoln" in best.book.subjects
    assert "Abraham Lincoln" in best.reasons.persons
    assert "Election of 1860" in best.reasons.sentence


def test_an_article_that_names_persons_is_told_what_it_shares(model):
    best = first(model, BookQuery(text="Truman beats Dewey in 1948 after a whistle-stop campaign"))
    assert "Harry S. Truman" in best.reasons.persons
    assert best.reasons.sentence.startswith("shares: ")
    assert best.score > 0.5


@pytest.mark.parametrize("text", OFF_TOPIC)
def test_a_text_of_another_world_gets_no_book(model, text):
    (shelf,) = model.recommend([BookQuery(text=text)])
    assert shelf.recommendations == ()
    assert shelf.note.startswith("No good match")


def test_a_reader_of_two_fields_gets_books_of_both(model):
    reader = (
        ReadItem("The moon landing and the astronauts of Apollo", datetime(2026, 11, 2, tzinfo=UTC)),
        ReadItem("Watergate tapes bring down Nixon", datetime(2026, 11, 1, tzinfo=UTC)),
    )
    (shelf,) = model.recommend([BookQuery(reader=reader, k=6)])
    subjects = {subject for one in shelf.recommendations for subject in one.book.subjects}
    assert {"Watergate", "NASA"} <= subjects


def test_more_like_a_book_are_books_of_its_subject(model, books):
    book = next(b for b in books if "Watergate" in b.subjects)
    (shelf,) = model.recommend([BookQuery(book_key=book.key)])
    assert book not in [one.book for one in shelf.recommendations]
    assert any({"Watergate", "Richard Nixon"} & set(one.book.subjects) for one in shelf.recommendations)


def test_contemporaries_only_had_books_of_their_time(model):
    query = BookQuery(text="Lincoln wins the election of 1860", contemporary_on="1950-01-01", min_score=0.0)
    (shelf,) = model.recommend([query])
    assert all(one.book.year is not None and one.book.year < 1950 for one in shelf.recommendations)


def test_no_author_fills_the_shelf_twice_where_others_are_as_good(model):
    (shelf,) = model.recommend([BookQuery(text="The civil rights movement marches in Alabama", k=5)])
    authors = [one.book.author for one in shelf.recommendations]
    assert len(set(authors)) >= len(authors) - 1


def test_a_hundred_kilobytes_are_answered_from_their_beginning(model):
    text = "Truman beats Dewey in 1948. " + "The returns came in by wire through the night. " * 2200
    assert len(text) > 100_000
    assert "Harry S. Truman" in first(model, BookQuery(text=text)).book.subjects
    with pytest.raises(InvalidInput):
        model.recommend([BookQuery(text=text, k=0)])


def test_building_again_gives_the_same_files_and_a_change_gives_others(
    encoder_folder, books, folder, tmp_path
):
    def digests(path):
        return {
            str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(path.rglob("*"))
            if file.is_file()
        }

    build(list(reversed(books)), tmp_path / "again", encoder=encoder_folder, threads=1)
    assert digests(tmp_path / "again") == digests(folder)
    changed = [replace(books[0], description="Something else."), *books[1:]]
    build(changed, tmp_path / "changed", encoder=encoder_folder)
    after = digests(tmp_path / "changed")
    assert after["vectors.npy"] != digests(folder)["vectors.npy"]
    assert after["books.jsonl"] != digests(folder)["books.jsonl"]


@pytest.mark.parametrize(
    "name", [GRAPH, TOKENIZER, "vectors.npy", f"{FOLDER}/find.npy", f"{FOLDER}/notes.jsonl"]
)
def test_a_damaged_version_is_refused(encoder_folder, books, tmp_path, name):
    build(books[:5], tmp_path, encoder=encoder_folder)
    (tmp_path / name).unlink()
    (tmp_path / name).write_bytes(b"\x00 not this")
    with pytest.raises(CorruptModel):
        load(tmp_path)


def test_notes_that_changed_since_the_encoder_was_published_are_encoded_anew(
    encoder_folder, books, tmp_path, monkeypatch
):
    notes = SOURCE.read_text(encoding="utf-8").splitlines()[:3]
    (tmp_path / "notes.jsonl").write_text("\n".join(notes) + "\n", encoding="utf-8")
    monkeypatch.setattr("kiosque.books.build.SOURCE", tmp_path / "notes.jsonl")
    build(books[:5], tmp_path / "version", encoder=encoder_folder)
    assert load(tmp_path / "version").info.notes == 3


def test_several_threads_give_the_same_shelves(folder, model, books):
    queries = [BookQuery(text=book.description, k=3) for book in books if book.description]
    with_threads = load(folder, threads=3).recommend(queries)
    assert with_threads == [model.recommend([query])[0] for query in queries]
