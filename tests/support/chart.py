"""What Helm makes of the chart, kept beside the tests: ``python -m tests.support.chart`` writes it anew."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "transferscope"
DATA = ROOT / "tests" / "data"
RENDERED = DATA / "chart"
SETS = ("default", "everything")
"""Names of sets of values; the first is the chart's own."""
RELEASE = "grid"
_MARK = "# Made of the chart and values with SHA-256 "
_VERSION = "1.30"
"""Of Kubernetes, told to Helm; older than the schemas, so that only what both know is used."""


def helm() -> str | None:
    """The program: of ``make helm``, else on the path."""
    return shutil.which("helm", path=Path(sys.executable).parent) or shutil.which("helm")


def digest(name: str) -> str:
    """Of all that ``render`` reads for the set of values."""
    values = [] if name == SETS[0] else [RENDERED / f"{name}.values.yaml"]
    whole = hashlib.sha256()
    for path in [*sorted(each for each in CHART.rglob("*") if each.is_file()), *values]:
        whole.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return whole.hexdigest()


def render(program: str, name: str, *more: str) -> str:
    """What Helm makes of the set of values; ``more`` are further options. Raises CalledProcessError."""
    values = [] if name == SETS[0] else ["--values", str(RENDERED / f"{name}.values.yaml")]
    command = [program, "template", RELEASE, str(CHART), "--kube-version", _VERSION, *values, *more]
    made = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    return f"{_MARK}{digest(name)}\n{made}"


def kept(name: str) -> str:
    return (RENDERED / f"{name}.yaml").read_text()


def is_fresh(name: str) -> bool:
    """Whether the kept text was made of the chart as it is."""
    return kept(name).startswith(f"{_MARK}{digest(name)}\n")


@cache
def objects(text: str) -> list[dict[str, Any]]:
    """The objects of a rendering: the same ones each time, as reading them takes a second."""
    return [document for document in yaml.safe_load_all(text) if document]


def faults(thing: dict[str, Any]) -> Iterator[str]:
    """What Kubernetes' schema says against an object; KeyError for a kind without schema."""
    schemas = _schemas()
    schema = {"$defs": schemas["$defs"], **schemas["kinds"][f"{thing['apiVersion']} {thing['kind']}"]}
    for error in jsonschema.Draft202012Validator(schema).iter_errors(thing):
        yield f"{error.json_path}: {error.message}"


@cache
def _schemas() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "kubernetes" / "v1.37.json").read_text())
    return found


def main() -> None:
    program = helm()
    if program is None:
        raise SystemExit("there is no helm: make helm")
    for name in SETS:
        (RENDERED / f"{name}.yaml").write_text(render(program, name))


if __name__ == "__main__":
    main()
