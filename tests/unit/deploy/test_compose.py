"""The Compose file: valid, guarded, and of commands and settings that there are."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
import yaml

from pipeline.cli.settings import Settings, load
from tests.support.deployed import command_line

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
SCHEMA = Path(__file__).resolve().parents[2] / "data" / "compose" / "compose-spec.json"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("transferscope:")}
ENDS = {"init", "logins"}
LOGINS = {"owner": "transferscope", "writer": "transferscope_processes", "web": "transferscope_pages"}
"""Whose password is in the file `NAME-pgpass`."""


def settings(name: str = "worker") -> Settings:
    """As the process of the service reads them."""
    return load(DEPLOY / "compose" / "transferscope.toml", OURS[name]["environment"])


def test_it_is_valid_by_the_specification() -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


def test_no_key_stands_twice() -> None:
    """Compose refuses what PyYAML takes."""

    def look(node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert sorted(set(keys)) == sorted(keys), node.start_mark
            for _, value in node.value:
                look(value)

    root = yaml.compose((DEPLOY / "compose.yaml").read_text())
    assert root is not None
    look(root)


def test_every_process_is_there() -> None:
    assert {service["command"][0] for service in OURS.values()} == {
        "init", "bridge", "worker", "relay", "alerts", "topology", "web",
    }  # fmt: skip
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", OURS)
def test_a_command_is_one_that_the_program_understands(name: str) -> None:
    command_line(OURS[name]["command"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "kafka")
    assert "privileged" not in service
    assert "cap_add" not in service
    assert set(service["networks"]) <= {"inside", "outside"}


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned(name: str) -> None:
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", SERVICES[name]["image"])


def test_the_broker_has_the_fixes_that_are_known() -> None:
    version = SERVICES["activemq"]["image"].partition(":")[2]
    assert tuple(map(int, version.split("."))) >= (6, 2, 8)


@pytest.mark.parametrize("name", SERVICES)
def test_who_needs_something_waits_until_it_is_well(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        expected = "service_completed_successfully" if other in ENDS else "service_healthy"
        assert how["condition"] == expected
        if expected == "service_healthy":
            assert SERVICES[other]["healthcheck"]["test"]


def test_our_processes_wait_for_the_tables() -> None:
    assert "logins" in OURS["init"]["depends_on"]
    for name, service in OURS.items():
        assert name == "init" or "init" in service["depends_on"]
        assert name == "init" or int(service["stop_grace_period"].removesuffix("s")) >= 10, "ends within ten seconds"


def test_nothing_listens_to_the_outside() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name
            assert "outside" in service["networks"], "an internal network publishes no port"
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_secrets_are_files_that_make_secrets_makes(tmp_path: Path) -> None:
    program = tmp_path / "make-secrets"
    text = (DEPLOY / "compose" / "make-secrets").read_text()
    program.write_text(text.replace("chown 10001:10001", ":"))  # that needs root
    for _ in range(2):
        subprocess.run(["sh", str(program)], check=True)
    made = {path.name: path for path in (tmp_path / "secrets").iterdir()}
    assert {f"compose/secrets/{name}" for name in made} == {each["file"] for each in COMPOSE["secrets"].values()}
    modes = {name: stat.S_IMODE(path.stat().st_mode) for name, path in made.items()}
    passes = {name for name in made if name.endswith("-pgpass")}
    assert {modes.pop(name) for name in passes} == {0o600}, "libpq ignores a file that others can read"
    assert set(modes.values()) == {0o444}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    contents = {name: path.read_text() for name, path in made.items()}
    for name, login in {"postgres": "postgres", **LOGINS}.items():
        assert contents.pop(f"{name}-pgpass") == f"*:*:*:{login}:{contents[f'{name}-password']}\n"
    assert contents.pop("activemq.properties") == f"transferscope.password={contents['mq-password']}\n"
    assert len(set(contents.values())) == len(contents), "no password is there twice"


def test_secrets_stay_the_same_and_are_not_committed(tmp_path: Path) -> None:
    assert "deploy/compose/secrets/" in (DEPLOY.parent / ".gitignore").read_text().splitlines()
    program = tmp_path / "make-secrets"
    program.write_text((DEPLOY / "compose" / "make-secrets").read_text().replace("chown 10001:10001", ":"))
    subprocess.run(["sh", str(program)], check=True)
    before = {path.name: path.read_bytes() for path in (tmp_path / "secrets").iterdir()}
    subprocess.run(["sh", str(program)], check=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "secrets").iterdir()} == before


def test_no_secret_stands_in_the_environment() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASS|SECRET|TOKEN", variable):
                assert str(value).startswith("/run/secrets"), f"{name}: {variable}"


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_container_is_given_is_there(name: str) -> None:
    service = SERVICES[name]
    for config in service.get("configs", []):
        assert (DEPLOY / COMPOSE["configs"][config["source"]]["file"]).is_file()
    for secret in service.get("secrets", []):
        assert (secret if isinstance(secret, str) else secret["source"]) in COMPOSE["secrets"]
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source.startswith("./") or source in COMPOSE["volumes"]


def test_the_settings_are_those_of_the_services() -> None:
    found = settings()
    assert found.kafka_bootstrap == ("kafka:9092",)
    assert found.stomp_brokers == ("stomp://activemq:61613",)
    targets = {config["target"] for config in OURS["worker"]["configs"]}
    assert set(found.topology or ()) <= targets
    for service in OURS.values():
        assert service["environment"]["TRANSFERSCOPE_CONFIG"] in targets


@pytest.mark.parametrize("name", OURS)
def test_a_process_is_given_the_secrets_that_it_needs_and_no_others(name: str) -> None:
    login = {"init": "owner", "web": "web", "bridge": None}.get(name, "writer")
    expected = {f"{login}-pgpass"} if login else set()
    if name in {"bridge", "alerts"}:
        expected.add("mq-password")
    if name == "worker":
        expected.add("user-hash-key")
    assert set(OURS[name]["secrets"]) == expected
    found = settings(name)
    files = {found.stomp_password_file, found.user_hash_key_file}
    url = urlsplit(str(found.database_url))
    files.add(Path(parse_qs(url.query)["passfile"][0]))
    assert {f"/run/secrets/{secret}" for secret in expected} <= set(map(str, files))
    if login:
        assert url.username == LOGINS[login]
        assert (url.hostname, url.port, url.path) == ("postgres", 5432, "/transferscope")


def test_health_pages_listen_where_the_image_asks() -> None:
    assert settings().web_port == 8080
    assert settings().web_host == "0.0.0.0"
    for service in OURS.values():
        given = command_line(service["command"])
        if "health_port" in given:
            assert (given["health_host"], given["health_port"]) == ("0.0.0.0", 8080)
        elif service["command"] != ["web"]:
            assert service["healthcheck"] == {"disable": True}


def test_grafana_is_told_what_its_provisioning_asks_for() -> None:
    asked = {
        name
        for path in (DEPLOY / "grafana" / "provisioning").rglob("*.yaml")
        for line in path.read_text().splitlines()
        if not line.lstrip().startswith("#")
        for name in re.findall(r"\$([A-Z][A-Z_]+)", line)
    }
    assert asked
    assert asked <= set(SERVICES["grafana"]["environment"])


def test_prometheus_finds_every_process_by_the_name_of_its_service() -> None:
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    found = {
        (name, lookup["port"])
        for job in scraped
        for lookup in job.get("dns_sd_configs", [])
        for name in lookup["names"]
    }
    assert found == {(name, 8080) for name in ("bridge", "worker", "relay", "alerts", "web")}
    assert set(dict(found)) <= set(SERVICES)
