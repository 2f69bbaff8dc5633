import subprocess
import sys

import pytest

from kiosque.cli.root import NOUNS, load_noun

HEAVY = (
    "numpy",
    "onnxruntime",
    "sqlalchemy",
    "fastapi",
    "uvicorn",
    "httpx2",
    "feedparser",
    "nats",
    "pydantic",
    "jinja2",
)


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "kiosque", *arguments], capture_output=True, text=True, timeout=60, **options
    )


def test_help_lists_every_noun():
    shown = run("--help").stdout
    assert [noun for noun in NOUNS if f" {noun} " not in shown] == []


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from kiosque.cli.root import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"


@pytest.mark.parametrize("noun", NOUNS)
def test_each_noun_loads_and_explains_itself(noun):
    command = load_noun(noun)
    assert command.name == noun
    for name, child in getattr(command, "commands", {}).items():
        assert child.help, f"kiosque {noun} {name} says nothing of itself"


def test_the_version_is_printed():
    assert run("--version").stdout.startswith("kiosque ")


def test_a_misspelt_noun_is_answered_with_the_right_one():
    result = run("artcle")
    assert result.returncode == 2
    assert "article" in result.stderr


def test_an_error_of_ours_ends_with_its_exit_code_and_a_hint(tmp_path):
    result = run("--data-dir", str(tmp_path), "article", "show", "nothing")
    assert result.returncode == 3
    assert result.stdout == ""
    assert "Error:" in result.stderr
    assert "Traceback" not in result.stderr


def test_settings_that_are_wrong_are_named(tmp_path):
    import os

    result = run("settings", "list", env=os.environ | {"KIOSQUE_BUS": "pigeon"}, cwd=tmp_path)
    assert result.returncode == 2
    assert "KIOSQUE_BUS" in result.stderr


def test_settings_never_show_a_secret(tmp_path):
    import os

    result = run(
        "settings", "list", "--json", env=os.environ | {"KIOSQUE_NYT_API_KEY": "hush-hush"}, cwd=tmp_path
    )
    assert "hush-hush" not in result.stdout + result.stderr
