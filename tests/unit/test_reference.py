"""The manual is true: what the code has and the manual lacks, or says otherwise, fails here."""

import importlib.util
import re

import pytest

from kiosque.testing.paths import CHECKOUT

REFERENCE = CHECKOUT / "docs" / "reference"


def load_script(name):
    spec = importlib.util.spec_from_file_location(name, CHECKOUT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages():
    return load_script("write_reference").pages()


@pytest.mark.parametrize("name", ["settings.md", "errors.md", "metrics.md", "cli.md", "http.md"])
def test_the_reference_is_what_the_code_says(pages, name):
    assert (REFERENCE / name).read_text() == pages[name], "run: make docs"


def test_every_command_says_what_it_is_for(pages):
    undocumented = re.findall(r"^#+ `(kiosque [^`]+)`\n\n(?=#|\||$)", pages["cli.md"], re.MULTILINE)
    assert undocumented == []


def test_every_route_says_what_it_does(pages):
    assert re.findall(r"^\| `[A-Z]+ [^`]+` \|\s*\|$", pages["http.md"], re.MULTILINE) == []


def links(text):
    return re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)


@pytest.mark.parametrize(
    "page",
    sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")]),
    ids=lambda p: str(p.relative_to(CHECKOUT)),
)
def test_links_between_documents_lead_somewhere(page):
    missing = [link for link in links(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def test_every_decision_stands_in_the_list():
    folder = CHECKOUT / "docs" / "decisions"
    listed = set(links((folder / "README.md").read_text()))
    assert listed == {path.name for path in folder.glob("0*.md")}


def test_no_text_names_a_package_registry_or_a_private_folder():
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org")
    found = [
        str(path)
        for pattern in ("*.md", "*.toml", "requirements/*", "docs/**/*.md", ".ci/*", "Makefile", "scripts/*")
        for path in CHECKOUT.glob(pattern)
        if path.is_file() and any(host in path.read_text(errors="ignore") for host in hosts)
    ]
    assert found == []
