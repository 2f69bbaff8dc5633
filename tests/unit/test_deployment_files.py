"""The files of deployment are read by others' programs: here, whether they hang together."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiosque.ops.metrics import Metrics

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


def test_compose_files_start_only_what_the_dockerfile_makes() -> None:
    made = set(re.findall(r"^FROM image AS (\w+)", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE))
    services = compose()["services"]
    ours = {name: s["image"] for name, s in services.items() if s["image"].startswith("kiosque/")}
    assert {image.split("/")[1].split(":")[0] for image in ours.values()} <= made
    assert made == {s["build"]["target"] for s in services.values() if "build" in s}


def test_ports_are_published_on_loopback_only() -> None:
    for name, service in compose()["services"].items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), (name, port)


def test_every_service_is_confined_and_bounded() -> None:
    for name, service in compose()["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["logging"]["options"]["max-size"], name


def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def exported() -> set[str]:
    """Every name that the processes export, as Prometheus sees it."""
    return {
        sample
        for family in Metrics().registry.collect()
        for base in [family.name]
        for sample in (base, f"{base}_total", f"{base}_bucket", f"{base}_sum", f"{base}_count")
    }


def used(expression: str) -> set[str]:
    return set(re.findall(r"\bkiosque_\w+", expression))


def test_alerts_and_panels_ask_for_metrics_that_exist() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert all({"alert", "expr", "labels", "annotations"} <= set(rule) for rule in alerts)
    board = json.loads((ROOT / "deploy/grafana/dashboards/kiosque.json").read_text(encoding="utf-8"))
    panels = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    for expression in [*(rule["expr"] for rule in alerts), *panels]:
        assert used(expression) <= exported(), expression


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
