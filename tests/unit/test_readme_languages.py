"""The README and its French version show the same commands, numbers, pictures and pages."""

import re

import pytest

from kiosque.testing.paths import CHECKOUT

ENGLISH, FRENCH = "README.md", "README.fr.md"


def text_of(name):
    return (CHECKOUT / name).read_text(encoding="utf-8")


def blocks(name):
    return re.findall(r"```\w*\n(.*?)```", text_of(name), re.DOTALL)


def numbers(name):
    """The numbers of the text, as they are written in English."""
    prose = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", text_of(name), flags=re.DOTALL)
    thousands, point = (",", ".") if name == ENGLISH else ("\u202f", ",")
    plain = re.sub(rf"(?<=\d){thousands}(?=\d{{3}}\b)", "", prose).replace(point, ".")
    return sorted(re.findall(r"\d+(?:\.\d+)?", plain))


def links(name):
    return set(re.findall(r"\]\(([^)]+)\)", text_of(name))) - {ENGLISH, FRENCH}


def test_each_leads_to_the_other():
    assert f"]({FRENCH})" in text_of(ENGLISH)
    assert f"]({ENGLISH})" in text_of(FRENCH)


def test_both_show_the_same_commands_and_what_they_answer():
    assert blocks(FRENCH) == blocks(ENGLISH)


def test_both_name_the_same_commands_in_their_text():
    named = [
        sorted(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text_of(name), flags=re.DOTALL)))
        for name in (ENGLISH, FRENCH)
    ]
    assert named[0] == named[1]


def test_both_lead_to_the_same_pages():
    # a picture of a page in French stands for the one in English
    assert {link.replace("-fr.webp", ".webp") for link in links(FRENCH)} == links(ENGLISH)


@pytest.mark.parametrize("name", [ENGLISH, FRENCH])
def test_what_they_lead_to_is_there(name):
    assert [link for link in links(name) if not (CHECKOUT / link).exists()] == []


def test_both_say_the_same_numbers():
    assert numbers(FRENCH) == numbers(ENGLISH)
