"""Markdown that others wrote: readable, and harmless whatever stands in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.web.markdown import render


def test_headings_stand_below_those_of_the_page():
    html = render("# One\n\n## Two\n\n##### Five")
    assert html == "<h3>One</h3>\n<h4>Two</h4>\n<h6>Five</h6>\n"


def test_a_table_has_no_style_of_its_own():
    html = render("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert '<td class="number">2</td>' in html
    assert "style" not in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](https://evil.example/p.png)",
        "[x](//evil.example)",
        "[x](/logout)",
        '<https://a.b/"onmouseover=alert(1)>',
        "[x]: javascript:alert(1)\n\n[x]",
        "`<b>`",
        "&lt;script&gt;",
    ],
)
def test_attacks_stay_text(text):
    assert_harmless(render(text))


@given(st.text(alphabet=st.sampled_from("<>[]()!\"'&`*#|-:/ \n\\abcjs="), max_size=80))
def test_whatever_is_written_is_harmless(text):
    assert_harmless(render(text))


def test_links_to_the_web_say_nothing_of_where_one_comes_from():
    assert render("[x](https://a.example)") == (
        '<p><a href="https://a.example" rel="noopener noreferrer">x</a></p>\n'
    )


def assert_harmless(html):
    tags = set(re.findall(r"<\s*(\w+)", html))
    allowed = "a p em strong code pre h3 h4 h5 h6 ul ol li blockquote hr br table thead tbody tr th td"
    assert tags <= set(allowed.split())
    assert all(a.startswith(("https://", "http://")) for a in re.findall(r'href="([^"]*)"', html))
    for tag in re.findall(r"<[^>]*>", html):
        assert not re.search(r"\son\w+\s*=|style\s*=|src\s*=", re.sub(r'"[^"]*"', "", tag))
