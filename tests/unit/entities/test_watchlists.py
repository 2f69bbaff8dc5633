"""Watch lists as files: reading, writing, and never anything but InvalidInput for a malformed one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.entity import Alias, Candidacy, CaseRule, Entity, EntityKind, Watchlist
from kiosque.core.errors import InvalidInput, NotFound, TooLarge
from kiosque.entities import watchlists
from kiosque.entities.watchlists import (
    SUFFIXES,
    format_watchlist,
    parse_watchlist,
    read_folder,
    read_watchlist,
    write_watchlist,
)
from kiosque.testing.paths import CHECKOUT

SMALL = Watchlist("us", "us", (Entity("bush", "Bush", EntityKind.PERSON, (Alias("Bush"),)),))

# Names as people write them, with what formats are known to trip over.
NAMES = st.builds(
    lambda text: " ".join(f"A{text}".split()),
    st.text(
        st.one_of(
            st.sampled_from("abcé'’\"“\\#,;=[]{}|\u00a0\u200b .-"),
            st.characters(exclude_categories=["Cs", "C", "Z"]),
        ),
        max_size=20,
    ),
)
DAYS = st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31))
SLUGS = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,6}){0,2}", fullmatch=True)


@st.composite
def aliases(draw):
    first, last = draw(DAYS), draw(DAYS)
    if first and last and last < first:
        first, last = last, first
    return Alias(draw(NAMES), first, last, draw(st.sampled_from(CaseRule)))


@st.composite
def entities(draw, identifier, *, min_aliases=0):
    return Entity(
        identifier,
        draw(NAMES),
        draw(st.sampled_from(EntityKind)),
        tuple(draw(st.lists(aliases(), min_size=min_aliases, max_size=4))),
        tuple(draw(st.lists(NAMES, max_size=3))),
        draw(st.just("") | NAMES),
    )


@st.composite
def candidacies(draw, ids):
    day = draw(st.dates(date(1788, 1, 1), date(2100, 12, 31)))
    return Candidacy(
        day.year,
        day,
        draw(st.sampled_from(ids)),
        draw(NAMES),
        draw(st.booleans()),
        draw(st.none() | st.integers(0, 10**9)),
        draw(st.none() | st.floats(0, 100)),
        draw(st.none() | st.integers(0, 538)),
    )


@st.composite
def lists(draw, *, min_aliases=0, elections=True):
    ids = draw(st.lists(SLUGS, min_size=1, max_size=4, unique=True))
    stood = draw(st.lists(candidacies(ids), max_size=3)) if elections else []
    people = tuple(draw(entities(each, min_aliases=min_aliases)) for each in ids)
    return Watchlist(draw(SLUGS), draw(NAMES), people, tuple(stood))


@pytest.mark.parametrize("kind", [".toml", ".json"])
@given(lists())
def test_toml_and_json_give_back_what_was_written(kind, watchlist):
    text = format_watchlist(watchlist, kind=kind)

    assert parse_watchlist(text, kind=kind, origin="x") == watchlist


@given(lists(min_aliases=1, elections=False))
def test_csv_gives_back_the_entities(watchlist):
    text = format_watchlist(watchlist, kind=".csv")

    assert parse_watchlist(text, kind=".csv", origin="x", stem="list").entities == watchlist.entities


@pytest.mark.parametrize("kind", SUFFIXES)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_or_refused(kind, text):
    try:
        parse_watchlist(text, kind=kind, origin="x")
    except InvalidInput as error:
        assert error.detail.startswith("x")  # noqa: PT017


@pytest.mark.parametrize("kind", SUFFIXES)
@given(lists(min_aliases=1, elections=False), st.data())
def test_a_damaged_watch_list_is_read_or_refused(kind, watchlist, data):
    text = format_watchlist(watchlist, kind=kind)
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 8))
    damaged = text[:at] + data.draw(st.text(max_size=4)) + text[at + cut :]
    try:
        parse_watchlist(damaged.encode("utf-8", "replace").decode(), kind=kind, origin="x")
    except InvalidInput as error:
        assert error.detail  # noqa: PT017


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "name",
                    "entities",
                    "aliases",
                    "text",
                    "excludes",
                    "candidacies",
                    "valid_from",
                    "kind",
                    "party",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused(document):
    try:
        parse_watchlist(json.dumps(document), kind=".json", origin="x")
    except InvalidInput as error:
        assert error.detail.startswith("x")  # noqa: PT017


# Files


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_written_file_is_read_back(tmp_path, suffix):
    write_watchlist(SMALL, tmp_path / f"us{suffix}")

    assert read_watchlist(tmp_path / f"us{suffix}") == SMALL
    assert [path.name for path in tmp_path.iterdir()] == [f"us{suffix}"]


def test_a_csv_list_is_named_after_its_file(tmp_path):
    path = tmp_path / "Our Heads of State.csv"
    path.write_text("name\nBush\n", encoding="utf-8")

    assert (read_watchlist(path).id, read_watchlist(path).name) == (
        "our-heads-of-state",
        "Our Heads of State",
    )


def test_a_csv_list_whose_file_has_no_latin_letter_is_still_one(tmp_path):
    path = tmp_path / "президенты.csv"
    path.write_text("name\nBush\n", encoding="utf-8")

    assert read_watchlist(path).id == "watchlist"


def test_suffixes_in_capitals_and_byte_order_marks_are_read(tmp_path):
    path = tmp_path / "US.TOML"
    path.write_bytes(b"\xef\xbb\xbf" + format_watchlist(SMALL, kind=".toml").encode())

    assert read_watchlist(path) == SMALL


def test_windows_line_ends_are_read(tmp_path):
    for suffix in SUFFIXES:
        path = tmp_path / f"us{suffix}"
        path.write_bytes(format_watchlist(SMALL, kind=suffix).replace("\n", "\r\n").encode())
        assert read_watchlist(path) == SMALL


def test_a_folder_is_read_by_file_name_and_other_files_are_left_alone(tmp_path):
    write_watchlist(replace(SMALL, id="second", name="b"), tmp_path / "b.toml")
    write_watchlist(replace(SMALL, id="first", name="a"), tmp_path / "a.json")
    (tmp_path / "README.md").write_text("no list", encoding="utf-8")

    assert [each.id for each in read_folder(tmp_path)] == ["first", "second"]


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(NotFound, match=re.escape("no.toml")):
        read_watchlist(tmp_path / "no.toml")


@pytest.mark.parametrize("name", ["list", "list.txt", "list.yaml"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(InvalidInput, match="not a watch list") as caught:
        read_watchlist(tmp_path / name)
    assert ".toml" in (caught.value.hint or "")


def test_what_is_not_utf8_is_told_with_its_place(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"name\nFr\xe9mont\n")

    with pytest.raises(InvalidInput, match="not UTF-8 at byte 7"):
        read_watchlist(path)


def test_a_folder_is_no_watch_list(tmp_path):
    (tmp_path / "a.toml").mkdir()

    with pytest.raises(InvalidInput, match="Cannot read"):
        read_watchlist(tmp_path / "a.toml")


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(watchlists, "MAX_BYTES", 10)
    (tmp_path / "a.csv").write_text("name\nSomebody\n", encoding="utf-8")

    with pytest.raises(TooLarge):
        read_watchlist(tmp_path / "a.csv")


def test_a_problem_names_the_file(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"id": "a", "name": "A", "entities": [{"name": ""}]}', encoding="utf-8")

    with pytest.raises(InvalidInput, match=r"a\.json: entity 1"):
        read_watchlist(path)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(InvalidInput, match="Cannot write"):
        write_watchlist(SMALL, tmp_path / "missing" / "a.toml")
    assert list(tmp_path.iterdir()) == []


def test_a_watch_list_that_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "us.csv"
    write_watchlist(SMALL, path)
    before = path.read_bytes()

    with pytest.raises(InvalidInput):
        write_watchlist(replace(SMALL, entities=(Entity("a", "A", EntityKind.PERSON),)), path)
    assert path.read_bytes() == before


# What the documentation shows


def shown(kind):
    """The example of the module's docstring."""
    document = watchlists.__doc__ or ""
    blocks = re.findall(r"(?:^    .*\n|^\n)+", document, re.MULTILINE)
    (block,) = [each for each in blocks if each.strip().startswith(kind)]
    return "\n".join(line.removeprefix("    ") for line in block.strip("\n").splitlines())


def test_the_documented_toml_is_read():
    watchlist = parse_watchlist(shown('id = "us-presidents"'), kind=".toml", origin="docs")

    assert watchlist.entities[0].aliases[1] == Alias("Bush", date(1999, 6, 1), date(2009, 12, 31))
    assert watchlist.candidacies[0].winner


def test_the_documented_csv_is_read():
    (bush,) = parse_watchlist(shown("id,name,kind"), kind=".csv", origin="docs").entities

    assert bush.excludes == ("Bush Stadium",)


@pytest.mark.parametrize("kind", [".toml", ".csv"])
def test_the_reference_page_shows_what_is_read(kind):
    page = (CHECKOUT / "docs" / "reference" / "watchlists.md").read_text(encoding="utf-8")
    (block,) = re.findall(rf"```{kind[1:]}\n(.*?)```", page, re.DOTALL)

    (bush,) = parse_watchlist(block, kind=kind, origin="docs").entities
    assert bush.aliases[1] == Alias("Bush", date(1999, 6, 1), date(2009, 12, 31))
