"""Names that a file has in the messages: its path, URLs, endpoints and metadata, all from its 64 random bits."""

from __future__ import annotations

from functools import cache
from hashlib import md5
from typing import NamedTuple

from pipeline.simulator.script import File
from pipeline.simulator.styled import styled
from pipeline.simulator.world import Host

_ROOT = {
    "atlas": "/atlas/atlasdatadisk/rucio/mc23_13p6TeV",
    "cms": "/store/mc/Run3Summer23MiniAODv4",
    "lhcb": "/lhcb/data/2026/RAW",
    "alice": "/alice/data/2026",
}
_SCOPE = {"atlas": "mc23_13p6TeV", "cms": "cms"}


class Names(NamedTuple):
    """Texts of one file as they stand in its messages, safe to put between the quotes of JSON."""

    src_url: str
    dst_url: str
    name: str
    adler32: str
    file_metadata: str
    job_metadata: str
    token: str


def names_of(file: File) -> Names:
    """The names of a file; the same file has the same names in all its messages."""
    noise = file.noise
    vo = file.link.vo
    name = f"AOD.{noise % 99_999_989:08d}._{noise % 999_983:06d}.pool.root.1"
    path = f"{_ROOT[vo]}/{noise & 255:02x}/{noise >> 8 & 255:02x}/{name}"
    adler32 = f"{noise >> 32:08x}"
    told = _has_metadata(file)
    # FTS spelled nothing in two ways.
    none = "null" if noise & 1 else '""'
    return Names(
        src_url=_url(file.link.src, path),
        dst_url=_url(file.link.dst, path),
        name=name,
        adler32=adler32,
        file_metadata=_file_metadata(file, name, adler32) if told else none,
        job_metadata=_JOB_METADATA[vo] if told else none,
        token=f"{vo.upper()}DATADISK" if file.link.dst.scheme == "srm" else "",
    )


class Told(NamedTuple):
    """What the metadata of a file tell; ``""`` where they do not."""

    activity: str
    src_endpoint: str
    dst_endpoint: str


_NOTHING_TOLD = Told("", "", "")


def told_of(file: File) -> Told:
    """What the messages of a file tell of it beside hosts and times: Rucio's metadata do, FTS2 had none."""
    if file.link.vo not in _SCOPE or file.era.is_fts2 or not _has_metadata(file):
        return _NOTHING_TOLD
    vo, src, dst = file.link.vo, file.link.src, file.link.dst
    return Told(file.activity, endpoint_of(src, vo), endpoint_of(dst, vo))


def _has_metadata(file: File) -> bool:
    """Half of the clients tell nothing about file and job."""
    return file.link.vo in _JOB_METADATA and not file.noise & 2


def endpoint_of(host: Host, vo: str) -> str:
    """The VO's name of its storage at this host."""
    if vo == "atlas":
        return f"{host.label}_{'DATATAPE' if host.tape else 'DATADISK'}"
    return host.label


def _url(host: Host, path: str) -> str:
    manager = "/srm/managerv2?SFN=" if host.scheme == "srm" else ""
    return f"{host.scheme}://{host.name}:{host.port}{manager}{path}"


_RUCIO = styled(
    {
        "activity": '"%s"',
        "adler32": '"%s"',
        "dest_rse_id": '"%s"',
        "dst_rse": '"%s"',
        "dst_type": '"%s"',
        "filesize": "%d",
        "md5": "null",
        "name": '"%s"',
        "request_id": '"%016x%016x"',
        "request_type": '"transfer"',
        "scope": '"%s"',
        "src_rse": '"%s"',
        "src_rse_id": '"%s"',
        "src_type": '"%s"',
        "verify_checksum": "true",
    },
    depth=1,
)
_RUCIO_JOB = styled(
    {
        "auth_method": '"certificate"',
        "issuer": '"rucio"',
        "multi_sources": "false",
        "overwrite_when_only_on_disk": "false",
    },
    depth=1,
)
_JOB_METADATA = {
    "atlas": _RUCIO_JOB,
    "cms": _RUCIO_JOB,
    "lhcb": styled({"issuer": '"dirac"'}, depth=1),
}


def _file_metadata(file: File, name: str, adler32: str) -> str:
    """Rucio's object for ATLAS and CMS, DIRAC's wrapped text for LHCb."""
    vo, src, dst = file.link.vo, file.link.src, file.link.dst
    if vo == "lhcb":
        return styled({"label": f'"{name}"'}, depth=1)
    src_endpoint, dst_endpoint = endpoint_of(src, vo), endpoint_of(dst, vo)
    return _RUCIO % (
        file.activity,
        adler32,
        _endpoint_id(dst_endpoint),
        dst_endpoint,
        "TAPE" if dst.tape else "DISK",
        file.size,
        name,
        file.noise,
        file.noise ^ 0x5DEECE66D,
        _SCOPE[vo],
        src_endpoint,
        _endpoint_id(src_endpoint),
        "TAPE" if src.tape else "DISK",
    )


@cache
def _endpoint_id(endpoint: str) -> str:
    return md5(endpoint.encode(), usedforsecurity=False).hexdigest()
