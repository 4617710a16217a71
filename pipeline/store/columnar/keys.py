"""Keys of links as numbers: each column is a code a link, and the names that the codes stand for."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from psycopg2.extensions import cursor as Cursor

Codes = npt.NDArray[np.int32]
NOWHERE = -1


class Names:
    """The names of one column: the code of a name is its place in ``known``; None is a name like any other."""

    def __init__(self) -> None:
        self.known: list[str | None] = []
        self._codes: dict[str | None, int] = {}

    def code(self, name: str | None) -> int:
        """The code of a name, given out now where it is new."""
        found = self._codes.get(name)
        if found is None:
            found = self._codes[name] = len(self.known)
            self.known.append(name)
        return found


class LinkKeys:
    """Keys of links by their *place*: a link gets the next one when it is met first, and keeps it.

    Rows of links never change, so what was read once holds. For several threads at once.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.names = {name: Names() for name in self.columns}
        self._codes: dict[str, Codes] = {name: np.empty(0, np.int32) for name in self.columns}
        self._ids = np.empty(0, np.int64)
        self._places = np.empty(0, np.int32)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._codes[self.columns[0]])

    def places(self, cursor: Cursor, links: npt.NDArray[np.int64]) -> Codes:
        """The places of links by their numbers; NOWHERE for what ``report.link_key`` does not show.

        ``cursor`` reads those that were not met before.
        """
        with self._lock:
            different = np.unique(links)
            missing = different[~np.isin(different, self._ids)]
            if len(missing):
                self._learn(cursor, missing)
            ids, places = self._ids, self._places
        if not len(links):
            return np.empty(0, np.int32)
        found: Codes = places[np.searchsorted(ids, links)]
        return found

    def codes(self, column: str) -> Codes:
        """The codes of a column by place."""
        return self._codes[column]

    def _learn(self, cursor: Cursor, missing: npt.NDArray[np.int64]) -> None:
        columns = ", ".join(self.columns)
        cursor.execute(f"SELECT link_id, {columns} FROM report.link_key WHERE link_id = ANY(%s)", (missing.tolist(),))
        rows = cursor.fetchall()
        first = len(self)
        for position, name in enumerate(self.columns, 1):
            code = self.names[name].code
            added = np.fromiter((code(row[position]) for row in rows), np.int32, len(rows))
            self._codes[name] = np.concatenate((self._codes[name], added))
        ids = np.concatenate((self._ids, missing))
        shown = {row[0]: place for place, row in enumerate(rows, first)}
        new = np.fromiter((shown.get(link, NOWHERE) for link in missing.tolist()), np.int32, len(missing))
        order = np.argsort(ids, kind="stable")
        self._ids = ids[order]
        self._places = np.concatenate((self._places, new))[order]
