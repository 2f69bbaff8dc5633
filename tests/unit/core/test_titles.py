from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.titles import name_case, title_case
from kiosque.testing.paths import CHECKOUT


@pytest.mark.parametrize(
    "expected",
    [
        "I'll Be Gone in the Dark",
        "The Girl with the Dragon Tattoo",
        "Henry VIII and the Six Wives",
        "Louis XIV's France",
        "O'Reilly and McCain at Nine O'Clock",
        "D-Day: A Novel",
        "Mother-in-Law",
        "21 Lessons for the 21st Century",
        "Trident K9 Warriors",
        "The FBI, the CIA and JFK Jr.",
        "E.R. Nurses",
        "Rock 'n' Roll",
        "Y'all Come",
        "Us vs. Them",
        "It",
        "What We Live For",
        "(Re)Born in the USA",
        "The Answer Is ...",
        "Kris Jenner...and All Things",
        "My Fight / Your Fight",
        "Étude en Noir",
        "SEAL Team Six",
        "The Seal Pup",
        "UFOs Over Mill Creek",
        "L'Amour",
        "General MacArthur's War",
    ],
)
def test_upper_case_becomes_title_case(expected: str) -> None:
    assert title_case(expected.upper()) == expected


@pytest.mark.parametrize(
    "title", ["A Brief History of Time", "iPhone", "de Gaulle", "", "I", "1984", "FASCISM: A Warning"]
)
def test_a_title_that_is_not_all_capitals_stays(title: str) -> None:
    assert title_case(title) == title


def test_nearly_all_titles_of_the_demo_catalogue_come_back() -> None:
    lines = (CHECKOUT / "data/demo/books.jsonl").read_text(encoding="utf-8").splitlines()
    titles = [json.loads(line)["title"] for line in lines]
    changed = [title for title in titles if title_case(title.upper()) != title]
    assert len(changed) <= 2, changed


@given(st.text(max_size=60))
def test_only_the_case_of_letters_changes(title: str) -> None:
    assert title_case(title).casefold() == title.casefold()


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("EZEKIEL J. EMANUEL", "Ezekiel J. Emanuel"),
        ("SANDRA DAY O'CONNOR", "Sandra Day O'Connor"),
        ("FRANKLIN D. ROOSEVELT JR.", "Franklin D. Roosevelt Jr."),
        ("JOHN ROE Jr.", "John Roe Jr."),
        ("George McGovern", "George McGovern"),
        ("JR Ward", "JR Ward"),
        ("AP", "AP"),
        ("BBC", "BBC"),
        ("BILL O'REILLY and MARTIN DUGARD", "Bill O'Reilly and Martin Dugard"),
        ("URSULA K. LE GUIN", "Ursula K. Le Guin"),
        ("AJ FINN", "AJ Finn"),
        ("A.J. FINN", "A.J. Finn"),
        ("ANN LEE, BO REED", "Ann Lee, Bo Reed"),
        ("Ann Lee and BO REED", "Ann Lee and BO REED"),
        ("Nguyễn Ái Quốc", "Nguyễn Ái Quốc"),
        ("ÉMILE ZOLA", "Émile Zola"),
        ("and", "and"),
        ("", ""),
    ],
)
def test_names_in_capitals_are_written_as_usual(given_name: str, expected: str) -> None:
    assert name_case(given_name) == expected
