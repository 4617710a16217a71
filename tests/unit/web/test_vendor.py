"""Scripts of others are those of the packages that the lock names, byte by byte, and come with their licences."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "pipeline" / "web" / "pages" / "vendor"
FOR_TESTS = ROOT / "tests" / "browser" / "vendor"
LOCK = json.loads((SHIPPED / "package-lock.json").read_text())["packages"]

FILES = {
    "echarts": {
        "dist/echarts.common.min.js": SHIPPED / "echarts.common.min.js",
        "LICENSE": SHIPPED / "echarts.LICENSE",
        "NOTICE": SHIPPED / "echarts.NOTICE",
        "licenses/LICENSE-d3": SHIPPED / "echarts.LICENSE-d3",
    },
    "zrender": {"LICENSE": SHIPPED / "zrender.LICENSE"},
    "htmx.org": {"dist/htmx.min.js": SHIPPED / "htmx.min.js", "LICENSE": SHIPPED / "htmx.LICENSE"},
    "axe-core": {
        "axe.min.js": FOR_TESTS / "axe.min.js",
        "LICENSE": FOR_TESTS / "axe-core.LICENSE",
        "LICENSE-3RD-PARTY.txt": FOR_TESTS / "axe-core.LICENSE-3RD-PARTY",
    },
}
"""Package -> path in it -> our copy."""
BUNDLED = {"tslib", "zrender"}
"""Inside the script of echarts; the licence of tslib asks for no notice."""
SUMS = {
    "echarts.common.min.js": "61f13280aba3161f77fc801bf5f9c786f55f10432153a0683fc5cc0700b013d5",
    "htmx.min.js": "71ea67185bfa8c98c39d31717c6fce5d852370fcdfd129db4543774d3145c0de",
    "axe.min.js": "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
}


def test_every_script_is_the_one_that_was_looked_at() -> None:
    found = {path.name: path for folder in (SHIPPED, FOR_TESTS) for path in folder.glob("*.js")}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == SUMS


def test_the_lock_pins_exact_versions_by_sum_and_names_no_address() -> None:
    wanted = json.loads((SHIPPED / "package.json").read_text())
    pinned = wanted["dependencies"] | wanted["devDependencies"]
    assert set(pinned) == set(FILES) - BUNDLED
    for name, version in pinned.items():
        assert LOCK[f"node_modules/{name}"]["version"] == version
        assert LOCK[f"node_modules/{name}"]["integrity"].startswith("sha512-")
    assert "resolved" not in json.dumps(LOCK)


def test_no_package_is_there_that_was_not_thought_of() -> None:
    assert set(LOCK) == {"", *(f"node_modules/{name}" for name in {*FILES, *BUNDLED})}


@pytest.mark.parametrize("name", FILES)
def test_our_copies_are_the_files_of_the_locked_package(name: str, tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm: the sums above were compared, the package was not")
    version, integrity = (LOCK[f"node_modules/{name}"][key] for key in ("version", "integrity"))
    packed = subprocess.run(
        [npm, "pack", "--silent", f"{name}@{version}"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    if packed.returncode:
        assert re.search("ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|network", packed.stderr), packed.stderr
        pytest.skip("npm reaches no registry: the sums above were compared, the package was not")
    (package,) = tmp_path.glob("*.tgz")
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    assert f"sha512-{found}" == integrity
    with tarfile.open(package) as archive:
        for inside, copy in FILES[name].items():
            member = archive.extractfile(f"package/{inside}")
            assert member is not None
            assert member.read() == copy.read_bytes(), f"{copy} is not {inside} of {name}"
