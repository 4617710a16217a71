"""Settings: one file and the environment, which wins; each value knows its origin, each fault has a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli import settings
from pipeline.cli.brokers import brokers
from pipeline.cli.errors import ConfigurationError
from schemas.topics import BROKER_TOPICS, KNOWN_TOPICS


def toml(folder: Path, text: str) -> Path:
    path = folder / "transferscope.toml"
    path.write_text(text)
    return path


def sentence(config: Path | None, environment: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings.load(config, environment)
    assert caught.value.exit_code == 2
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_without_file_and_environment_every_value_is_the_default() -> None:
    found = settings.load(None, {"PATH": "/bin", "HOME": "/home/x"})
    for setting in settings.REGISTRY:
        assert getattr(found, setting.name) == setting.default
        assert found.origins[setting.name] == "default"


def test_the_environment_wins_over_the_file_and_the_origin_says_so(tmp_path: Path) -> None:
    path = toml(tmp_path, 'stomp_consumer = "from_file"\npartitions = 4\n')
    found = settings.load(path, {"TRANSFERSCOPE_STOMP_CONSUMER": "from_env"})
    assert found.stomp_consumer == "from_env"
    assert found.origins["stomp_consumer"] == "environment TRANSFERSCOPE_STOMP_CONSUMER"
    assert found.partitions == 4
    assert found.origins["partitions"] == f"file {path}"


def test_the_file_can_be_named_by_the_environment_and_the_option_wins(tmp_path: Path) -> None:
    named = toml(tmp_path, "partitions = 2\n")
    other = tmp_path / "other.toml"
    other.write_text("partitions = 16\n")
    environment = {"TRANSFERSCOPE_CONFIG": str(named)}
    assert settings.load(None, environment).partitions == 2
    assert settings.load(other, environment).partitions == 16


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    path = toml(tmp_path, "partitions = 2\n")
    assert settings.load(path, {"TRANSFERSCOPE_PARTITIONS": ""}).partitions == 2


@pytest.mark.parametrize(
    ("name", "near"),
    [("TRANSFERSCOPE_DATABASE_ULR", "TRANSFERSCOPE_DATABASE_URL"), ("TRANSFERSCOPE_STOMP_BROKER", "STOMP_BROKERS")],
)
def test_an_unknown_variable_is_refused_and_the_nearest_known_one_named(name: str, near: str) -> None:
    text = sentence(None, {name: "x"})
    assert name in text
    assert near in text


def test_an_unknown_name_in_the_file_is_refused_and_the_nearest_known_one_named(tmp_path: Path) -> None:
    text = sentence(toml(tmp_path, 'kafka_bootstap = "a:1"\n'), {})
    assert "transferscope.toml" in text
    assert "did you mean kafka_bootstrap?" in text


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PARTITIONS", "many", "a whole number from 1 to 64"),
        ("PARTITIONS", "65", "a whole number from 1 to 64"),
        ("RETENTION_DAYS", "0", "a whole number from 1"),
        ("DATABASE_URL", "mysql://x/y", "postgresql://"),
        ("KAFKA_BOOTSTRAP", "kafka", "host:port"),
        ("KAFKA_BOOTSTRAP", "kafka:99999", "host:port"),
        ("STOMP_BROKERS", "tcp://mq:61613", "stomp://host:port"),
        ("STOMP_BROKERS", "stomp://mq", "stomp://host:port"),
        ("STOMP_BROKERS", ",", "stomp://host:port"),
        ("STOMP_CONSUMER", "a.b", "a word"),
        ("BROKER_API", "mq:8161", "http://"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_with_what_it_must_be(variable: str, value: str, expected: str) -> None:
    text = sentence(None, {f"TRANSFERSCOPE_{variable}": value})
    assert f"TRANSFERSCOPE_{variable}" in text
    assert expected in text


@pytest.mark.parametrize(
    ("set_", "longer", "shorter"),
    [
        ({"RETENTION_DAYS": "91"}, "window_retention_days", "retention_days"),
        ({"WINDOW_RETENTION_DAYS": "29"}, "window_retention_days", "retention_days"),
        ({"HOUR_RETENTION_DAYS": "89"}, "hour_retention_days", "window_retention_days"),
        ({"RETENTION_DAYS": "800", "WINDOW_RETENTION_DAYS": "800"}, "hour_retention_days", "window_retention_days"),
    ],
)
def test_windows_are_kept_at_least_as_long_as_what_they_are_made_of(
    set_: dict[str, str], longer: str, shorter: str
) -> None:
    text = sentence(None, {f"TRANSFERSCOPE_{name}": value for name, value in set_.items()})
    assert text.startswith(f"{longer} is ")
    assert f"less than {shorter}, " in text
    assert f"set {longer} to " in text


def test_all_may_be_kept_as_long_as_each_other(tmp_path: Path) -> None:
    names = ("retention_days", "window_retention_days", "hour_retention_days")
    found = settings.load(toml(tmp_path, "".join(f"{name} = 100\n" for name in names)), {})
    assert {getattr(found, name) for name in names} == {100}


def test_lists_come_from_commas_in_the_environment_and_from_arrays_in_the_file(tmp_path: Path) -> None:
    expected = ("stomp://a:1", "stomp+ssl://[::1]:2")
    assert settings.load(None, {"TRANSFERSCOPE_STOMP_BROKERS": ", ".join(expected)}).stomp_brokers == expected
    path = toml(tmp_path, 'stomp_brokers = ["stomp://a:1", "stomp+ssl://[::1]:2"]\n')
    assert settings.load(path, {}).stomp_brokers == expected


def test_a_relative_path_in_the_file_starts_at_the_folder_of_the_file(tmp_path: Path) -> None:
    path = toml(tmp_path, 'stomp_password_file = "secrets/mq"\n')
    assert settings.load(path, {}).stomp_password_file == tmp_path / "secrets" / "mq"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    text = sentence(tmp_path / "none.toml", {})
    assert "none.toml" in text
    assert "--config" in text


@pytest.mark.parametrize("content", [b"a = ", b"\xff\xfe = 1", b"[[broker]", b"a = " + b"9" * 5000])
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    assert "broken.toml is not TOML" in sentence(path, {})


def test_a_file_that_is_nested_deeply_is_named(tmp_path: Path) -> None:
    assert "nested too deeply" in sentence(toml(tmp_path, "a = " + "[" * 3000 + "]" * 3000), {})


def test_the_file_names_its_brokers_in_one_way(tmp_path: Path) -> None:
    path = toml(tmp_path, 'stomp_brokers = ["stomp://a:1"]\n[[broker]]\nurl = "stomp://b:1"\n')
    assert "keep one of them" in sentence(path, {})


def test_brokers_of_the_environment_replace_the_tables_of_the_file(tmp_path: Path) -> None:
    path = toml(tmp_path, '[[broker]]\nurl = "stomp://b:1"\n')
    found = settings.load(path, {"TRANSFERSCOPE_STOMP_BROKERS": "stomp://a:1"})
    assert found.stomp_brokers == ("stomp://a:1",)
    assert found.broker == ()


def test_what_is_not_set_but_needed_is_said_with_the_way_to_set_it() -> None:
    with pytest.raises(ConfigurationError, match="TRANSFERSCOPE_DATABASE_URL"):
        settings.load(None, {}).need("database_url")


def test_topics_of_broker_tables_add_to_the_known_kinds(tmp_path: Path) -> None:
    path = toml(tmp_path, '[[broker]]\nurl = "stomp://b:1"\n[broker.topics]\n"test.start" = "fts.start"\n')
    assert settings.load(path, {}).kinds() == {**KNOWN_TOPICS, "test.start": "fts.start"}


def test_every_setting_has_a_sentence_and_a_variable_of_its_own() -> None:
    variables = [setting.variable for setting in settings.REGISTRY]
    assert len(set(variables)) == len(variables)
    assert all(setting.sentence and len(setting.sentence) < 120 for setting in settings.REGISTRY)


class TestBrokerTables:
    TABLE = '[[broker]]\nurl = "stomp+ssl://mq.example.org:61612"\n'

    @pytest.mark.parametrize(
        ("lines", "hint"),
        [
            ("[broker]\n", "write [[broker]]"),
            ("[[broker]]\n", "has no url"),
            ('[[broker]]\nurl = "tcp://x:1"\n', "stomp://host:port"),
            (TABLE + 'pasword_file = "x"\n', "did you mean password_file?"),
            (TABLE + 'mode = "both"\n', "queue or topic"),
            (TABLE + 'consumer = "a.b"\n', "a word"),
            (TABLE + '[broker.topics]\n"a" = "fts.strat"\n', "kinds are fts.start"),
            (TABLE + "topics = {}\n", "kinds are fts.start"),
            (TABLE + "topics = {a = {}}\n", "kinds are fts.start"),
            (TABLE + 'ca_file = "~nobody-here/x"\n', "a user behind ~"),
        ],
    )
    def test_a_table_that_cannot_be_meant_is_refused_with_its_number(
        self, tmp_path: Path, lines: str, hint: str
    ) -> None:
        assert hint in sentence(toml(tmp_path, lines), {})

    def test_what_a_table_leaves_out_comes_from_the_stomp_settings(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("pw\n")
        path = toml(
            tmp_path,
            'stomp_user = "all"\nstomp_password_file = "secret"\nstomp_consumer = "mine"\n'
            + self.TABLE
            + '[[broker]]\nurl = "stomp://b:1"\nuser = "own"\nmode = "topic"\ntopics = {"t.s" = "fts.start"}\n',
        )
        first, second = brokers(settings.load(path, {}))
        assert (first.url, first.user, first.consumer, first.mode) == (
            "stomp+ssl://mq.example.org:61612",
            "all",
            "mine",
            "queue",
        )
        assert first.password_file == second.password_file == secret
        assert dict(first.topics) == BROKER_TOPICS
        assert (second.user, second.mode, second.topics) == ("own", "topic", {"t.s": "fts.start"})

    def test_a_secret_that_cannot_be_read_is_said_before_anybody_connects(self, tmp_path: Path) -> None:
        found = settings.load(toml(tmp_path, self.TABLE + 'password_file = "none"\n'), {})
        with pytest.raises(ConfigurationError, match=r"password_file of the broker .* cannot be read"):
            brokers(found)

    def test_without_any_broker_the_setting_is_named(self) -> None:
        with pytest.raises(ConfigurationError, match="TRANSFERSCOPE_STOMP_BROKERS"):
            brokers(settings.load(None, {}))
