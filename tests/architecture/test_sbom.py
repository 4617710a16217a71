"""The bill of materials: valid by CycloneDX's schema, of the packages that the image runs and no others."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.runtime.lock"


def command() -> list[str]:
    """What `make sbom` runs."""
    said = subprocess.run(
        ["make", "--dry-run", "--always-make", "sbom"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.replace("\\\n", " ")
    (found,) = [line for line in said.splitlines() if "cyclonedx-py requirements" in line]
    return shlex.split(found)


def test_it_names_each_package_of_the_image_with_version_and_sums(tmp_path: Path) -> None:
    _, *options = command()
    options[options.index("--output-file") + 1] = str(tmp_path / "sbom.json")
    made = subprocess.run(
        [Path(sys.executable).with_name("cyclonedx-py"), *options, "--validate"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert made.returncode == 0, made.stderr
    document = json.loads((tmp_path / "sbom.json").read_text())
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["name"] == "transferscope"
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK.read_text(), re.MULTILINE))
    assert {each["name"]: each["version"] for each in document["components"]} == locked
    for each in document["components"]:
        (origin,) = each["externalReferences"]
        assert {known["alg"] for known in origin["hashes"]} == {"SHA-256"}
