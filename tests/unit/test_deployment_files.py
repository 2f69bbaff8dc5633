"""The files of deployment are read by others' programs: here, whether they hang together."""

from __future__ import annotations

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
