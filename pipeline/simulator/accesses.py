"""What xrootd servers tell: files that were read or written, and copies between two of them."""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import NamedTuple

from pipeline.simulator.script import Span
from pipeline.simulator.world import Link, World

DAY_MS = 86_400_000
LARGEST_READ = 50 * 1000**3


class Form(Enum):
    """Whose record it is."""

    GLED = "gled"
    CMSSW = "cmssw"
    WLCG = "wlcg"
    COLLECTOR = "collector"
    CACHE = "cache"
    TPC = "tpc"
    EOS = "eos"


FORMS_OF = {
    "atlas": (Form.GLED, Form.WLCG, Form.COLLECTOR, Form.CACHE, Form.TPC, Form.EOS),
    "cms": (Form.GLED, Form.CMSSW, Form.WLCG, Form.COLLECTOR, Form.CACHE, Form.TPC, Form.EOS),
    "lhcb": (Form.EOS, Form.TPC, Form.WLCG),
    "alice": (Form.EOS, Form.WLCG),
}
_IN_WHOLE_SECONDS = frozenset({Form.GLED, Form.CMSSW, Form.WLCG, Form.CACHE})


class Access(NamedTuple):
    """A file was open over ``open_ms`` (its begin is 0 where nobody knows it): ``bytes`` went from ``src_host`` to
    ``dst_host``, full names or ``unknown``. ``written`` tells that the client sent them. Of a third-party copy it tells
    that the source pushed. ``noise``: 64 random bits, of which its path is made.
    """

    form: Form
    vo: str
    src_host: str
    dst_host: str
    written: bool
    open_ms: Span
    bytes: int
    noise: int

    @property
    def server(self) -> str:
        """The host that told of a file access."""
        return self.dst_host if self.written else self.src_host

    @property
    def client(self) -> str:
        """The other one."""
        return self.src_host if self.written else self.dst_host


class Accesses:
    """Tells one access after the other."""

    def __init__(self, rng: Random, world: World) -> None:
        self._rng = rng
        self._world = world

    def next_access(self, begin_ms: int) -> Access:
        """The next access; its file is opened at ``begin_ms``."""
        rng = self._rng
        link = self._world.pick(rng)
        form = rng.choice(FORMS_OF[link.vo])
        span = self._open(form, begin_ms)
        volume = 0 if rng.random() < 0.01 else min(int(rng.lognormvariate(18, 2)), LARGEST_READ)
        # What was not moved was not written either.
        written = form not in (Form.CACHE, Form.CMSSW) and volume > 0 and rng.random() < 0.2
        src_host, dst_host = self._ends(form, link, written)
        return Access(form, link.vo, src_host, dst_host, written, span, volume, rng.getrandbits(64))

    def _open(self, form: Form, begin_ms: int) -> Span:
        rng = self._rng
        length = int(rng.lognormvariate(11, 1.5)) % DAY_MS
        if rng.random() < 0.005:
            length += 8 * DAY_MS  # a job that forgot to close it: nobody believes that it streamed all the time
        if form in _IN_WHOLE_SECONDS:
            begin_ms, length = begin_ms // 1000 * 1000, length // 1000 * 1000
        begin_ms, end_ms = begin_ms - length, begin_ms
        return (0 if rng.random() < 0.01 else begin_ms, end_ms)

    def _ends(self, form: Form, link: Link, written: bool) -> tuple[str, str]:
        rng = self._rng
        if form is Form.TPC:
            return link.src.name, link.dst.name
        server = link.src.name
        domain = link.dst.name.partition(".")[2]
        if form is Form.CACHE:
            source = "unknown" if rng.random() < 0.05 else server
            return source, f"xcache{rng.randrange(1, 4)}.{domain}"
        client = "unknown" if rng.random() < 0.02 else f"wn{rng.randrange(1, 40):03d}.{domain}"
        return (client, server) if written else (server, client)
