"""Alerts as promtool evaluates them over invented series."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules"
MINUTES = 60
"""How long the series are; alerts are looked at in the end."""


def firing(promtool: Path, folder: Path, series: Mapping[str, str], alerts: Iterable[str]) -> set[str]:
    """Those of the alerts that fire. ``series`` are values by name and labels, in promtool's notation, a minute apart.

    promtool only says whether an expectation is met, so it is asked with none: what it complains about fires.
    """
    names = sorted(alerts)
    document = {
        "rule_files": [str(path) for path in sorted(RULES.glob("*.yml"))],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [
                    {"eval_time": f"{MINUTES}m", "alertname": name, "exp_alerts": []} for name in names
                ],
            }
        ],
    }
    path = folder / "test.json"  # which is YAML too
    path.write_text(json.dumps(document), encoding="utf-8")
    ended = subprocess.run([promtool, "test", "rules", path], capture_output=True, text=True, timeout=60, check=False)
    said = ended.stdout + ended.stderr
    found = {name for name in names if f"alertname: {name}," in said}
    assert bool(found) == (ended.returncode != 0), said
    return found
