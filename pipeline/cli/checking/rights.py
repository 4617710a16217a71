"""What the configured users may do, and what is missing for which command."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.cli.checking.check import Check, Verdict
from pipeline.store.roles import HOLDERS, OPERATOR, READER, WEB, WRITER, Standing

_CONTAINED = {WRITER: {OPERATOR, READER}, WEB: {OPERATOR, READER}, OPERATOR: {READER}, READER: set[str]()}
_MEANT_FOR = dict(HOLDERS)
_FEW = 3


def of_database(standing: Standing) -> Check:
    """One line about the login of ``database_url``."""
    what = f"rights of {standing.login}"
    if not standing.writes:
        told = "the server is a standby or lets this login only read: enough for query, export and pages; what writes"
        return Check(what, Verdict.WARNING, f"{told} needs the primary in database_url")
    if standing.owns:
        told = "it owns the tables, as init and tokens need: give processes logins of their own, with the roles that"
        return Check(what, Verdict.OK, f"{told} init names")
    for role in (WRITER, WEB, OPERATOR, READER):
        lacks = standing.lacks[role]
        if role in standing.granted and lacks:
            more = f" and {len(lacks) - _FEW} more" if len(lacks) > _FEW else ""
            missing = f"{', '.join(str(each) for each in lacks[:_FEW])}{more}"
            return Check(what, Verdict.WRONG, f"its role {role} lacks {missing}: run transferscope init as the owner")
    may = [role for role in _CONTAINED if not standing.lacks[role]]
    if not may:
        told = f"it may not even read: GRANT {READER} TO {standing.login}, or another role that init names"
        return Check(what, Verdict.WRONG, told)
    contained = set[str]().union(*(_CONTAINED[role] for role in may))
    highest = " and ".join(role for role in may if role not in contained)
    others = "; ".join(f"for {_MEANT_FOR[role]} GRANT {role}" for role in _CONTAINED if role not in {*may, *contained})
    told = f"it may what {highest} may; init and tokens are for the owner of the tables"
    return Check(what, Verdict.OK, f"{told}; {others}" if others else told)


READ, WRITTEN = frozenset({"DESCRIBE", "READ"}), frozenset({"DESCRIBE", "WRITE"})


Operations = Mapping[str, frozenset[str]]
"""By topic, with Kafka's names."""


def of_topics(user: str | None, needed: Mapping[str, Operations], may: Operations) -> Check:
    """``needed``: which operations each command needs on which topics; ``may``: what we may, by topic."""
    what = "rights on Kafka" if user is None else f"rights of {user} on Kafka"
    missing = [
        f"{command} may not {' and '.join(sorted(operation.lower() for operation in lacking))} {topic}"
        for command, topics in needed.items()
        for topic, operations in topics.items()
        if (lacking := operations - may.get(topic, frozenset()))
    ]
    if not missing:
        return Check(what, Verdict.OK, f"{', '.join(needed)} may all they need of {len(may)} topics")
    more = f" and {len(missing) - _FEW} more" if len(missing) > _FEW else ""
    told = f"{'; '.join(missing[:_FEW])}{more}: allow it with kafka-acls.sh to the users of these commands"
    return Check(what, Verdict.WARNING, told)
