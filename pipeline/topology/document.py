"""The topology file as it is written, one class per kind of entry; its JSON Schema is generated from these."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

_Text = Annotated[str, Meta(min_length=1)]
_SiteName = Annotated[str, Meta(min_length=1, description="The site's name in GOCDB, OSG topology or CRIC.")]
_Vos = Annotated[list[_Text], Meta(description="Only for these VOs; empty or absent: for all.")]
_From = Annotated[str, Meta(description="ISO 8601 time from which this holds; UTC if no offset; absent: always so.")]
_To = Annotated[str, Meta(description="ISO 8601 time at which this ends, itself not included; absent: no end.")]


class SiteEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A resource centre."""

    name: _SiteName
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166 alpha-2, GB not UK.")] | None = None
    tier: Annotated[int, Meta(ge=0, le=4)] | None = None
    names: Annotated[dict[_Text, list[_Text]], Meta(description="What each VO calls the site.")] = {}


class HostEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A host of a site."""

    host: Annotated[str, Meta(min_length=1, description="Host name without scheme, port and path.")]
    site: _SiteName
    vos: _Vos = []
    valid_from: _From | None = None
    valid_to: _To | None = None


class DomainEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A domain: the site of every host in it that has no entry of its own."""

    domain: Annotated[
        str, Meta(min_length=1, description="Domain without a leading dot; a wildcard `*.` in front is cut.")
    ]
    sites: Annotated[list[_SiteName], Meta(min_length=1, description="Several sites make its hosts ambiguous.")]
    vos: _Vos = []
    valid_from: _From | None = None
    valid_to: _To | None = None


class EndpointEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A door of a VO endpoint; an endpoint with several hosts or paths has an entry for each."""

    name: Annotated[str, Meta(min_length=1, description="The VO's name for it, such as a Rucio storage element.")]
    vo: _Text
    site: _SiteName | None = None
    host: Annotated[str, Meta(description="Host under which it is reached; absent: known by name only.")] = ""
    path: Annotated[str, Meta(description="Path prefix, as a path or URL; absent: the whole host.")] = ""
    token: Annotated[str, Meta(description="SRM space token, such as ATLASPRODDISK.")] = ""
    type: Annotated[str, Meta(description="Endpoint type, such as PRODDISK.")] = ""
    valid_from: _From | None = None
    valid_to: _To | None = None


class ExperimentEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The numbers of an experiment in flow labels (scitags.org)."""

    vo: _Text
    id: Annotated[int, Meta(ge=1, le=511, description="Number of the experiment.")]
    activities: Annotated[dict[_Text, int], Meta(description="Activity -> its number within the experiment.")] = {}


class Document(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A topology: which hosts, domains and VO endpoints belong to which sites, and when."""

    format: Annotated[Literal[1], Meta(description="Version of this file format.")] = 1
    origin: Annotated[str, Meta(description="Where the facts come from; for readers only.")] = ""
    sites: Annotated[list[SiteEntry], Meta(min_length=1)]
    hosts: list[HostEntry] = []
    domains: list[DomainEntry] = []
    endpoints: list[EndpointEntry] = []
    experiments: Annotated[list[ExperimentEntry], Meta(description="Flow label numbers; for readers.")] = []


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file; ``schemas/topology.schema.json`` is its committed copy."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Topology of transferscope"}
    return schema | msgspec.json.schema(Document)
