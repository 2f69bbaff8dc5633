"""Searches that someone keeps."""

from __future__ import annotations

from datetime import date

import pytest

from kiosque.core.errors import Conflict, InvalidInput, NotFound
from kiosque.core.polarity import Polarity
from kiosque.store import saved_searches
from kiosque.store.articles import ArticleFilter, Sort
from kiosque.testing.world import NOW

WHERE = ArticleFilter(
    entities=("abraham-lincoln", "stephen-douglas"),
    polarity=Polarity.NEGATIVE,
    min_confidence=0.6,
    model_version="v1",
    source="wire",
    section="Politics",
    date_from=date(1860, 1, 1),
    date_to=date(1860, 12, 31),
    query='"third ballot" -cotton',
)


def add(database, name="Lincoln, badly", where=WHERE, sort=Sort.NEGATIVE):
    with database.write() as tx:
        return saved_searches.add(tx, name=name, where=where, sort=sort, by="ana", at=NOW, feed_nonce="n1")


def everything(database):
    with database.read() as tx:
        return saved_searches.everything(tx)


@pytest.mark.parametrize(("where", "sort"), [(WHERE, Sort.NEGATIVE), (ArticleFilter(), Sort.NEWEST)])
def test_a_search_comes_back_as_it_was_kept(database, where, sort):
    kept = add(database, where=where, sort=sort)
    assert (kept.where, kept.sort, kept.made_by, kept.created_at) == (where, sort, "ana", NOW)
    assert everything(database) == (kept,)


def test_searches_are_listed_by_name_whatever_its_case(database):
    for name in ("beta", "Alpha", "Über"):
        add(database, name)
    assert [each.name for each in everything(database)] == ["Alpha", "beta", "Über"]


def test_a_name_is_taken_once(database):
    add(database, "Alpha")
    other = add(database, "Beta")
    with pytest.raises(Conflict, match="already"):
        add(database, "ALPHA")
    with pytest.raises(Conflict, match="already"), database.write() as tx:
        saved_searches.rename(tx, other.id, "alpha")


def test_a_search_is_renamed_to_what_it_is_called_in_another_case_too(database):
    kept = add(database, "Alpha")
    with database.write() as tx:
        assert saved_searches.rename(tx, kept.id, "  ALPHA\n one ").name == "ALPHA one"


@pytest.mark.parametrize("name", ["", " \n\t", "x" * 201, "\u0301"])
def test_a_name_says_something(database, name):
    with pytest.raises(InvalidInput):
        add(database, name)


def test_any_text_can_be_a_name(database):
    assert add(database, "=1+1 <script>'\x00\ud800").name == "=1+1 <script>'\ufffd\ufffd"


def test_a_new_nonce_replaces_the_old_one(database):
    kept = add(database)
    with database.write() as tx:
        assert saved_searches.renew_feed(tx, kept.id, "n2").feed_nonce == "n2"


def test_what_is_gone_is_not_found(database):
    kept = add(database)
    with database.write() as tx:
        saved_searches.delete(tx, kept.id)
    assert everything(database) == ()
    for change in (
        saved_searches.get,
        saved_searches.delete,
        lambda tx, pk: saved_searches.rename(tx, pk, "x"),
        lambda tx, pk: saved_searches.renew_feed(tx, pk, "x"),
    ):
        with pytest.raises(NotFound), database.write() as tx:
            change(tx, kept.id)


def test_there_is_an_end_to_them(database, monkeypatch):
    monkeypatch.setattr(saved_searches, "MOST", 1)
    add(database, "one")
    with pytest.raises(Conflict, match="Delete"):
        add(database, "two")
