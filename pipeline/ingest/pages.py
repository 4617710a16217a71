"""What stands on several pages, fetched as one: GOCDB sends long results with a link to the next page."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from pipeline.ingest.fetch import LARGEST, Fetched, NotFetched, fetch
from pipeline.topology.reading import Wrong
from pipeline.topology.sources import gocdb

MOST = 1000
"""Pages of one result."""


def fetch_whole(address: str, etag: str = "", last_modified: str = "") -> Fetched | None:
    """As ``fetch``, with all further pages; they must be on the same server, and one that is missing spoils all.

    What came on several pages has neither etag nor time: the first page being the same says nothing of the others.
    """
    first = fetch(address, etag, last_modified)
    if first is None:
        return None
    pages, seen, here = [first.content], {address}, address
    while following := gocdb.next_page(pages[-1]):
        here = urljoin(here, following)
        if urlsplit(here)[:2] != urlsplit(address)[:2]:
            raise NotFetched(address, f"it goes on at {here}, another server: name that one instead if it is meant")
        if here in seen or len(pages) == MOST:
            raise NotFetched(address, f"its pages do not end: {here} follows after {len(pages)} of them")
        seen.add(here)
        page = fetch(here)
        assert page is not None  # nothing was said that it could be unchanged from
        pages.append(page.content)
        if sum(map(len, pages)) > LARGEST:
            raise NotFetched(address, f"its pages have more than {LARGEST} bytes")
    if len(pages) == 1:
        return first
    try:
        return Fetched(gocdb.joined(pages), "", "")
    except Wrong as error:
        raise NotFetched(address, f"not all of its pages are results: {error}") from error
