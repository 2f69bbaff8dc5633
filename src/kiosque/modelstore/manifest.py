"""What a model version says about itself: `manifest.json`, read as if an enemy had written it.

{"schema": "kiosque.model/1", "name": "polarity", "version": "20261125-1f0c…", "published_at": "…Z",
 "digest": "1f0c…", "files": {"model.onnx": {"sha256": "…", "size": 123}, …},
 …and what the publisher adds: format, metrics, data digests, recipe, code version, input contract}
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn, TypeGuard

from kiosque.core.clock import parse_rfc3339, rfc3339
from kiosque.core.errors import CorruptModel, InvalidInput

SCHEMA = "kiosque.model/1"
FILE_NAME = "manifest.json"
MAX_BYTES = 4 * 1024 * 1024
RESERVED = frozenset({"schema", "name", "version", "published_at", "digest", "files"})
SUFFIXES = frozenset(
    {".onnx", ".json", ".jsonl", ".npy", ".npz", ".txt", ".md", ".toml", ".csv", ".gz", ".safetensors"}
)
"""What a version may hold: formats that are read without running code out of them."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HINT = "Publish the version again, or move the alias to another one: kiosque model --help."


@dataclass(frozen=True, slots=True)
class FileEntry:
    """SHA-256 as 64 hexadecimal digits, and size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """`files` maps relative POSIX paths to what they must hold; `fields` is what the publisher added."""

    name: str
    version: str
    published_at: datetime
    files: Mapping[str, FileEntry]
    fields: Mapping[str, Any]

    @property
    def digest(self) -> str:
        return content_digest(self.files)


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable version on disk. Nobody has verified it yet: see `ModelStore.verify`."""

    name: str
    id: str
    folder: Path
    manifest: Manifest

    @property
    def published_at(self) -> datetime:
        return self.manifest.published_at


def content_digest(files: Mapping[str, FileEntry]) -> str:
    """SHA-256 over the sorted lines `<sha256> <size> <path>`: the same files give the same digest anywhere."""
    lines = (f"{files[path].sha256} {files[path].size} {path}\n" for path in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def version_id(digest: str, published_at: datetime) -> str:
    """`<day>-<first 12 digits of the content digest>`. The part after the hyphen depends on the files alone."""
    return f"{published_at:%Y%m%d}-{digest[:12]}"


def is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None and ".." not in value


def check_name(value: str, what: str) -> str:
    """`value` if it can be a model's, version's or alias's name: it becomes a folder name. Else InvalidInput."""
    if not is_name(value):
        raise InvalidInput(
            f"{value[:80]!r} cannot be the name of a {what}.",
            hint="Use up to 80 lower-case letters, digits, dots, hyphens and underscores.",
        )
    return value


def check_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` as JSON would give them back. Raises InvalidInput on reserved names and on what is not JSON."""
    if taken := RESERVED & fields.keys():
        raise InvalidInput(f"Reserved in a manifest: {', '.join(sorted(taken))}.")
    try:
        plain = json.loads(json.dumps(dict(fields), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"The fields of a manifest must be JSON: {error}") from error
    return dict(plain)


def check_path(path: str) -> str | None:
    """Why `path` may not stand in a version; None where it may."""
    pure = PurePosixPath(path)
    if not path or len(path) > 255 or pure.is_absolute() or pure.as_posix() != path:
        return "is not a plain relative path"
    if any(part.startswith(".") for part in pure.parts):
        return "is hidden or leads out of the folder"
    if "\\" in path or ":" in path or not path.isprintable():
        return "holds characters that are not allowed"
    if pure.suffix.lower() not in SUFFIXES:
        return f"is of a kind that is not allowed ({', '.join(sorted(SUFFIXES))} are)"
    return "is the manifest itself" if path == FILE_NAME else None


def render_manifest(manifest: Manifest) -> bytes:
    document = {
        "schema": SCHEMA,
        "name": manifest.name,
        "version": manifest.version,
        "published_at": rfc3339(manifest.published_at),
        "digest": manifest.digest,
        "files": {
            path: {"sha256": entry.sha256, "size": entry.size}
            for path, entry in sorted(manifest.files.items())
        },
        **manifest.fields,
    }
    return (json.dumps(document, indent=2, ensure_ascii=True) + "\n").encode()


def parse_manifest(data: bytes, *, where: str) -> Manifest:
    """The manifest in `data`; CorruptModel, with the reason and `where` it was, on anything else."""
    document = parse_json_object(data, where=where)
    if document.get("schema") != SCHEMA:
        refuse(where, f"its manifest has schema {str(document.get('schema'))[:80]!r}, not {SCHEMA!r}")
    manifest = Manifest(
        name=_text(document, "name", where),
        version=_text(document, "version", where),
        published_at=_moment(document, where),
        files=_files(document, where),
        fields={key: value for key, value in document.items() if key not in RESERVED},
    )
    if document.get("digest") != manifest.digest:
        refuse(where, "the digest in its manifest does not fit the files listed there")
    return manifest


def parse_json_object(data: bytes, *, where: str) -> dict[str, Any]:
    """One JSON object of at most `MAX_BYTES`, without NaN and without a key twice; else CorruptModel."""
    if len(data) > MAX_BYTES:
        refuse(where, f"{len(data)} bytes of JSON are more than the {MAX_BYTES} allowed")
    try:
        document = json.loads(data, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        refuse(where, f"not JSON: {str(error)[:200]}")
    if not isinstance(document, dict):
        refuse(where, f"expected a JSON object, found {type(document).__name__}")
    return document


def refuse(where: str, why: str) -> NoReturn:
    raise CorruptModel(f"{where}: {why}.", hint=_HINT)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _text(document: Mapping[str, Any], key: str, where: str) -> str:
    value = document.get(key)
    if not is_name(value):
        refuse(where, f"its manifest has no usable {key!r}")
    return value


def _moment(document: Mapping[str, Any], where: str) -> datetime:
    try:
        return parse_rfc3339(str(document.get("published_at")))
    except (ValueError, OverflowError):
        refuse(where, "its manifest has no usable 'published_at'")


def _files(document: Mapping[str, Any], where: str) -> dict[str, FileEntry]:
    files = document.get("files")
    if not isinstance(files, dict) or not files:
        refuse(where, "its manifest lists no files")
    return {path: _entry(path, entry, where) for path, entry in files.items()}


def _entry(path: str, entry: object, where: str) -> FileEntry:
    if why := check_path(path):
        refuse(where, f"the path {path[:120]!r} in its manifest {why}")
    sha256, size = (entry.get("sha256"), entry.get("size")) if isinstance(entry, dict) else (None, None)
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        refuse(where, f"its manifest has no usable SHA-256 for {path!r}")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        refuse(where, f"its manifest has no usable size for {path!r}")
    return FileEntry(sha256, size)
