from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosque.core.errors import Conflict, CorruptModel, InvalidInput, NoModel, NotFound, PreconditionFailed
from kiosque.modelstore.store import ModelStore


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_version_holds_the_files_and_what_the_publisher_said(store, build, clock):
    version = store.publish("polarity", build(), fields={"metrics": {"macro_f1": 0.7}}, clock=clock)

    assert (version.folder / "model.onnx").read_text() == "weights"
    assert (version.folder / "parts/vocab.txt").read_text() == "a b c"
    again = store.get("polarity", version.id)
    assert again == version
    assert again.manifest.fields == {"metrics": {"macro_f1": 0.7}}
    assert again.published_at == datetime(2026, 1, 2, tzinfo=UTC)
    store.verify(again)


def test_the_id_is_the_day_and_the_digest_of_the_files_alone(tmp_path, build, clock):
    one = ModelStore(tmp_path / "one").publish("m", build(), fields={"a": 1}, clock=clock)
    two = ModelStore(tmp_path / "two").publish("m", build(), fields={"a": 2}, clock=clock)

    assert one.id.startswith("20260102-")
    assert two.id.startswith("20260103-")
    assert one.id.split("-")[1] == two.id.split("-")[1] == one.manifest.digest[:12]


def test_the_same_files_again_are_the_same_version(store, build, clock):
    first = store.publish("m", build(), fields={"a": 1}, clock=clock)
    second = store.publish("m", build(), fields={"a": 2}, clock=clock)

    assert second == first
    assert [v.id for v in store.versions("m")] == [first.id]


def test_an_id_is_taken_once(store, build, clock):
    first = store.publish("m", build(text="one"), fields={}, version="v1", clock=clock)

    assert store.publish("m", build(text="one"), fields={}, version="v1", clock=clock) == first
    with pytest.raises(Conflict, match="other files"):
        store.publish("m", build(text="two"), fields={}, version="v1", clock=clock)
    assert (first.folder / "model.onnx").read_text() == "one"


def test_publishing_again_repairs_a_damaged_version(store, build, clock):
    version = store.publish("m", build(), fields={}, clock=clock)
    (version.folder / "model.onnx").write_text("rotten!")

    again = store.publish("m", build(), fields={}, clock=clock)

    store.verify(again)
    assert again.id == version.id
    assert _names(version.folder.parent) == [version.id]


def test_versions_come_oldest_first_and_a_damaged_one_does_not_hide_the_others(store, build, clock):
    ids = [store.publish("m", build(text=t), fields={}, clock=clock).id for t in "cba"]
    (store.root / "m/versions" / ids[1] / "manifest.json").write_text("{")

    assert [v.id for v in store.versions("m")] == [ids[0], ids[2]]


def test_publishing_leaves_nothing_behind_when_it_fails(store, build, clock, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kiosque.modelstore.store.write_durably", full)
    with pytest.raises(PreconditionFailed, match="No space left"):
        store.publish("m", build(), fields={}, clock=clock)

    assert _names(store.root / "m/versions") == []


def test_other_users_of_the_volume_may_read(store, build, clock):
    version = store.publish("m", build(), fields={}, clock=clock)

    for path in [version.folder, *version.folder.rglob("*")]:
        wanted = 0o755 if path.is_dir() else 0o644
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_what_a_killed_process_left_is_swept_once_it_is_old(store, build, clock):
    parent = store.publish("m", build(), fields={}, clock=clock).folder.parent
    for name, day in ((".new-old", 1), (".new-recent", 4)):
        (parent / name).mkdir()
        stamp = datetime(2026, 1, day, tzinfo=UTC).timestamp()
        os.utime(parent / name, (stamp, stamp))

    store.publish("m", build(text="more"), fields={}, clock=clock)  # on January 3rd

    assert ".new-old" not in _names(parent)
    assert ".new-recent" in _names(parent)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("model.pkl", "kind"),
        ("weights.pt", "kind"),
        (".hidden.json", "hidden"),
        ("manifest.json", "manifest"),
        ("back\\slash.json", "characters"),
    ],
)
def test_what_may_not_stand_in_a_version_is_not_published(store, build, clock, path, reason):
    with pytest.raises(InvalidInput, match=reason):
        store.publish("m", build({path: "x"}), fields={}, clock=clock)
    assert store.names() == []


