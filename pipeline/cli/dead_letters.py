"""``dead-letters``: what could not be used, one by one, and once more after a fix."""

from __future__ import annotations

import base64
import sys
import time
from collections import Counter
from contextlib import closing
from typing import Any

import click

from pipeline.batches import batches
from pipeline.cli.audited import audited, note
from pipeline.cli.errors import ANSWER_IS_NO, CommandError
from pipeline.cli.options import json_option, with_settings
from pipeline.cli.output import say, write, write_json
from pipeline.cli.progress import Progress
from pipeline.cli.settings import Settings
from pipeline.cli.terminal import safe
from pipeline.cli.user_key import user_key
from pipeline.ingest import Ingest
from pipeline.ingest.again import try_again
from pipeline.store.audit import DONE
from pipeline.store.dead_letters import DeadLetter, DeadLetters
from pipeline.store.queries.answer import answer
from pipeline.store.queries.instants import to_datetime
from pipeline.store.queries.question import Condition, Question
from pipeline.store.queries.reports import DEAD_LETTERS
from pipeline.store.session import connect
from pipeline.units import human
from schemas.deadletters import REASONS

DEFAULT_LIMIT = 100

reason_option = click.option("--reason", type=click.Choice(list(REASONS)), metavar="R", help="Only those of a reason.")


@click.group("dead-letters")
def dead_letters() -> None:
    """Messages that could not be used: list them, look at one, try them again after a fix.

    \b
    Examples:
      transferscope dead-letters list --reason not_json
      transferscope dead-letters show 17
      transferscope dead-letters replay --reason bad_time
    """


@dead_letters.command("list")
@reason_option
@click.option("--all", "everything", is_flag=True, help="Also those that were replayed since.")
@click.option("--limit", type=click.IntRange(0), default=DEFAULT_LIMIT, show_default=True, help="Most rows; 0 for all.")
@json_option
@with_settings
def list_(settings: Settings, /, reason: str | None, everything: bool, limit: int, as_json: bool) -> None:
    """List dead letters, the newest first.

    \b
    Example: transferscope dead-letters list --reason unknown_state --json
    """
    where = [] if everything else [Condition("replayed_at", "=", None)]
    if reason is not None:
        where.append(Condition("reason", "=", reason))
    question = Question(
        report=DEAD_LETTERS, now_ms=time.time_ns() // 1_000_000, where=tuple(where), limit=limit or None
    )
    with closing(connect(settings.need("database_url"))) as connection:
        found = answer(connection, question)
        names = [column.name for column in found.columns]
        shown = range(len(names)) if as_json else [names.index(name) for name in DEAD_LETTERS.screen]
        with closing(found.rows):
            rows = ([row[i] for i in shown] for row in found.rows)
            write("json" if as_json else "table", [found.columns[i] for i in shown], rows)
    if found.has_more:
        say("there are more: --limit 0 gives all")


@dead_letters.command()
@click.argument("id", type=click.IntRange(1))
@click.option("--body", "only_body", is_flag=True, help="The bytes of the body alone, as they came.")
@json_option
@with_settings
def show(settings: Settings, /, id: int, only_body: bool, as_json: bool) -> None:
    """Show a dead letter whole: reason, headers, body.

    \b
    Examples:
      transferscope dead-letters show 17
      transferscope dead-letters show 17 --body > message.json
    """
    with closing(DeadLetters(settings.need("database_url"))) as letters:
        found = letters.load([id])
    note(settings.need("database_url"), "read dead letter", str(id), DONE if found else "failed: there is none")
    if not found:
        raise CommandError(f"there is no dead letter {id}: transferscope dead-letters list --all shows those there are")
    if only_body and found[0].emptied_at is not None:
        raise CommandError(_gone(found[0]))
    if only_body:
        sys.stdout.buffer.write(found[0].message.body)
    elif as_json:
        write_json(_document(found[0]))
    else:
        _print(found[0])


@dead_letters.command()
@reason_option
@json_option
@with_settings
def replay(settings: Settings, /, reason: str | None, as_json: bool) -> None:
    """Try dead letters again, with their own headers and receipt time, as if they had come on time.

    Those that are stored now are marked as replayed; the others stay, with the reason of this try, and the exit code
    is 1. Those that were too large are left out, as their bodies are not whole, and those that are older than
    retention_days, as their bodies are gone.

    \b
    Example: transferscope dead-letters replay --reason bad_time
    """
    url = settings.need("database_url")
    replayed, died = 0, Counter[str]()
    with (
        audited(url, "replay dead letters", reason or "all reasons"),
        closing(DeadLetters(url)) as letters,
        closing(Ingest(url, settings.retention_days, user_key=user_key(settings))) as ingest,
    ):
        waiting, emptied = letters.waiting(reason), letters.emptied(reason)
        with Progress("replaying", "dead letters", len(waiting)) as progress:
            for batch in batches(waiting, lambda item: item[1]):
                tried = try_again(letters, ingest, [number for number, _ in batch])
                replayed += tried.replayed
                died.update(one.reason for one in tried.died_again)
                progress.advance(len(batch))
    if as_json:
        told = {"tried": len(waiting), "replayed": replayed, "died_again": dict(sorted(died.items()))}
        write_json({**told, "emptied": emptied})
    else:
        again = "".join(f", {number} {name}" for name, number in sorted(died.items()))
        print(f"{len(waiting)} tried, {replayed} replayed, {died.total()} dead again{again}")
        if emptied:
            say(f"{emptied} more cannot be tried: their bodies were removed when they were older than retention_days")
    if died:
        raise click.exceptions.Exit(ANSWER_IS_NO)


def _gone(letter: DeadLetter) -> str:
    removed = human(letter.emptied_at, "time")
    return (
        f"the body of dead letter {letter.id} is gone: headers, body and detail were removed on {removed}, when it was"
        f" older than retention_days; {letter.message.ref or 'its source'} may still have it"
    )


def _document(letter: DeadLetter) -> dict[str, Any]:
    message = letter.message
    body: dict[str, str | None]
    try:
        body = {"body": None if letter.emptied_at else message.body.decode()}
    except UnicodeDecodeError:
        body = {"body_base64": base64.b64encode(message.body).decode()}
    return {
        "id": letter.id,
        "topic": message.topic,
        "kind": message.kind,
        "reason": letter.reason,
        "detail": letter.detail,
        "received": message.received_ms,
        "died_at": letter.died_at,
        "replayed_at": letter.replayed_at,
        "emptied_at": letter.emptied_at,
        "ref": message.ref,
        "headers": message.headers,
        **body,
    }


def _print(letter: DeadLetter) -> None:
    message = letter.message
    lines = {
        "dead letter": letter.id,
        "reason": f"{letter.reason}: {letter.detail}" if letter.detail else letter.reason,
        "topic": f"{message.topic} ({message.kind})",
        "received": None if message.received_ms is None else to_datetime(message.received_ms),
        "died": letter.died_at,
        "replayed": letter.replayed_at,
        "read from": message.ref,
        **{f"header {name}": text for name, text in sorted(message.headers.items())},
        "body": human(len(message.body), "bytes") if letter.emptied_at is None else "gone",
    }
    width = max(len(name) for name in lines)
    for name, value in lines.items():
        print(f"{safe(name).ljust(width)}  {safe(human(value, 'text'))}")
    if letter.emptied_at is not None:
        say(_gone(letter))
        return
    print(safe(message.body.decode("utf-8", "backslashreplace"), keep="\n\t"))
