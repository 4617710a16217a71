"""Host names and FTS instances in every spelling that messages use."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.hosts import host_name, host_of_url, instance_name, link_host


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("se.example.org", "se.example.org"),
        ("SE.Example.ORG", "se.example.org"),
        ("se.example.org:2811", "se.example.org"),  # gsiftp in 2012
        ("se.example.org.", "se.example.org"),
        ("se.example.org.:2811", "se.example.org"),
        (" se.example.org ", "se.example.org"),
        ("[2001:DB8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("192.0.2.1:443", "192.0.2.1"),
        ("localhost", "localhost"),
        ("", "unknown"),
        ("  ", "unknown"),
        (".", "unknown"),
        (":8443", "unknown"),
        ("[]:443", "unknown"),
        ("invalid hostname", "unknown"),
        ("Invalid Hostname", "unknown"),
    ],
)
def test_a_host_is_lower_case_without_port_and_trailing_dot(text: str, host: str) -> None:
    assert host_name(text) == host


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("srm://srm-cms.cern.ch/castor/cern.ch/f", "srm-cms.cern.ch"),
        ("srm://SE.Example.org.:8443/srm/managerv2?SFN=/pnfs/f", "se.example.org"),
        ("davs://se.example.org:443", "se.example.org"),
        ("root://se.example.org//store/f", "se.example.org"),
        ("gsiftp://se.example.org:2811/f", "se.example.org"),
        ("https://user:secret@se.example.org:443/f", "se.example.org"),
        ("https://user@se.example.org/a@b", "se.example.org"),
        ("https://[2001:DB8::1]:443/f", "2001:db8::1"),
        ("https://user@[2001:db8::1]/f", "2001:db8::1"),
        ("https://se.example.org?f=//other.org/", "se.example.org"),
        ("https://se.example.org#f", "se.example.org"),
        ("s3s://bucket.s3.example.org/f", "bucket.s3.example.org"),
        ("file:///local/path", "unknown"),
        ("/local/path", "unknown"),
        ("se.example.org/f", "unknown"),  # without a scheme it is a path
        ("://", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_host_of_a_url(url: str, host: str) -> None:
    assert host_of_url(url) == host


@pytest.mark.parametrize(
    ("host", "url", "link_end"),
    [
        ("a.org", "davs://b.org/f", "a.org"),
        ("", "davs://b.org:443/f", "b.org"),
        ("invalid hostname", "davs://b.org/f", "unknown"),
        ("", "", "unknown"),
        ("", "nonsense", "unknown"),
    ],
)
def test_an_end_of_a_link_is_its_host_name_else_the_host_of_its_url(host: str, url: str, link_end: str) -> None:
    assert link_host(host, url) == link_end


@pytest.mark.parametrize(
    ("endpoint", "instance"),
    [
        ("fts3.cern.ch", "fts3.cern.ch"),
        ("FTS3.CERN.CH.", "fts3.cern.ch"),
        ("fts3.cern.ch:8446", "fts3.cern.ch"),
        ("fts3.cern.ch/path", "fts3.cern.ch"),
        (
            "https://fts-pilot-service.cern.ch:8443/glite-data-transfer-fts/services/FileTransfer",
            "fts-pilot-service.cern.ch",
        ),
        ("https://[2001:db8::7]:8446", "2001:db8::7"),
        ("", ""),
        ("  ", ""),
        ("https:///FileTransfer", ""),
        ("invalid hostname", ""),
    ],
)
def test_an_fts_instance_is_the_host_part_of_its_endpoint(endpoint: str, instance: str) -> None:
    assert instance_name(endpoint) == instance


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
HOST = st.lists(LABEL, min_size=2, max_size=5).map(".".join)


@given(
    HOST,
    st.sampled_from(["srm", "davs", "https", "root", "gsiftp"]),
    st.sampled_from(["", "user@", "user:secret@"]),
    st.one_of(st.just(""), st.integers(min_value=1, max_value=65535).map(lambda port: f":{port}")),
    st.sampled_from(["", ".", "UP"]),
    st.sampled_from(["", "/", "//f@g:1", "?SFN=/f", "#x"]),
)
def test_all_spellings_of_one_host_are_one_host(
    host: str, scheme: str, user: str, port: str, spelling: str, path: str
) -> None:
    spelled = host.upper() if spelling == "UP" else host + spelling
    assert host_of_url(f"{scheme}://{user}{spelled}{port}{path}") == host
    assert host_name(f"{spelled}{port}") == host
    assert instance_name(f"{scheme}://{user}{spelled}{port}{path}") == host


@given(st.text(max_size=40))
@example("0 :")
@example("0 . .:1")
def test_any_text_gives_a_host_that_is_its_own_name(text: str) -> None:
    host = host_name(text)
    assert host
    if ":" not in host and "[" not in host:
        assert host_name(host) == host
