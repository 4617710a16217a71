"""The chart, with Helm itself."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.chart import CHART, SETS, helm, kept, render


@pytest.fixture(scope="module")
def program() -> str:
    found = helm()
    if found is None:
        pytest.skip("no helm: `make helm` builds it with Go; what it makes is kept and checked in tests/unit/deploy")
    return found


def test_the_chart_passes_helms_own_rules(program: str) -> None:
    ended = subprocess.run([program, "lint", "--strict", str(CHART)], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("name", SETS)
def test_it_makes_what_is_kept(program: str, name: str) -> None:
    assert render(program, name) == kept(name)


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("worker.replicas=9", "more than settings.partitions, 8"),
        ("settings.stomp_brokers=a", "stomp_brokers"),
        ("bridges[0].name=UPPER", "pattern"),
        ("image.digest=latest", "pattern"),
        ("web.database_url=postgresql://me:secret@db/name", "pattern"),
        ("nonsense=1", "nonsense"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(program: str, option: str, why: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        render(program, "default", "--set", option)
    assert why in refused.value.stderr
