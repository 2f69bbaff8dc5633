import pytest

from kiosque.api.passwords import MAX_LENGTH, Passwords
from kiosque.core.errors import InvalidInput


class CountingHasher:
    """Counts what was asked of it."""

    def __init__(self) -> None:
        self.verified: list[tuple[str | bytes, str | bytes]] = []

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        return f"hash of {password!r}"

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002
        self.verified.append((password, hash))
        return hash == f"hash of {password!r}"


def test_a_password_is_known_by_its_hash() -> None:
    passwords = Passwords.quick()
    known = passwords.hash("correct horse battery")
    assert passwords.is_right("correct horse battery", known)
    assert not passwords.is_right("correct horse batterY", known)


def test_the_same_password_never_gives_the_same_hash() -> None:
    passwords = Passwords.quick()
    assert passwords.hash("correct horse battery") != passwords.hash("correct horse battery")


def test_the_default_is_argon2id_at_library_strength() -> None:
    kind, version, costs, *_ = Passwords().hash("correct horse battery").split("$")[1:]
    assert (kind, version) == ("argon2id", "v=19")
    cost = dict(part.split("=") for part in costs.split(","))
    assert int(cost["m"]) >= 64 * 1024
    assert int(cost["t"]) >= 2


def test_an_unknown_user_costs_as_much_work_as_a_known_one() -> None:
    hasher = CountingHasher()
    assert not Passwords(hasher).is_right("correct horse battery", None)
    assert len(hasher.verified) == 1


def test_nobody_gets_in_with_the_password_of_nobody() -> None:
    assert not Passwords(CountingHasher()).is_right("nobody has this password", None)


@pytest.mark.parametrize("password", ["", "short", "x" * (MAX_LENGTH + 1)])
def test_too_short_and_too_long_passwords_are_not_kept(password: str) -> None:
    with pytest.raises(InvalidInput, match="10 to 256"):
        Passwords.quick().hash(password)


def test_a_password_of_a_megabyte_is_refused_without_work() -> None:
    hasher = CountingHasher()
    assert not Passwords(hasher).is_right("x" * 1_000_000, "hash")
    assert hasher.verified == []


@pytest.mark.parametrize("known", ["", "not a hash", "$argon2id$v=19$m=64,t=1,p=1$broken"])
def test_a_damaged_hash_lets_nobody_in(known: str) -> None:
    assert not Passwords.quick().is_right("correct horse battery", known)
