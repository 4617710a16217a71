"""The id of a batch: places in Kafka that bridge and worker both know."""

from __future__ import annotations

from consumers.kafka.places import batch_id, place_of


def test_a_batch_is_named_by_the_first_and_last_offset_of_each_partition() -> None:
    places = [("t", 10, 3), ("t", 2, 7), ("t", 10, 1), ("s.x-y", 0, 5), ("t", 10, 2)]
    assert batch_id(places) == "s.x-y-0:5-5 t-2:7-7 t-10:1-3"
    assert batch_id([]) == ""


def test_a_reference_says_where_a_message_is() -> None:
    assert place_of("fts.transfer-3-17") == ("fts.transfer", 3, 17)
    assert place_of("dead-letters-0-1") == ("dead-letters", 0, 1)
