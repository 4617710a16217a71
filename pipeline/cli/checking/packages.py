"""Whether our packages are ours."""

from __future__ import annotations

from importlib import import_module, metadata

from pipeline.cli.checking.check import Check, Verdict

OWN_PACKAGES = ("schemas", "pipeline", "consumers")


def package(name: str) -> Check:
    """Three generic names are safe only while one distribution owns each; another one's files would win silently."""
    module = import_module(name)
    place = module.__path__[0]
    # An editable install lists the packages of its folder only through its .pth file.
    owners = sorted(set(metadata.packages_distributions().get(name, ["transferscope"])))
    if owners != ["transferscope"]:
        return Check(
            f"package {name}",
            Verdict.WRONG,
            f"it belongs to {' and '.join(owners)}: install transferscope in a virtual environment of its own",
        )
    return Check(f"package {name}", Verdict.OK, f"transferscope {metadata.version('transferscope')} in {place}")
