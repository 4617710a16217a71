"""What the Helm chart gives to Kubernetes: valid, confined, and of commands and settings that there are."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from consumers.worker.config import GROUP, TOPICS
from pipeline.cli.settings import Settings, load
from tests.support.chart import CHART, RENDERED, SETS, faults, is_fresh, kept, objects
from tests.support.deployed import command_line

Json = dict[str, Any]
VALUES: Json = yaml.safe_load((CHART / "values.yaml").read_text())
OTHERS = {"ScaledObject", "PodMonitor"}
"""Of KEDA and the Prometheus operator, which have no schema here."""

each_set = pytest.mark.parametrize("name", SETS)


def of_kind(name: str, *kinds: str) -> list[Json]:
    return [thing for thing in objects(kept(name)) if thing["kind"] in kinds]


def pods(name: str) -> Iterator[tuple[str, Json]]:
    for thing in of_kind(name, "Deployment", "Job"):
        yield thing["metadata"]["name"], thing["spec"]["template"]["spec"]


def processes(name: str) -> Iterator[tuple[str, Json]]:
    for pod, spec in pods(name):
        (container,) = spec["containers"]
        yield pod, container


@each_set
def test_what_is_kept_here_is_what_the_chart_makes(name: str) -> None:
    assert is_fresh(name), "the chart has changed: `make helm`, then `.venv/bin/python -m tests.support.chart`"


@each_set
def test_kubernetes_takes_every_object(name: str) -> None:
    found = objects(kept(name))
    assert {thing["kind"] for thing in found} >= {"Deployment", "Job", "Service", "NetworkPolicy", "ConfigMap"}
    for thing in found:
        if thing["kind"] not in OTHERS:
            assert list(faults(thing)) == [], thing["metadata"]["name"]


def test_the_schema_sees_a_fault() -> None:
    service = copy.deepcopy(of_kind("default", "Service")[0])
    service["spec"]["ports"][0]["targetport"] = 1
    assert any("targetport" in fault for fault in faults(service))


@each_set
def test_names_are_there_once(name: str) -> None:
    found = [(thing["kind"], thing["metadata"]["name"]) for thing in objects(kept(name))]
    assert len(set(found)) == len(found)


def test_the_values_fit_their_schema() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(VALUES)
    wrongs: tuple[Json, ...] = (
        {"settings": {"stomp_brokers": ["stomp://a:1"]}},
        {"worker": {"replicas": 65}},
        {"tpyo": {}},
    )
    for wrong in wrongs:
        merged = {**VALUES, **{key: {**VALUES.get(key, {}), **value} for key, value in wrong.items()}}
        assert list(jsonschema.Draft7Validator(schema).iter_errors(merged)), wrong


@each_set
def test_every_process_runs(name: str) -> None:
    commands = [container["args"][0] for _, container in processes(name)]
    expected = {"init", "bridge", "worker", "relay", "alerts", "web"}
    assert set(commands) == expected | ({"topology"} if name == "everything" else set())


@each_set
def test_a_command_is_one_that_the_program_understands(name: str) -> None:
    for pod, container in processes(name):
        given = command_line(container["args"])
        assert "command" not in container, "the image's own entry point"
        if "health_port" in given and "ports" in container:
            assert (given["health_host"], given["health_port"]) == ("0.0.0.0", 8080), pod


@each_set
def test_a_pod_keeps_to_the_restricted_profile(name: str) -> None:
    for pod, spec in pods(name):
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == 10001
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert {kind for volume in spec["volumes"] for kind in set(volume) - {"name"}} <= {
            "configMap", "secret", "emptyDir",
        }  # fmt: skip
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, pod
            assert {"requests", "limits"} == set(container["resources"])
            assert "memory" in container["resources"]["limits"]


@each_set
def test_who_has_a_health_page_is_asked(name: str) -> None:
    for pod, container in processes(name):
        if container["args"][0] in {"init", "topology"}:
            assert "livenessProbe" not in container, pod
            continue
        ready, alive = container["readinessProbe"], container["livenessProbe"]
        assert container["ports"] == [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]
        assert ready["httpGet"]["path"] == "/readyz"
        assert alive["httpGet"] == {"path": "/healthz", "port": "http"}
        assert alive["periodSeconds"] * alive["failureThreshold"] >= 600, "a database that is away kills nobody"


def given(name: str) -> Json:
    """The values of a set, where they say who logs in with what."""
    chosen = {} if name == "default" else yaml.safe_load((RENDERED / f"{name}.values.yaml").read_text())
    return {part: VALUES[part] | chosen.get(part, {}) for part in ("settings", "secret", "init", "web")}


def settings(name: str, tmp_path: Path) -> dict[str, Settings]:
    """Of each file of each ConfigMap, as `NAME/FILE`."""
    found = {}
    for thing in of_kind(name, "ConfigMap"):
        for file, text in thing["data"].items():
            path = tmp_path / f"{thing['metadata']['name']}-{file}"
            path.write_text(text)
            found[f"{thing['metadata']['name']}/{file}"] = load(path, {})
    return found


@each_set
def test_settings_are_ones_that_the_program_knows(name: str, tmp_path: Path) -> None:
    found = settings(name, tmp_path)
    values = given(name)
    for file, resolved in found.items():
        assert resolved.web_host == "0.0.0.0"
        assert resolved.web_port == 8080
        own = values[{"grid-init/all.toml": "init", "grid/web.toml": "web"}.get(file, "settings")]
        for setting, value in {**values["settings"], "database_url": own["database_url"]}.items():
            read = getattr(resolved, setting)
            told = list(read) if isinstance(read, tuple) else str(read) if isinstance(read, Path) else read
            assert told == value, (file, setting)


def test_each_bridge_has_its_own_brokers_and_all_else_has_all_of_them(tmp_path: Path) -> None:
    found = settings("everything", tmp_path)
    urls = {file: [table.url for table in resolved.broker] for file, resolved in found.items()}
    cern = ["stomp+ssl://dashb-mb.example.org:61123", "stomp://mq.example.org:61613"]
    fnal = ["stomp+ssl://mq.example.net:61612"]
    assert urls == {
        "grid/all.toml": cern + fnal,
        "grid/web.toml": cern + fnal,
        "grid-init/all.toml": cern + fnal,
        "grid/bridge-cern.toml": cern,
        "grid/bridge-fnal.toml": fnal,
    }
    second = found["grid/bridge-cern.toml"].broker[1]
    assert (second.mode, second.consumer, second.user) == ("topic", "second", "transferscope")
    assert second.topics == {
        "transfer.fts_monitoring_start": "fts.start",
        "transfer.fts_monitoring_complete": "fts.complete",
    }


@each_set
def test_each_pod_reads_a_file_that_there_is(name: str) -> None:
    files = {thing["metadata"]["name"]: set(thing["data"]) for thing in of_kind(name, "ConfigMap")}
    for pod, spec in pods(name):
        (config,) = [volume["configMap"] for volume in spec["volumes"] if volume["name"] == "config"]
        (item,) = config["items"]
        expected = f"{pod.removeprefix('grid-')}.toml" if "bridge" in pod or pod == "grid-web" else "all.toml"
        assert item == {"key": expected, "path": "transferscope.toml"}
        assert expected in files[config["name"]]


@each_set
def test_secrets_are_files(name: str) -> None:
    for _, spec in pods(name):
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        assert volumes["secret"]["secret"]["defaultMode"] == 0o440
        for container in spec["containers"]:
            assert [variable["name"] for variable in container["env"]] == ["TRANSFERSCOPE_CONFIG"]
    assert not of_kind(name, "Secret")


@each_set
def test_each_pod_has_the_login_that_it_needs_and_no_other(name: str) -> None:
    values = given(name)
    logins = {"init": "transferscope", "web": "transferscope_pages", "settings": "transferscope_processes"}
    for part, login in logins.items():
        assert urlsplit(values[part]["database_url"]).username == login
    for pod, spec in pods(name):
        own = pod.removeprefix("grid-")
        secret = values[own]["secret"] if own in ("init", "web") else values["secret"]
        (mounted,) = [volume["secret"] for volume in spec["volumes"] if volume["name"] == "secret"]
        assert mounted["secretName"] == secret["name"]
        copied = [each["command"][2] for each in spec.get("initContainers", [])]
        assert copied == ([f"/run/secrets/transferscope/{secret['pgpassKey']}"] if secret["pgpassKey"] else [])
    assert len({values[part]["secret"]["name"] for part in ("init", "web")} | {values["secret"]["name"]}) == 3


def test_libpq_finds_a_password_file_of_its_own_user() -> None:
    for _, spec in pods("default"):
        (copy,) = spec["initContainers"]
        assert copy["command"] == [
            "install", "--mode=0600", "/run/secrets/transferscope/pgpass", "/run/pgpass/pgpass",
        ]  # fmt: skip
    for part in ("settings", "init", "web"):
        assert VALUES[part]["database_url"].endswith("?passfile=/run/pgpass/pgpass")


def test_tables_come_before_the_processes_that_want_them() -> None:
    (job,) = of_kind("default", "Job")
    notes = job["metadata"]["annotations"]
    assert notes["helm.sh/hook"] == "pre-install,pre-upgrade"
    (config,) = [thing for thing in of_kind("default", "ConfigMap") if thing["metadata"]["name"] == "grid-init"]
    before = config["metadata"]["annotations"]
    assert before["helm.sh/hook"] == notes["helm.sh/hook"]
    assert int(before["helm.sh/hook-weight"]) < int(notes["helm.sh/hook-weight"])


@each_set
def test_a_machine_can_be_emptied_one_process_at_a_time(name: str) -> None:
    budgets = {thing["metadata"]["name"]: thing["spec"] for thing in of_kind(name, "PodDisruptionBudget")}
    for deployment in of_kind(name, "Deployment"):
        budget = budgets.pop(deployment["metadata"]["name"])
        assert budget["maxUnavailable"] == 1
        assert budget["selector"] == deployment["spec"]["selector"]
    assert not budgets


def test_workers_come_with_what_waits_for_them_in_kafka() -> None:
    assert not of_kind("default", "ScaledObject")
    (scaled,) = of_kind("everything", "ScaledObject")
    triggers = scaled["spec"]["triggers"]
    assert {trigger["metadata"]["topic"] for trigger in triggers} == set(TOPICS)
    for trigger in triggers:
        assert trigger["metadata"]["consumerGroup"] == GROUP
        assert trigger["metadata"]["lagThreshold"] == "5000000"
        assert trigger["authenticationRef"] == {"name": "kafka"}
    assert scaled["spec"]["maxReplicaCount"] == 16
    (worker,) = [each for each in of_kind("everything", "Deployment") if each["metadata"]["name"] == "grid-worker"]
    assert scaled["spec"]["scaleTargetRef"]["name"] == "grid-worker"
    assert "replicas" not in worker["spec"], "Helm would set it back at every upgrade"


@each_set
def test_who_may_come_in(name: str) -> None:
    everyone, web = sorted(of_kind(name, "NetworkPolicy"), key=lambda thing: str(thing["metadata"]["name"]))
    assert everyone["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert ("ingress" in everyone["spec"]) == bool(VALUES["networkPolicy"]["metricsFrom"] and name == "default")
    assert web["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "web"
    if name == "default":
        assert web["spec"]["ingress"][0]["from"] == [{"namespaceSelector": {}}]


def test_an_image_may_be_named_by_its_digest() -> None:
    for _, container in processes("everything"):
        assert re.fullmatch(r"registry\.example\.org/wlcg/transferscope@sha256:0{64}", container["image"])
