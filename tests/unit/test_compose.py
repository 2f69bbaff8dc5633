"""The compose file as it stands: who has which secret, what is published, how everything is confined."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from kiosque.settings import PREFIX, secret_names
from kiosque.testing.containers import SECRETS, ports_in_manual, secrets_in_manual
from kiosque.testing.paths import CHECKOUT

TEXT = (CHECKOUT / "compose.yaml").read_text(encoding="utf-8")
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = FILE["services"]
DOCKERFILE = (CHECKOUT / "deploy/Dockerfile").read_text(encoding="utf-8")

ALWAYS = {"db", "broker", "predict", "producer", "consumer", "web", "prometheus", "grafana"}
MAKER = "secrets"
"""The one service that writes secrets."""

every_service = pytest.mark.parametrize("name", SERVICES)


def mounts(name: str) -> dict[str, str]:
    """Volume or path → the rest of the line, e.g. `/models:ro`."""
    return dict(line.split(":", 1) for line in SERVICES[name].get("volumes", ()))


def default_of(value: str) -> str:
    """What is used when nothing is set: `${NAME:-this}`."""
    return re.sub(r"\$\{\w+(?::-([^}]*))?\}", r"\1", value)


def test_it_is_plain_compose_without_a_version() -> None:
    assert "version" not in FILE
    assert FILE["name"] == "kiosque"
    assert not re.search("^# syntax=", DOCKERFILE, re.MULTILINE)


@every_service
def test_an_image_is_a_public_one_of_a_fixed_tag_or_made_here(name: str) -> None:
    image = default_of(SERVICES[name]["image"])
    assert re.fullmatch(r"[a-z/-]+:[\w.-]+", image)
    assert not image.endswith(":latest")
    assert SERVICES[name].get("pull_policy") == ("never" if image.startswith("kiosque/") else None)


def test_every_target_of_the_dockerfile_is_built_by_one_service_and_run() -> None:
    made = sorted(re.findall(r"^FROM image AS (\w+)", DOCKERFILE, re.MULTILINE))
    builders = {name: s["build"]["target"] for name, s in SERVICES.items() if "build" in s}
    assert sorted(builders.values()) == made
    assert all(
        default_of(SERVICES[name]["image"]) == f"kiosque/{made}:local" for name, made in builders.items()
    )
    run = {
        s["image"].split("/")[1].split(":")[0] for s in SERVICES.values() if s["image"].startswith("kiosque/")
    }
    assert run == set(made)


@every_service
def test_who_shares_an_image_starts_after_the_one_that_builds_it(name: str) -> None:
    image = SERVICES[name]["image"]
    if image.startswith("kiosque/"):
        builder = next(each for each, s in SERVICES.items() if "build" in s and s["image"] == image)
        assert builder in {name, *needs(name)}


def needs(name: str) -> set[str]:
    """Every service that starts before `name`."""
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*(needs(each) for each in direct))


# ---- secrets


def test_the_manual_says_who_has_which_secret() -> None:
    held = {secret: {name for name in SERVICES if secret in mounts(name)} - {MAKER} for secret in SECRETS}
    assert held == secrets_in_manual()


def test_secrets_go_to_those_that_use_them() -> None:
    """Whoever names a file of a secret mounts its volume, and whoever mounts one names it."""
    for name in set(SERVICES) - {MAKER}:
        named = set(re.findall(r"/secrets/([\w-]+)/", " ".join(map(str, settings(name).values()))))
        assert named == set(mounts(name)) & (set(SECRETS) - {"broker-authorization"}), name


def test_secrets_are_read_only_but_for_their_maker() -> None:
    for name in SERVICES:
        for volume, place in mounts(name).items():
            if volume in SECRETS:
                assert place.endswith(":ro") == (name != MAKER), (name, volume)
    assert set(SECRETS) <= set(mounts(MAKER))
    assert set(SECRETS) <= set(FILE["volumes"])


def test_jobs_that_need_no_secret_have_no_network_either() -> None:
    for name in ("models", "polarity", MAKER):
        assert SERVICES[name]["network_mode"] == "none", name


def settings(name: str) -> dict[str, Any]:
    return SERVICES[name].get("environment", {})


@every_service
def test_no_secret_stands_in_the_file(name: str) -> None:
    """Secrets come out of files that are made at the first start, or out of what somebody sets."""
    secret = {f"{PREFIX}{each.upper()}" for each in secret_names()}
    for variable, value in settings(name).items():
        if variable in secret:
            # the address holds no password: that is handed over apart
            assert variable == "KIOSQUE_DATABASE_URL" or default_of(value) == "", variable
        elif variable.endswith("_FILE"):
            assert value.startswith("/secrets/"), variable
    assert not re.search(r"://[^/\s]*:[^/\s]*@", str(settings(name).values()))


def test_what_may_be_set_as_a_secret_has_no_default() -> None:
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT))
    secret = [each for each in defaults if re.search(r"PASSWORD|TOKEN|SECRET|KEY", each)]
    assert secret
    assert {defaults[each] for each in secret} == {""}


# ---- what is reached from where


def test_the_manual_says_what_is_published_and_that_is_on_loopback() -> None:
    published = {}
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name
            published[name] = default_of(port).split(":")[1]
    assert published == ports_in_manual()


def test_database_broker_and_models_are_on_a_network_without_a_way_out() -> None:
    assert FILE["networks"]["inside"]["internal"] is True
    for name in ("db", "broker", "predict", "migrate", "books", "demo", "tools", "prometheus"):
        assert SERVICES[name]["networks"] == ["inside"], name
        assert "ports" not in SERVICES[name], name


def test_only_jobs_write_models() -> None:
    write = {name for name in SERVICES if mounts(name).get("models") == "/models"}
    assert write == {"models", "books", "polarity"}
    assert mounts("predict")["models"] == mounts("web")["models"] == "/models:ro"


# ---- confined and bounded


@every_service
def test_every_service_is_confined_and_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert "privileged" not in service
    assert "cap_add" not in service


@every_service
def test_what_runs_always_is_restarted_and_a_job_is_not(name: str) -> None:
    assert SERVICES[name]["restart"] == ("unless-stopped" if name in ALWAYS else "no")


@every_service
def test_services_start_in_the_order_of_what_they_need(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        condition = "service_healthy" if needed in ALWAYS else "service_completed_successfully"
        assert how == {"condition": condition}, needed


def test_every_process_of_ours_is_asked_for_its_health_by_itself() -> None:
    stages = dict(re.findall(r"^FROM image AS (\w+)$(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL))
    for name in ("producer", "consumer", "predict", "web"):
        port = re.findall(r"^EXPOSE (\d+)$", stages[name], re.MULTILINE)[0]
        assert f'CMD ["python", "-m", "kiosque.ops.healthcheck", "{port}"]' in stages[name], name
    assert SERVICES["db"]["healthcheck"]["test"][0] == SERVICES["broker"]["healthcheck"]["test"][0] == "CMD"


def test_processes_of_ours_run_without_root_and_without_a_shell() -> None:
    image = DOCKERFILE.split("FROM python AS image")[1].split("FROM image AS")[0]
    assert "USER 10001:10001" in image
    assert 'ENTRYPOINT ["kiosque"]' in image
    assert set(re.findall(r"^FROM (\S+) AS", DOCKERFILE, re.MULTILINE)) >= {"${PYTHON}", "image"}
