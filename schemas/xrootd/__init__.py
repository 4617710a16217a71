"""xrootd file accesses and third-party copies: one module a wire format, one table of who reads what.

Every format becomes a ``Complete`` of technology ``xrootd`` or ``xrootd-tpc``: a transfer that ended and never had a
start message. What a format does not say is ``unknown`` or ``""``, never a guess. README.md has the fields.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas import topics
from schemas.envelope import RawMessage
from schemas.events import Complete
from schemas.rules import Horizon
from schemas.xrootd import cache, cmssw, collector, eos, gled, shoveler, tpc, wlcg

Parser = Callable[[RawMessage, Horizon], list[Complete]]

PARSERS: dict[str, Parser] = {
    topics.XROOTD_GLED: gled.parse,
    topics.XROOTD_CMSSW: cmssw.parse,
    topics.XROOTD_WLCG: wlcg.parse,
    topics.XROOTD_COLLECTOR: collector.parse,
    topics.XROOTD_CACHE: cache.parse,
    topics.XROOTD_TPC: tpc.parse,
    topics.XROOTD_EOS: eos.parse,
    topics.XROOTD_SHOVELER: shoveler.parse,
}
"""The parser of each kind. All raise Malformed; one message gives one record, a CMSSW packet perhaps several."""
