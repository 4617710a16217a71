"""Every kind of fault of a schedule as something that happens, and which cannot happen here."""

from __future__ import annotations

from collections.abc import Mapping

from tests.chaos import message_faults, process_faults, service_faults, sql_faults
from tests.chaos.scene import Play
from tests.chaos.site import Site

PLAYS: Mapping[str, Play] = {
    **process_faults.PLAYS,
    **service_faults.PLAYS,
    **sql_faults.PLAYS,
    **message_faults.PLAYS,
}


def impossible(site: Site) -> dict[str, str]:
    """The kinds that this machine does not allow, with the reason."""
    found = {}
    if site.disk is None:
        found["disk-full"] = "no small disk could be mounted: only root may"
    if process_faults.clock_library() is None:
        found["worker-clock"] = "libfaketime is not installed (Debian: apt-get install faketime)"
    return found
