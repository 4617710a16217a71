"""The ledger: what Kafka may be told, and when it has been told."""

from __future__ import annotations

from consumers.worker.ledger import Ledger

P0, P1 = ("fts.transfer", 0), ("fts.transfer", 1)


def test_what_is_stored_is_untold_until_it_is_told() -> None:
    ledger = Ledger()
    ledger.store({P0: 10, P1: 4})
    assert ledger.untold() == {P0: 10, P1: 4}
    ledger.tell({P0: 10})
    assert ledger.untold() == {P1: 4}
    ledger.store({P0: 12})
    assert ledger.untold() == {P0: 12, P1: 4}


def test_what_was_stored_while_kafka_was_told_is_still_untold() -> None:
    ledger = Ledger()
    ledger.store({P0: 10})
    telling = ledger.untold()
    ledger.store({P0: 20})
    ledger.tell(telling)
    assert ledger.untold() == {P0: 20}


def test_partitions_that_are_given_out_anew_are_forgotten() -> None:
    ledger = Ledger()
    ledger.store({P0: 10})
    ledger.forget()
    assert ledger.untold() == {}
    ledger.store({P0: 10})
    assert ledger.untold() == {P0: 10}
