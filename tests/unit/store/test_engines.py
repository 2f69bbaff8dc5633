from __future__ import annotations

import subprocess
import sys

import pytest

from kiosque.core.errors import InvalidSettings
from kiosque.store.engines import make_engines


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "cannot be read"),
        ("hush-hush", "cannot be read"),
        ("postgresql://u:hush-hush@host:port/x", "cannot be read"),
        ("mysql://u:hush-hush@host/x", "not in 'mysql'"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_an_address_that_does_not_do_is_refused_without_repeating_it(url, message):
    with pytest.raises(InvalidSettings, match=message) as failure:
        make_engines(url, None, 1.0)
    assert "hush-hush" not in str(failure.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_postgresql_is_always_spoken_to_through_psycopg(scheme):
    engines = make_engines(f"{scheme}://u@host:1/x", "p@ss:w/rd", 1.0)
    assert engines.writer.url.drivername == "postgresql+psycopg"
    assert engines.writer.url.password == "p@ss:w/rd"
    assert "p@ss" not in repr(engines.writer)


def test_importing_a_noun_of_the_store_connects_to_nothing_and_loads_no_driver():
    code = "import sys, kiosque.store.stats; print('psycopg' in sys.modules, 'alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
