"""`make screenshots` photographs every page that the application has."""

import importlib.util
import re
import sys

import pytest

from kiosque.testing.paths import CHECKOUT
from kiosque.web.app import _PAGES
from kiosque.web.pages import account, manual, searches

FILES = re.compile(r"\.(?:csv|rss)$")
WITHOUT_EXAMPLE = {
    "/alerts/{alert_id:int}": "the demo data has no alert",
    "/articles/{article_id}/words": "a piece of the page of an article",
    "/jobs/{work}": "nothing long is at work in a new installation",
    "/models/{name}/rollback": "a new installation has one version; the page is that of promoting",
    "/operations/dead-letters/{letter}": "nothing is given up in a new installation",
    "/sources": "leads to the page of operations",
}


@pytest.fixture(scope="module")
def script():
    path = CHECKOUT / "scripts" / "take_screenshots.py"
    spec = importlib.util.spec_from_file_location("take_screenshots", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their types
    spec.loader.exec_module(module)
    return module


def routes():
    """The paths of all pages."""
    modules = (*_PAGES, account, manual, searches)
    routers = [getattr(m, name) for m in modules for name in ("router", "open_router") if hasattr(m, name)]
    paths = {route.path for router in routers for route in router.routes if "GET" in route.methods}
    return {path for path in paths if not FILES.search(path)}


def test_every_page_is_photographed(script):
    photographed = {subject.route for subject in script.subjects() if subject.route}
    assert photographed | set(WITHOUT_EXAMPLE) == routes()


def test_what_the_documentation_shows_is_there_and_light(script):
    shown = {f"{shot.name}.webp" for shot in script.SHOWN}
    assert {file.name for file in script.IMAGES.glob("*.webp")} == shown
    sizes = [file.stat().st_size for file in script.IMAGES.iterdir()]
    assert max(sizes) <= script.LARGEST
    assert sum(sizes) <= script.LARGEST_TOGETHER


def test_no_two_pictures_have_one_name(script):
    names = [subject.name for subject in script.subjects()]
    assert len(names) == len(set(names))
    assert {shot.subject for shot in script.SHOWN} <= set(names)
