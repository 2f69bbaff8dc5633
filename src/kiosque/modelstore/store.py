"""The model store: immutable versions in folders, aliases that move.

    <root>/<name>/versions/<id>/manifest.json, model.onnx, …
    <root>/<name>/aliases.json, history.jsonl

A version appears by one rename and never changes. Any number of processes may read, on a read-only mount
too; publishing needs no lock because a rename has one winner; moving an alias takes a lock file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import EllipsisType
from typing import Any

import structlog

from kiosque.core.clock import Clock, rfc3339
from kiosque.core.errors import Conflict, CorruptModel, NoModel, NotFound, PreconditionFailed
from kiosque.modelstore import aliases as _aliases
from kiosque.modelstore.aliases import CHAMPION, Move, WatchToken
from kiosque.modelstore.folder import (
    copy_durably,
    digest_file,
    list_publishable,
    read_small,
    sweep,
    sync_folder,
    sync_tree,
    temporary_folder,
    walk_files,
    write_durably,
)
from kiosque.modelstore.manifest import (
    FILE_NAME,
    FileEntry,
    Manifest,
    Version,
    check_fields,
    check_name,
    content_digest,
    is_name,
    parse_manifest,
    refuse,
    render_manifest,
    version_id,
)

log = structlog.get_logger(__name__)

VERSIONS = "versions"
_DAY = 86_400.0


class ModelStore:
    """One store under `root`. Creating the object touches nothing; writing creates what is missing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    # reading

    def names(self) -> list[str]:
        """The models that have a folder here."""
        return _subfolders(self.root)

    def versions(self, name: str) -> list[Version]:
        """Oldest first. One whose manifest cannot be read is left out and logged; `get` says what is wrong."""
        found = []
        for version in _subfolders(self._versions(name)):
            try:
                found.append(self.get(name, version))
            except CorruptModel as error:
                log.warning("modelstore.version_unreadable", model=name, version=version, reason=error.detail)
        return sorted(found, key=lambda version: (version.published_at, version.id))

    def get(self, name: str, version: str) -> Version:
        """Raises NotFound where there is no such version, CorruptModel where its manifest is malformed."""
        folder = self._versions(name) / check_name(version, "version")
        if folder.is_symlink():
            refuse(str(folder), "is a symbolic link")
        if not folder.is_dir():
            raise NotFound(
                f"The model {name!r} has no version {version!r}.", hint=f"See: kiosque model list {name}"
            )
        manifest = _read_manifest(folder)
        if (manifest.name, manifest.version) != (name, version):
            refuse(str(folder), f"its manifest is that of {manifest.name} {manifest.version}")
        return Version(name, version, folder, manifest)

    def champion(self, name: str, alias: str = CHAMPION) -> Version:
        """The version that `alias` names. Raises NoModel without one, CorruptModel where it cannot be read."""
        version = self.aliases(name).get(alias)
        if version is None:
            raise NoModel(
                f"The model {name!r} has no {alias} in {self.root}.",
                hint="Load the versions that ship with Kiosque (kiosque model seed), or train and promote one.",
            )
        try:
            return self.get(name, version)
        except NotFound as error:
            raise NoModel(
                f"The {alias} of {name!r} is {version}, which is not in {self.root}.",
                hint="Publish it again, or move the alias to a version that is there.",
            ) from error

    def verify(self, version: Version) -> None:
        """Read every byte again. Raises CorruptModel if anything differs from the manifest, is missing or extra."""
        manifest = _read_manifest(version.folder)
        if manifest != version.manifest:
            refuse(str(version.folder), "its manifest has changed since it was read")
        try:
            problem = _first_problem(version.folder, manifest)
        except OSError as error:
            problem = f"cannot be read: {error.strerror or error}"
        if problem:
            refuse(str(version.folder), problem)

    def aliases(self, name: str) -> Mapping[str, str]:
        """Alias → version id."""
        return _aliases.read_aliases(self._model(name)).versions

    def history(self, name: str) -> list[Move]:
        """Every move of an alias, oldest first."""
        return _aliases.read_history(self._model(name))

    def watch_token(self, name: str) -> WatchToken:
        """Differs from an earlier one after an alias moved. Raises CorruptModel on a malformed aliases.json."""
        return _aliases.watch_token(self._model(name))

    # writing

    def publish(
        self,
        name: str,
        folder: Path,
        *,
        fields: Mapping[str, Any],
        clock: Clock,
        version: str | None = None,
    ) -> Version:
        """Copy the files of `folder` into a new version.

        Without `version` the id is `<day>-<content digest>`, and files that are published already give back the
        version that holds them. The same id with the same files is a no-op (the first fields stay); with other
        files it is a Conflict. `fields` go into the manifest: format, metrics, data digests, recipe, code
        version, input contract.
        """
        paths, extra = list_publishable(folder), check_fields(fields)
        if version is not None:
            check_name(version, "version")
        with _writing(self.root), temporary_folder(self._make_versions(name), ".new-") as temporary:
            now = clock()
            sweep(temporary.parent, before=now.timestamp() - _DAY)
            files = {path: copy_durably(folder / path, temporary / path) for path in paths}
            digest = content_digest(files)
            chosen = version or self._published(name, digest) or version_id(digest, now)
            manifest = Manifest(name, chosen, now, files, extra)
            write_durably(temporary / FILE_NAME, render_manifest(manifest))
            sync_tree(temporary)
            return self._place(temporary, manifest)

    def adopt(self, version: Version) -> Version:
        """Copy a version of another store, manifest and all, after checking every byte. A no-op if it is here."""
        self.verify(version)
        with _writing(self.root), temporary_folder(self._make_versions(version.name), ".new-") as temporary:
            for path in (*version.manifest.files, FILE_NAME):
                copy_durably(version.folder / path, temporary / path)
            sync_tree(temporary)
            self.verify(Version(version.name, version.id, temporary, version.manifest))
            return self._place(temporary, version.manifest)

    def move_alias(
        self,
        name: str,
        alias: str,
        version: str,
        *,
        who: str,
        why: str,
        clock: Clock,
        expected: str | EllipsisType | None = ...,
    ) -> Move:
        """Point `alias` at a version, after every byte of it was verified.

        Raises Conflict if the alias names something else than `expected` (None: nothing yet).
        """
        self.verify(self.get(name, version))
        folder, at = self._model(name), rfc3339(clock())
        with _writing(self.root), _aliases.lock(folder):
            return _aliases.write_move(folder, alias, version, who=who, why=why, at=at, expected=expected)

    # inside

    def _model(self, name: str) -> Path:
        return self.root / check_name(name, "model")

    def _versions(self, name: str) -> Path:
        return self._model(name) / VERSIONS

    def _make_versions(self, name: str) -> Path:
        folder = self._versions(name)
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True, mode=0o755)
            for made in (self.root, folder.parent):
                sync_folder(made)
        return folder

    def _published(self, name: str, digest: str) -> str | None:
        return next((v.id for v in self.versions(name) if v.manifest.digest == digest), None)

    def _place(self, temporary: Path, manifest: Manifest) -> Version:
        """Rename into place. If the id is taken: the same files are a no-op, damaged ones are replaced."""
        target = self._versions(manifest.name) / manifest.version
        try:
            temporary.rename(target)
        except OSError:
            if not target.is_dir():
                raise
            if self._is_intact(manifest):
                return self.get(manifest.name, manifest.version)
            self._replace_damaged(temporary, target)
        sync_folder(target.parent)
        log.info("modelstore.published", model=manifest.name, version=manifest.version)
        return self.get(manifest.name, manifest.version)

    def _is_intact(self, manifest: Manifest) -> bool:
        """Whether the version that holds the id has `manifest`'s files. Raises Conflict if it never had them."""
        try:
            present = self.get(manifest.name, manifest.version)
        except CorruptModel:
            return False
        if present.manifest.digest != manifest.digest:
            raise Conflict(
                f"The version {manifest.version} of {manifest.name!r} exists with other files.",
                hint="Versions are immutable: publish under another id, or without one.",
            )
        try:
            self.verify(present)
        except CorruptModel:
            return False
        return True

    def _replace_damaged(self, temporary: Path, target: Path) -> None:
        with temporary_folder(target.parent, ".damaged-") as aside:
            target.rename(aside / target.name)
            temporary.rename(target)
        log.warning("modelstore.repaired", version=target.name, folder=str(target))


