import hashlib

import pytest

from kiosque.api.keys import digest_of, is_key, make_key


def counting_bytes(n: int) -> bytes:
    return bytes(range(n))


def test_a_key_starts_with_the_prefix_by_which_people_know_it() -> None:
    key = make_key(counting_bytes)
    assert key.prefix == "kq_00010203"
    assert key.text.startswith(f"{key.prefix}_")


def test_only_the_digest_of_the_whole_key_is_kept() -> None:
    key = make_key()
    assert key.digest == hashlib.sha256(key.text.encode()).hexdigest() == digest_of(key.text)


def test_the_secret_is_never_in_the_representation() -> None:
    key = make_key()
    assert key.text not in repr(key)
    assert key.text.removeprefix(f"{key.prefix}_") not in repr(key)


def test_two_keys_differ_in_prefix_and_secret() -> None:
    one, other = make_key(), make_key()
    assert one.prefix != other.prefix
    assert one.text[12:] != other.text[12:]


def test_what_make_key_makes_is_a_key() -> None:
    assert all(is_key(make_key().text) for _ in range(200))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kq_",
        "kq_00010203",
        "kq_00010203_short",
        "kq_XYZ10203_" + "a" * 43,
        "kq_00010203_" + "a" * 44,
        "kq_00010203_" + "a" * 43 + "\n",
        "kq_00010203_" + "é" * 43,
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
    ],
)
def test_anything_else_is_no_key(text: str) -> None:
    assert not is_key(text)
