"""PostgreSQL over TLS: what sslmode=verify-full in database_url lets in, and what each refusal says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from pipeline.store import migrations, versions
from pipeline.store.session import Unavailable, connect
from tests.support.certificates import Authority, Pair
from tests.support.postgres_tls import in_front_of

pytestmark = pytest.mark.stack


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@contextmanager
def verified(server_url: str, pair: Pair | None, ca_file: Path, host: str = "127.0.0.1") -> Iterator[str]:
    """The address of a server with this certificate, None for one without TLS, that wants all of it."""
    with in_front_of(server_url, pair) as port:
        parts = urlsplit(server_url)
        login = parts.netloc.rpartition("@")[0]
        asked = f"{parts.query}&sslmode=verify-full&sslrootcert={quote(str(ca_file))}".removeprefix("&")
        yield parts._replace(netloc=f"{login}@{host}:{port}", query=asked).geturl()


def refusal(url: str) -> str:
    with pytest.raises(Unavailable) as refused:
        connect(url)
    return str(refused.value)


def test_a_server_that_fits_is_talked_to_over_tls(postgres_url: str, authority: Authority) -> None:
    with verified(postgres_url, authority.pair("postgres", "127.0.0.1"), authority.certificate) as url:
        with closing(connect(url)) as connection:
            assert connection.info.ssl_in_use
            assert connection.info.ssl_attribute("protocol") in ("TLSv1.2", "TLSv1.3")
        migrations.upgrade(url)
        assert versions.current(url) == versions.head()


def test_another_name_is_refused(postgres_url: str, authority: Authority) -> None:
    with verified(postgres_url, authority.pair("postgres", "db.example.org"), authority.certificate) as url:
        said = refusal(url)
    assert "does not match host name" in said
    assert said.endswith(": name the server in database_url as its certificate does")


def test_an_unknown_authority_is_refused(postgres_url: str, authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "Other Authority")
    with verified(postgres_url, authority.pair("postgres", "127.0.0.1"), other.certificate) as url:
        assert "or its authority is not in the sslrootcert of database_url" in refusal(url)
    with verified(postgres_url, authority.pair("postgres", "127.0.0.1"), tmp_path / "none.pem") as url:
        assert refusal(url).endswith(": correct sslrootcert in database_url")


def test_an_expired_certificate_is_refused(postgres_url: str, authority: Authority) -> None:
    with verified(postgres_url, authority.pair("old", "127.0.0.1", is_over=True), authority.certificate) as url:
        assert "it has expired, or its authority" in refusal(url)


def test_a_server_without_tls_gets_no_password(postgres_url: str, authority: Authority) -> None:
    with verified(postgres_url, None, authority.certificate) as url:
        assert "turn TLS on at the server; nothing is sent without it" in refusal(url)
