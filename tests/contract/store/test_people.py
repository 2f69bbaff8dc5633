"""Users, their keys, and what they say of the answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiosque.core.book import Book
from kiosque.core.errors import Conflict, InvalidInput, NotFound
from kiosque.core.polarity import Polarity
from kiosque.store import books, feedback, keys, users
from kiosque.store.feedback import BookThumb, BookVerdict, Correction, FeedbackCounts
from kiosque.store.users import User
from kiosque.testing.world import NOW, POSITIVE, article

LATER = NOW + timedelta(hours=1)


def add_user(tx, name="Ada"):
    return users.add(tx, name, password_hash="argon2:x", scopes=("read", "write"), at=NOW)


def add_key(tx, digest="d" * 64, **others):
    return keys.add(
        tx,
        **{"name": "laptop", "prefix": "kq_ab", "digest": digest, "scopes": ("read",), "at": NOW, **others},
    )


def test_a_user_is_added_once_whatever_the_case(database):
    with database.write() as tx:
        assert add_user(tx) == User("Ada", "argon2:x", ("read", "write"), NOW)
        with pytest.raises(Conflict, match="ADA"):
            add_user(tx, "ADA")
        assert users.find(tx, "ada") == users.get(tx, "Ada")
        assert users.count(tx) == 1


def test_a_user_is_changed(database):
    with database.write() as tx:
        add_user(tx)
        users.set_password(tx, "ada", "argon2:y")
        users.set_scopes(tx, "ada", ("admin",))
        users.set_disabled(tx, "ada", True)
        users.record_login(tx, "ada", LATER)
        assert users.everyone(tx) == (User("Ada", "argon2:y", ("admin",), NOW, True, LATER),)


@pytest.mark.parametrize(
    "act",
    [
        lambda tx: users.get(tx, "nobody"),
        lambda tx: users.set_password(tx, "nobody", "x"),
        lambda tx: users.set_scopes(tx, "nobody", ()),
        lambda tx: users.set_disabled(tx, "nobody", True),
        lambda tx: users.record_login(tx, "nobody", NOW),
        lambda tx: users.delete(tx, "nobody"),
        lambda tx: add_key(tx, owner="nobody"),
    ],
)
def test_an_unknown_user_is_not_found(database, act):
    with database.write() as tx, pytest.raises(NotFound, match="nobody"):
        act(tx)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_a_name_out_of_range_is_refused(database, name):
    with database.write() as tx, pytest.raises(InvalidInput):
        add_user(tx, name)


def test_a_key_is_found_by_its_digest(database):
    with database.write() as tx:
        add_user(tx)
        key = add_key(tx, owner="ada", expires_at=LATER)
        assert keys.by_digest(tx, "d" * 64) == key == keys.get(tx, key.id)
        assert (key.owner, key.scopes, key.usable_at(NOW), key.usable_at(LATER)) == (
            "Ada",
            ("read",),
            True,
            False,
        )
        assert keys.by_digest(tx, "e" * 64) is None
        with pytest.raises(Conflict):
            add_key(tx)


def test_a_revoked_key_opens_nothing_and_keeps_its_time(database):
    with database.write() as tx:
        key = add_key(tx)
        keys.record_use(tx, key.id, NOW)
        keys.revoke(tx, key.id, NOW)
        keys.revoke(tx, key.id, LATER)
        revoked = keys.get(tx, key.id)
        assert (revoked.last_used_at, revoked.revoked_at, revoked.usable_at(NOW)) == (NOW, NOW, False)
        assert keys.count(tx) == 0
        with pytest.raises(NotFound):
            keys.revoke(tx, key.id + 1, NOW)


def test_a_disabled_owner_disables_the_key_and_a_deleted_one_deletes_it(database):
    with database.write() as tx:
        add_user(tx)
        own = add_key(tx, owner="Ada")
        other = add_key(tx, digest="e" * 64)
        users.set_disabled(tx, "Ada", True)
        assert keys.by_digest(tx, own.digest) is None
        assert keys.by_digest(tx, other.digest) == other
        assert keys.everything(tx) == (other, own)
        assert keys.everything(tx, owner="ADA") == (own,)
        users.delete(tx, "Ada")
        assert keys.everything(tx) == (other,)


def test_a_correction_remembers_what_the_model_had_said(world):
    world.add(story := article("k", "1860-01-01"), ("abraham-lincoln", POSITIVE))
    with world.database.write() as tx:
        given = {"article_id": story.id, "entity_id": "abraham-lincoln", "by": "ada"}
        feedback.correct(tx, **given, polarity=None, at=NOW)
        made = feedback.correct(tx, **given, polarity=Polarity.NEGATIVE, at=LATER, note="irony")
        assert made == Correction(
            story.id, "abraham-lincoln", Polarity.NEGATIVE, "ada", LATER, "irony", "v1", Polarity.POSITIVE
        )
        missed = feedback.correct(
            tx, article_id=story.id, entity_id="whig-party", polarity=Polarity.NEUTRAL, by="ada", at=NOW
        )
        assert (missed.model_version, missed.model_polarity) == (None, None)
        assert feedback.corrections_of(tx, story.id) == (made, missed)
        assert list(feedback.corrections(tx, chunk=1)) == [missed, made]
        assert feedback.counts(tx) == FeedbackCounts(corrections=2, thumbs=0)


def test_a_correction_needs_an_article_and_an_entity(world):
    world.add(story := article("k", "1860-01-01"))
    with world.database.write() as tx:
        for names in ((story.id, "nobody"), ("0" * 16, "whig-party")):
            with pytest.raises(NotFound):
                feedback.correct(tx, article_id=names[0], entity_id=names[1], polarity=None, by="a", at=NOW)


def test_a_verdict_on_a_book_is_kept_once_a_person_and_occasion(world):
    world.add(story := article("k", "1860-01-01"))
    with world.database.write() as tx:
        books.save(tx, [Book("isbn:1", "T", "A")], NOW)
        given = {"book_key": "isbn:1", "by": "ada"}
        feedback.thumb(tx, **given, verdict=BookVerdict.USEFUL, at=NOW, article_id=story.id)
        feedback.thumb(tx, **given, verdict=BookVerdict.NOT_USEFUL, at=LATER, article_id=story.id)
        feedback.thumb(tx, **given, verdict=BookVerdict.ALREADY_READ, at=NOW, text_digest="abc")
        assert list(feedback.thumbs(tx)) == [
            BookThumb("isbn:1", BookVerdict.ALREADY_READ, "ada", NOW, None, "abc"),
            BookThumb("isbn:1", BookVerdict.NOT_USEFUL, "ada", LATER, story.id, None),
        ]
        assert feedback.counts(tx).thumbs == 2


def test_verdicts_are_counted_by_book_and_what_somebody_read_is_theirs(database):
    with database.write() as tx:
        books.save(tx, [Book(f"isbn:{n}", f"T{n}", "A") for n in range(3)], NOW)
        for n, (book, verdict, by) in enumerate(
            [
                ("isbn:0", BookVerdict.USEFUL, "ada"),
                ("isbn:0", BookVerdict.USEFUL, "bob"),
                ("isbn:0", BookVerdict.NOT_USEFUL, "ada"),
                ("isbn:1", BookVerdict.NOT_USEFUL, "ada"),
                ("isbn:2", BookVerdict.ALREADY_READ, "ada"),
                ("isbn:0", BookVerdict.ALREADY_READ, "bob"),
            ]
        ):
            feedback.thumb(tx, book_key=book, verdict=verdict, by=by, at=NOW, text_digest=str(n))
        assert feedback.verdicts_by_book(tx) == {"isbn:0": (2, 1), "isbn:1": (0, 1)}
        assert feedback.books_read(tx, "ada") == {"isbn:2"}
        assert feedback.books_read(tx, "bob") == {"isbn:0"}
        assert feedback.books_read(tx, "eve") == frozenset()


@pytest.mark.parametrize("about", [{}, {"article_id": "x", "text_digest": "y"}])
def test_a_verdict_is_about_one_thing(database, about):
    with database.write() as tx, pytest.raises(InvalidInput):
        feedback.thumb(tx, book_key="isbn:1", verdict=BookVerdict.USEFUL, by="a", at=NOW, **about)


def test_a_verdict_needs_a_known_book(database):
    with database.write() as tx, pytest.raises(NotFound, match="isbn:1"):
        feedback.thumb(tx, book_key="isbn:1", verdict=BookVerdict.USEFUL, by="a", at=NOW, text_digest="x")
