"""Every text of the pages is in the catalogue, and every text of the catalogue is in every language."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import nodes

from kiosque.testing.paths import CHECKOUT
from kiosque.web.language import CATALOGUES, DOMAIN, ENGLISH, LANGUAGES
from kiosque.web.render import templates

WEB = CATALOGUES.parent
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
# the manual of the API is English, as the API is; so are feeds, whoever fetches them
MODULES = [p for p in sorted(WEB.rglob("*.py")) if p.name not in ("terms.py", "manual.py", "feeds.py")]
SPOKEN = ("title", "placeholder", "aria-label", "alt", "label", "data-label", "data-one", "data-many")
"""Attributes that people read or hear."""
AS_TYPED = ("code", "pre", "kbd", "script", "style")
"""What is the same in every language: commands, keys."""
NAMES = {
    "Kiosque",
    "CSV",
    "JSON",
    "RSS",
    "Esc",
    "https://",
    # examples of what is pasted: the model reads English
    "Voters Turn on Truman as Dewey Surges",
    "Truman, Dewey",
}
HOLE = "\ue000"
WORD = re.compile(r"[^\W\d_]{2,}")
TRANSLATED = {"_", "gettext", "ngettext", "pgettext", "npgettext", "N_"}


# ---- templates -----------------------------------------------------------------------------------
class Seen(HTMLParser):
    """The words of a page that no translation stands behind."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in AS_TYPED:
            self._within.append(tag)
        for name, value in attributes:
            if name in SPOKEN:
                self._note(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._within:
            self._within.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._within:
            self._note(data)

    def _note(self, text: str) -> None:
        for piece in text.split(HOLE):
            if piece.strip(" ·\n") not in NAMES and WORD.search(piece):
                self.found.append(" ".join(piece.split()))


def bare_html(source: str) -> str:
    """A template without its expressions, each a hole, and without what stands in {% trans %}."""
    pieces, within, previous = [], False, ""
    for _, kind, value in templates().lex(source):
        if previous == "block_begin" and kind == "name" and value in ("trans", "endtrans"):
            within = value == "trans"
        if kind == "data" and not within:
            pieces.append(value)
        elif kind == "variable_begin":
            pieces.append(HOLE)
        if kind != "whitespace":
            previous = kind
    return "".join(pieces)


def shown_constants(source: str) -> Iterator[str]:
    """Strings that expressions of a template show as they are, or hand to a macro."""
    tree = templates().parse(source)
    for output in tree.find_all(nodes.Output):
        for expression in output.nodes:
            yield from _values(expression)
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr):
            for given in call.args:
                yield from _values(given)


