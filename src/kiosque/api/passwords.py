"""Passwords: Argon2id with the parameters that pwdlib recommends, and no way to tell users apart by time."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

from kiosque.core.errors import InvalidInput

MIN_LENGTH = 10
"""NIST SP 800-63B asks for at least 8; length is the only rule."""
MAX_LENGTH = 256
"""Bounds the work that one request can ask for."""


class Hasher(Protocol):
    """What `Passwords` needs: hash, and verify against a hash."""

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str: ...

    def verify(self, password: str | bytes, hash: str | bytes) -> bool: ...  # noqa: A002


class Passwords:
    """Hashes and checks passwords. `hasher` is Argon2id with library defaults unless a test hands in another."""

    def __init__(self, hasher: Hasher | None = None) -> None:
        self._hasher = hasher or PasswordHash.recommended()

    @classmethod
    def quick(cls) -> Passwords:
        """Argon2id with parameters too weak for anything but tests."""
        return cls(PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),)))

    def hash(self, password: str) -> str:
        """Raises InvalidInput when `password` is too short or too long to be kept."""
        if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
            raise InvalidInput(f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters.")
        return self._hasher.hash(password)

    def is_right(self, password: str, known: str | None) -> bool:
        """Whether `password` belongs to the hash `known`; without one the same work is done and the answer is no."""
        if len(password) > MAX_LENGTH:
            return False
        try:
            right = self._hasher.verify(password, known or self._dummy)
        except PwdlibError:
            return False
        return right and known is not None

    @cached_property
    def _dummy(self) -> str:
        return self._hasher.hash("nobody has this password")
