"""The files of deployment are read by others' programs: here, whether they hang together."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiosque.ops.metrics import Metrics
from kiosque.testing.containers import watched

ROOT = Path(__file__).parents[2]
CI = (".gitlab-ci.yml", ".github/workflows/ci.yml")
KUBERNETES = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))

SERVED = "cli.serve cli.healthcheck cli.setting processes wiring http.server http.health "
"""What every server imports."""
CALLED = "predict.client bus.jetstream store.database "
STARTS = {
    "producer": SERVED + "setup wiring_sources bus.jetstream store.database pipeline.guard pipeline.produce "
    "pipeline.producer_app pipeline.gauges pipeline.presence pipeline.worker cli.source cli.db",
    "consumer": SERVED + CALLED + "pipeline.guard pipeline.consume pipeline.intake pipeline.consumer_app "
    "pipeline.gauges pipeline.presence pipeline.watch pipeline.rescore cli.dead_letter cli.rescore",
    "predict": SERVED + "predict.app predict.local modelstore.seed polarity.model books.model cli.model",
    "web": SERVED + CALLED + "api.app web.app pipeline.replay pipeline.rematch modelstore.store wiring_works "
    "pipeline.alerts pipeline.alert_sending pipeline.webhook pipeline.mail pipeline.drift pipeline.presence",
    "tools": "setup wiring_sources pipeline.seed pipeline.watch pipeline.intake pipeline.imports cli.db "
    "cli.importing cli.key cli.user cli.entity cli.books " + CALLED,
    "books": "pipeline.bookshop books.build modelstore.store store.database cli.books cli.model wiring",
    "polarity": "polarity.train.run polarity.evaluate modelstore.store cli.polarity cli.training cli.model wiring",
}
"""Where each image's process begins: modules under `kiosque` that it imports by name while it runs."""


def targets() -> set[str]:
    return set(re.findall(r"^\.PHONY: (\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", CI)
def test_ci_calls_make_targets_that_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    yaml.safe_load(text)
    called = set(re.findall(r"(?:^\s*-|run:) make ([a-z-]+)", text, re.MULTILINE))
    called |= {t for line in re.findall(r"target: \[(.*)\]", text) for t in line.split(", ")}
    assert called
    assert called <= targets()


def test_make_calls_scripts_that_exist() -> None:
    for script in re.findall(r"(?:deploy|scripts)/[\w-]+\.(?:sh|py)", (ROOT / "Makefile").read_text()):
        assert (ROOT / script).is_file(), script


def test_what_images_copy_exists() -> None:
    text = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        *sources, _ = [part for part in line.split() if not part.startswith("--")]
        for source in sources:
            assert list(ROOT.glob(source)), source


def exported() -> dict[str, set[str]]:
    """Every name that the processes export, as Prometheus sees it → its labels."""
    return {
        f"{family.name}{suffix}": set(part._labelnames)
        for part in vars(Metrics()).values()
        if hasattr(part, "describe")
        for family in part.describe()
        for suffix in SUFFIXES[family.type]
    }


SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
BY_PROMETHEUS = {"job", "instance", "le"}


def test_alerts_say_what_is_wrong_and_how_bad_it_is() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(alerts) >= 8
    for rule in alerts:
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule
        assert rule["annotations"]["summary"], rule


def test_every_alert_has_a_case_of_its_own() -> None:
    """Which promtool runs, where it is installed: Debian's package `prometheus` has it."""
    rules = (ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8")
    cases = ROOT / "tests/unit/alerts.yaml"
    text = cases.read_text(encoding="utf-8")
    assert set(re.findall(r"- alert: (\w+)", rules)) == set(re.findall(r"alertname: (\w+)\n", text))
    if promtool := shutil.which("promtool"):
        done = subprocess.run((promtool, "test", "rules", cases), check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("expression", watched())
def test_alerts_and_panels_ask_for_metrics_and_labels_that_exist(expression: str) -> None:
    names = set(re.findall(r"\bkiosque_\w+", expression))
    known = exported()
    assert names <= set(known), expression
    asked = {
        label
        for inside in re.findall(r"\{([^}]*)\}", expression)
        for label in re.findall(r"(\w+)\s*[=!]", inside)
    }
    asked |= {
        label for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in group.split(", ")
    }
    assert asked - BY_PROMETHEUS <= {label for name in names for label in known[name]}, expression


def documents() -> list[Any]:
    return [
        each for file in KUBERNETES for each in yaml.safe_load_all(file.read_text(encoding="utf-8")) if each
    ]


def test_kustomize_lists_every_manifest() -> None:
    listed = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(file.name for file in KUBERNETES if file.name != "kustomization.yaml")


def pods() -> list[tuple[str, Any]]:
    found = []
    for each in documents():
        spec = each.get("spec", {})
        template = spec.get("template") or spec.get("jobTemplate", {}).get("spec", {}).get("template")
        if template:
            found.append((each["metadata"]["name"], template["spec"]))
    return found


def test_every_pod_is_confined_bounded_and_asked_for_its_health() -> None:
    assert len(pods()) >= 7
    for name, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", name
        for container in pod["containers"]:
            assert container["image"], name
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"], name
            assert not context["allowPrivilegeEscalation"], name
            assert context["capabilities"]["drop"] == ["ALL"], name
            assert container["resources"]["limits"]["memory"], name
            if container.get("ports"):
                assert container["readinessProbe"], name
                assert container["livenessProbe"], name


def module_file(module: str) -> Path | None:
    base = ROOT / "src" / module.replace(".", "/")
    return next((f for f in (base.with_suffix(".py"), base / "__init__.py") if f.is_file()), None)


def imported_at_once(module: str) -> set[str]:
    """The modules of ours that `module` imports while it is imported itself: what stands in functions comes later."""
    file = module_file(module)
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))] if file else []
    while todo:
        for node in ast.iter_child_nodes(todo.pop()):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kiosque"):
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {str(node.module), *(name for name in names if module_file(name))}
            elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not for_types_only(node):
                todo.append(node)
    return found


def for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def in_image(target: str) -> set[Path]:
    """The files of `src` that the code of an image is made of."""
    text = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    files: set[Path] = set()
    for stage in ("code", f"{target}-code"):
        body = re.search(rf"^FROM \S+ AS {stage}$(.*?)(?=^FROM|\Z)", text, re.MULTILINE | re.DOTALL)
        assert body, stage
        for line in re.findall(r"^COPY (src.+)$", body[1], re.MULTILINE):
            for source in line.split()[:-1]:
                for path in ROOT.glob(source):
                    files |= set(path.rglob("*.py")) if path.is_dir() else {path}
    return files


@pytest.mark.parametrize(("target", "modules"), STARTS.items())
def test_an_image_holds_every_module_that_its_process_imports(target: str, modules: str) -> None:
    held, seen, todo = in_image(target), set(), {f"kiosque.{name}" for name in modules.split()}
    while todo:
        module = todo.pop()
        seen.add(module)
        assert module_file(module) in held, module
        todo |= imported_at_once(module) - seen
