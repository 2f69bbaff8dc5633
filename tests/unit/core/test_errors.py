import re

import pytest

from kiosque.core import errors
from kiosque.core.errors import KiosqueError, TryAgain


def all_errors(base=KiosqueError):
    yield base
    for child in base.__subclasses__():
        yield from all_errors(child)


@pytest.mark.parametrize("error", tuple(all_errors()), ids=lambda e: e.__name__)
def test_each_error_stands_in_the_drawn_tree_with_its_code_status_and_exit(error):
    drawn = re.search(rf"\b{error.__name__}\s+(\w+)(?:\s+(\d+)\s+(\d+))?", errors.__doc__ or "")
    assert drawn, f"{error.__name__} is missing in the docstring of core/errors.py"
    if error is not KiosqueError:
        assert drawn.groups() == (error.code, str(error.status), str(error.exit_code))


def test_codes_are_unique():
    codes = [error.code for error in all_errors()]
    assert len(codes) == len(set(codes))


def test_the_hint_follows_the_detail():
    assert str(KiosqueError("No disk.", hint="Free some.")) == "No disk. Free some."


def test_try_again_says_when():
    assert TryAgain("Busy.", retry_after=3).retry_after == 3
