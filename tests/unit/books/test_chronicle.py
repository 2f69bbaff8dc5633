import json
from dataclasses import replace

import pytest

from kiosque.books.chronicle import SOURCE, holds, load_chronicle, read_notes, write_chronicle
from kiosque.books.recipe import Recipe
from kiosque.testing.books import WordEncoder

NOTES = (
    {
        "title": "Election of 1860",
        "from": 1860,
        "to": 1860,
        "persons": ["Abraham Lincoln", "Stephen A. Douglas"],
        "subjects": ["slavery"],
        "text": "The rail-splitter was named in the Wigwam at Chicago.",
    },
    {
        "title": "Disco",
        "from": 1974,
        "to": 1980,
        "persons": ["Donna Summer"],
        "subjects": ["music"],
        "text": "Mirror balls and strings.",
    },
)
ENCODER = WordEncoder()
RECIPE = Recipe()


@pytest.fixture(scope="module")
def chronicle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chronicle")
    source = folder / "source.jsonl"
    source.write_text("".join(json.dumps(note) + "\n" for note in NOTES))
    write_chronicle(source, folder / "out", ENCODER)
    assert holds(folder / "out", source)
    assert not holds(folder / "out", SOURCE)
    return load_chronicle(folder / "out")


def place(chronicle, text, recipe=RECIPE):
    return chronicle.place(text, ENCODER.encode(text), recipe)


def test_a_text_that_names_no_one_is_led_to_the_persons_of_its_note(chronicle):
    setting = place(chronicle, "Chicago: the Wigwam names a rail-splitter in 1860")
    assert setting.notes[0].title == "Election of 1860"
    assert setting.persons["lincoln"] == max(setting.persons.values())
    assert "slaveri" in setting.subjects
    assert setting.confidence == 1.0


def test_a_text_of_another_world_has_no_confidence(chronicle):
    setting = place(chronicle, "Knead dough until smooth")
    assert setting.confidence == 0.0
    assert setting.strength < RECIPE.doubt


def test_years_in_the_text_speak_for_events_of_that_time(chronicle):
    dated = place(chronicle, "Strings in the Wigwam, 1976")
    assert dated.notes[0].title == "Disco"
    assert place(chronicle, "Strings in the Wigwam, 1860").notes[0].title == "Election of 1860"


def test_the_weight_of_years_can_be_switched_off(chronicle):
    texts = ("The Wigwam in Chicago, 1976", "The Wigwam in Chicago, 1955")
    first, second = (place(chronicle, text, replace(RECIPE, note_years=0.0)).strength for text in texts)
    assert first == pytest.approx(second, abs=0.05)


def test_the_shipped_notes_are_whole():
    notes = read_notes(SOURCE)
    assert len(notes) > 400
    for note in notes:
        assert note.title
        assert note.text
        assert note.persons
        assert note.subjects
        assert 1600 <= note.start <= note.end <= 2026