def _values(expression: nodes.Node | None) -> Iterator[str]:
    if isinstance(expression, nodes.Const) and isinstance(expression.value, str):
        yield expression.value
    elif isinstance(expression, nodes.CondExpr):
        yield from _values(expression.expr1)
        yield from _values(expression.expr2)
    elif isinstance(expression, nodes.Or):
        yield from _values(expression.right)
    elif isinstance(expression, nodes.Concat):
        for part in expression.nodes:
            yield from _values(part)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_text_of_a_template_is_outside_the_catalogue(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    seen = Seen()
    seen.feed(bare_html(source))
    spoken = [text for text in shown_constants(source) if re.search(r"^[A-Z][a-z]|[a-z]{2,} [a-z]{2,}", text)]
    assert seen.found + [text for text in spoken if text not in NAMES] == []


def test_what_is_not_wrapped_is_found() -> None:
    seen = Seen()
    seen.feed(
        bare_html('<p title="Look">Here {{ _("not here") }} there</p>{% trans %}nor here{% endtrans %}')
    )
    assert seen.found == ["Look", "Here", "there"]
    assert [*shown_constants('{{ "Yes please" if a else b or "No" }}')] == ["Yes please", "No"]


# ---- modules -------------------------------------------------------------------------------------
SENTENCE = re.compile(r"^\W*[A-Z]\w+,? \w+|\w{2,},? \w{2,},? \w{2,}")
"""Two words of which the first has a capital, or three: less is a class or a header."""
NOT_SHOWN = {
    "RuntimeError",
    "TypeError",
    "ValueError",
    "AssertionError",
    "compile",
    "info",
    "warning",
    "Field",
    "exception",
}
"""Calls whose words are for whoever runs or changes Kiosque."""


HEADERS = {"Cookie, Accept-Language"}


def bare_sentences(tree: ast.Module) -> Iterator[str]:
    """Sentences of a module that go through no translation; docstrings are not meant."""
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in TRANSLATED | NOT_SHOWN:
            skipped |= {id(inner) for given in node.args for inner in ast.walk(given)}
        if isinstance(node, ast.Assign) and any(_name(target).isupper() for target in node.targets):
            # a constant that is meant for people is marked by N_
            skipped |= {id(inner) for inner in ast.walk(node.value) if not isinstance(node.value, ast.Tuple)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            words = re.sub(r"<[^>]*>", " ", node.value)
            if SENTENCE.search(words) and words not in HEADERS:
                yield node.value


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(WEB).as_posix())
def test_no_sentence_of_a_module_is_outside_the_catalogue(path: Path) -> None:
    assert [*bare_sentences(ast.parse(path.read_text(encoding="utf-8")))] == []


# ---- catalogues ----------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def template() -> Catalog:
    """What is in the code now."""
    path = CHECKOUT / "scripts" / "collect_messages.py"
    spec = importlib.util.spec_from_file_location("collect_messages", path)
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    collected: Catalog = script.collected()
    return collected


def catalogue_of(code: str) -> Catalog:
    with (CATALOGUES / code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=code, domain=DOMAIN)


def key_of(message: Message) -> tuple[object, object]:
    return message.context, message.id


def versions(message: Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands in the code, and its translation."""
    ids = message.id if isinstance(message.id, tuple) else (message.id,)
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    return tuple(map(str, ids)), tuple(str(string or "") for string in strings)


TRANSLATIONS = [code for code in LANGUAGES if code != ENGLISH]


def test_the_list_of_texts_is_that_of_the_code(template: Catalog) -> None:
    with (CATALOGUES / f"{DOMAIN}.pot").open("rb") as file:
        kept = read_po(file)
    assert {key_of(m) for m in kept if m.id} == {key_of(m) for m in template if m.id}, "run make messages"


@pytest.mark.parametrize("code", TRANSLATIONS)
class TestTranslation:
    def test_has_every_text_and_no_other(self, code: str, template: Catalog) -> None:
        catalogue = catalogue_of(code)
        assert {key_of(m) for m in catalogue if m.id} == {key_of(m) for m in template if m.id}
        missing = [m.id for m in catalogue if m.id and not all(versions(m)[1])]
        assert missing == []
        assert [m.id for m in catalogue if m.fuzzy and m.id] == []

    def test_has_the_same_values_in_it(self, code: str) -> None:
        named = re.compile(r"%\(\w+\)s|%%|%.?")
        for message in catalogue_of(code):
            if message.id:
                ids, strings = versions(message)
                wanted = set(named.findall(ids[-1]))
                assert [set(named.findall(string)) - {"%(num)s"} for string in strings] == [
                    wanted - {"%(num)s"}
                ] * len(strings), message.id

    def test_has_the_same_markup_in_it(self, code: str) -> None:
        tag = re.compile(r"<[^>]*>|&\w+;")
        for message in catalogue_of(code):
            ids, strings = versions(message)
            for string in strings if message.id else ():
                assert sorted(tag.findall(string)) == sorted(tag.findall(ids[-1])), message.id

    def test_says_its_commands_as_they_are_typed(self, code: str) -> None:
        typed = re.compile(r"<code>(.*?)</code>")
        for message in catalogue_of(code):
            ids, strings = versions(message)
            for string in strings if message.id else ():
                assert sorted(typed.findall(string)) == sorted(typed.findall(ids[-1]))

    def test_counts_as_its_language_does(self, code: str) -> None:
        catalogue = catalogue_of(code)
        for message in catalogue:
            if message.id and isinstance(message.id, tuple):
                assert len(message.string) == catalogue.num_plurals


def test_french_has_its_spaces_quotes_and_apostrophes() -> None:
    """No breaking space before ; : ! ? », after « or before %; no straight apostrophe, no English quote."""
    wrong = re.compile(r" [;:!?»%](?!\()|« |[^\u00a0\u202f][;!?»](?![^<]*>)|'|[“”]")
    for message in catalogue_of("fr"):
        for string in versions(message)[1] if message.id else ():
            words = re.sub(r"<code>.*?</code>|<[^>]*>|&\w+;|%\(\w+\)s", "x", string)
            assert not wrong.search(words), string


def test_no_two_texts_differ_by_their_spaces_alone(template: Catalog) -> None:
    texts = sorted(" ".join(str(m.id).split()).strip() for m in template if m.id and not m.context)
    assert [one for one, other in pairwise(texts) if one == other] == []
