"""Frames out of a stream, compared with stomp.py's own parser."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stomp.utils import parse_frame

from consumers.stomp.frames import MAX_HEAD_BYTES, Delivery, NotStomp, Splitter

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
HEADERS = st.dictionaries(TEXT.filter(lambda name: name not in ("", "content-length")), TEXT, max_size=5)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace(":", "\\c")


def frame(command: str, headers: dict[str, str], body: bytes, end: str = "\n", with_length: bool = True) -> bytes:
    length = {"content-length": str(len(body))} if with_length else {}
    lines = [command, *(f"{escaped(name)}:{escaped(value)}" for name, value in (headers | length).items()), "", ""]
    return end.join(lines).encode() + body + b"\0"


def split(stream: bytes, cuts: list[int]) -> tuple[list[Delivery], bytes]:
    splitter, messages, others = Splitter(), [], b""
    borders = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for begin, end in pairwise(borders):
        found = splitter.feed(stream[begin:end])
        messages += found.messages
        others += found.others
    return messages, others


@given(
    st.lists(st.tuples(HEADERS, st.binary(max_size=200)), max_size=6),
    st.lists(st.integers(min_value=0), max_size=20),
    st.sampled_from(["\n", "\r\n"]),
)
def test_messages_come_out_whole_wherever_the_stream_is_cut(
    sent: list[tuple[dict[str, str], bytes]], cuts: list[int], end: str
) -> None:
    stream = b"\n".join(frame("MESSAGE", headers, body, end) for headers, body in sent)
    messages, others = split(stream, cuts)
    assert others == b""
    assert [message.body for message in messages] == [body for _, body in sent]
    for message, (headers, _) in zip(messages, sent, strict=True):
        told = {name: value.decode() for name, value in message.headers.items() if name != "content-length"}
        assert told == headers


@given(HEADERS, st.binary(max_size=200))
def test_a_message_is_what_stomp_py_makes_of_it(headers: dict[str, str], body: bytes) -> None:
    raw = frame("MESSAGE", headers, body)
    (message,) = Splitter().feed(raw).messages
    theirs = parse_frame(raw[:-1])
    assert message.body == theirs.body
    assert {name: value.decode() for name, value in message.headers.items()} == theirs.headers


@given(st.lists(st.sampled_from(["MESSAGE", "RECEIPT", "ERROR"]), max_size=8), st.lists(st.integers(0), max_size=9))
def test_other_frames_are_handed_on_untouched(commands: list[str], cuts: list[int]) -> None:
    frames = [frame(command, {"n": str(number)}, b"\0{}\0") for number, command in enumerate(commands)]
    messages, others = split(b"".join(frames), cuts)
    assert others == b"".join(raw for raw, command in zip(frames, commands, strict=True) if command != "MESSAGE")
    assert len(messages) == commands.count("MESSAGE")


def test_without_a_length_a_body_ends_at_the_first_nul() -> None:
    pieces = [frame("MESSAGE", {"a": "b"}, b"{}" * 9, with_length=False)[:-1], b" ", b"\0\n\n"]
    splitter = Splitter()
    assert [m.body for piece in pieces for m in splitter.feed(piece).messages] == [b"{}" * 9 + b" "]


def test_of_a_repeated_header_the_first_counts() -> None:
    (message,) = Splitter().feed(b"MESSAGE\na:1\na:2\n\n\0").messages
    assert message.headers == {"a": b"1"}


def test_a_header_value_that_is_not_text_is_kept_as_it_is() -> None:
    (message,) = Splitter().feed(b"MESSAGE\na:\xff\xfe\n\n\0").messages
    assert message.headers == {"a": b"\xff\xfe"}


def test_heartbeats_between_frames_are_no_frames() -> None:
    splitter = Splitter()
    assert splitter.feed(b"\n\n\r\n") == ([], b"")
    assert splitter.feed(b"\n" + frame("RECEIPT", {"receipt-id": "1"}, b"")).others.startswith(b"RECEIPT\n")


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"9" * 16, b"", b"1_0"])
def test_a_length_that_is_no_number_ends_the_connection(length: bytes) -> None:
    with pytest.raises(NotStomp, match="content-length"):
        Splitter().feed(b"MESSAGE\ncontent-length:" + length + b"\n\n\0")


def test_somebody_who_does_not_speak_stomp_is_not_listened_to_for_ever() -> None:
    splitter = Splitter()
    splitter.feed(b"x" * MAX_HEAD_BYTES)
    with pytest.raises(NotStomp):
        splitter.feed(b"x")


def test_a_large_body_in_small_pieces_is_put_together_once() -> None:
    body = bytes(range(256)) * 20_000  # 5 MB with NULs everywhere: rescanning each piece would take minutes
    messages, _ = split(frame("MESSAGE", {}, body), list(range(0, len(body), 1024)))
    assert [message.body for message in messages] == [body]