def test_links_and_empty_folders_are_not_published(store, build, clock, tmp_path):
    folder = build()
    (folder / "link.json").symlink_to("/etc/hostname")
    (tmp_path / "empty").mkdir()

    for bad in (folder, tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(InvalidInput):
            store.publish("m", bad, fields={}, clock=clock)


@pytest.mark.parametrize("fields", [{"files": {}}, {"x": object()}, {"x": float("nan")}])
def test_fields_are_json_and_keep_off_reserved_names(store, build, clock, fields):
    with pytest.raises(InvalidInput):
        store.publish("m", build(), fields=fields, clock=clock)


@pytest.mark.parametrize("name", ["../m", "M", "", ".m", "a/b", "a..b", "x" * 81])
def test_names_that_could_leave_the_store_are_refused(store, build, clock, name):
    with pytest.raises(InvalidInput):
        store.publish(name, build(), fields={}, clock=clock)
    with pytest.raises(InvalidInput):
        store.get("m", name)


def _truncate(folder: Path) -> None:
    (folder / "model.onnx").write_text("weigh")


def _flip(folder: Path) -> None:
    (folder / "model.onnx").write_text("weighus")


def _remove(folder: Path) -> None:
    (folder / "parts/vocab.txt").unlink()


def _add(folder: Path) -> None:
    (folder / "parts/more.txt").write_text("x")


def _link(folder: Path) -> None:
    content = folder.parent / "outside"
    content.write_text("weights")
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").symlink_to(content)


def _link_folder(folder: Path) -> None:
    (folder / "parts").rename(folder.parent / "elsewhere")
    (folder / "parts").symlink_to(folder.parent / "elsewhere")


def _pipe(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    os.mkfifo(folder / "model.onnx")


def _change_manifest(folder: Path) -> None:
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"recipe": 1', '"recipe": 2'))


def _drop_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _pipe_for_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    os.mkfifo(folder / "manifest.json")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_truncate, "has 5 bytes and should have 7"),
        (_flip, "SHA-256"),
        (_remove, "'parts/vocab.txt' is missing"),
        (_add, "'parts/more.txt' is not in the manifest"),
        (_link, "symbolic link"),
        (_link_folder, "symbolic link"),
        (_pipe, "not a regular file"),
        (_change_manifest, "has changed"),
        (_drop_manifest, "cannot be read"),
        (_pipe_for_manifest, "cannot be read"),
    ],
)
def test_a_damaged_version_is_refused_and_the_reason_said(store, build, clock, damage, says):
    version = store.publish("m", build(), fields={"recipe": 1}, clock=clock)
    damage(version.folder)

    with pytest.raises(CorruptModel, match=says) as caught:
        store.verify(version)
    assert version.id in caught.value.detail
    assert caught.value.hint


def test_a_folder_under_another_id_is_refused(store, build, clock):
    version = store.publish("m", build(), fields={}, version="v1", clock=clock)
    version.folder.rename(version.folder.with_name("v2"))

    with pytest.raises(CorruptModel, match="v1"):
        store.get("m", "v2")


def test_a_linked_version_folder_is_refused(store, build, clock):
    version = store.publish("m", build(), fields={}, version="v1", clock=clock)
    (version.folder.parent / "v2").symlink_to(version.folder)

    with pytest.raises(CorruptModel, match="symbolic link"):
        store.get("m", "v2")


def test_what_is_not_there_is_said_to_be_so(store, build, clock):
    with pytest.raises(NotFound):
        store.get("m", "v1")
    with pytest.raises(NoModel, match="no champion"):
        store.champion("m")
    version = store.publish("m", build(), fields={}, clock=clock)
    store.move_alias("m", "champion", version.id, who="x", why="y", clock=clock)
    version.folder.rename(version.folder.with_name(".gone"))
    with pytest.raises(NoModel, match="which is not in"):
        store.champion("m")
    assert store.versions("nothing") == []


def test_threads_that_publish_the_same_at_once_agree_on_one_version(store, build, clock):
    folders = [build(text="w" * 100_000) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        published = list(
            pool.map(lambda f: store.publish("m", f, fields={}, version="v1", clock=clock), folders)
        )

    assert {version.id for version in published} == {"v1"}
    store.verify(store.get("m", "v1"))
    assert _names(store.root / "m/versions") == ["v1"]


def test_a_store_that_cannot_be_written_says_so_as_a_precondition(build, clock, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(PreconditionFailed, match="cannot be written"):
        ModelStore(tmp_path / "file").publish("m", build(), fields={}, clock=clock)


def test_adopting_copies_a_version_with_its_manifest(store, build, clock, tmp_path):
    other = ModelStore(tmp_path / "other")
    version = other.publish("m", build(), fields={"recipe": "r"}, clock=clock)

    adopted = store.adopt(version)

    assert adopted.manifest == version.manifest
    assert adopted.folder != version.folder
    store.verify(adopted)
    assert store.adopt(version) == adopted


def test_adopting_refuses_a_damaged_version(store, build, clock, tmp_path):
    version = ModelStore(tmp_path / "other").publish("m", build(), fields={}, clock=clock)
    _remove(version.folder)

    with pytest.raises(CorruptModel):
        store.adopt(version)
    assert store.versions("m") == []