def _subfolders(folder: Path) -> list[str]:
    """Names of the folders in `folder` that can be a model's or version's; temporary ones start with a dot."""
    try:
        return sorted(entry.name for entry in os.scandir(folder) if is_name(entry.name) and entry.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        refuse(str(folder), f"cannot be read: {error.strerror}")


def _read_manifest(folder: Path) -> Manifest:
    try:
        data = read_small(folder / FILE_NAME)
    except OSError as error:
        refuse(str(folder), f"its {FILE_NAME} cannot be read: {error.strerror}")
    return parse_manifest(data, where=str(folder))


def _first_problem(folder: Path, manifest: Manifest) -> str | None:
    if problem := _unexpected(walk_files(folder), manifest.files):
        return problem
    for path, expected in manifest.files.items():
        if not (folder / path).is_file():
            return f"{path!r} is missing"
        if problem := _difference(path, expected, digest_file(folder / path)):
            return problem
    return None


def _unexpected(found: Iterable[tuple[str, str | None]], files: Mapping[str, FileEntry]) -> str | None:
    for path, why in found:
        if why:
            return f"{path!r} {why}"
        if path not in files and path != FILE_NAME:
            return f"{path!r} is not in the manifest"
    return None


def _difference(path: str, expected: FileEntry, found: FileEntry) -> str | None:
    if found.size != expected.size:
        return f"{path!r} has {found.size} bytes and should have {expected.size}"
    if found.sha256 != expected.sha256:
        return f"{path!r} has SHA-256 {found.sha256[:12]}… and should have {expected.sha256[:12]}…"
    return None


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Translate what the file system says."""
    try:
        yield
    except OSError as error:
        raise PreconditionFailed(
            f"The model store {root} cannot be written: {error}.",
            hint="Run this where the store is mounted read-write and has space, or set KIOSQUE_MODELS_DIR.",
        ) from error
