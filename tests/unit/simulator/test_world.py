"""The simulated world: real hosts, few busy links, hosts that messages spell in many ways."""

from __future__ import annotations

from collections import Counter
from random import Random

from pipeline.simulator.spelling import spell_host
from pipeline.simulator.world import ACTIVITIES, make_world
from tests.support.oracle_messages import host_of_url


def test_a_few_links_carry_most_files() -> None:
    rng = Random(1)
    world = make_world(rng)
    picked = Counter(world.pick(rng) for _ in range(20_000))
    busiest = sum(number for _, number in picked.most_common(len(world.links) // 20))
    assert len(world.links) > 500
    assert busiest > 10_000


def test_more_links_are_asked_for_than_real_hosts_have() -> None:
    few, many = make_world(Random(1)), make_world(Random(1), 20_000)
    assert make_world(Random(1), 50) == few
    assert 20_000 <= len(many.links) < 21_000
    assert len(set(many.links)) == len(many.links)
    assert {link.vo for link in many.links} == set(ACTIVITIES)
    hosts = {link.src.name for link in few.links}
    assert {link.src.name for link in many.links} >= hosts


def test_the_seed_chooses_which_links_are_busy() -> None:
    def busiest(seed: int) -> object:
        rng = Random(seed)
        world = make_world(rng)
        return Counter(world.pick(rng) for _ in range(2000)).most_common(1)[0][0]

    assert len({busiest(seed) for seed in range(5)}) > 1


def test_all_experiments_move_data_between_different_hosts_with_their_own_instances() -> None:
    world = make_world(Random(1))
    assert {link.vo for link in world.links} == set(ACTIVITIES)
    assert all(link.src.name != link.dst.name for link in world.links)
    assert {link.instances[0] for link in world.links} == {
        "fts3-atlas.cern.ch",
        "fts3-cms.cern.ch",
        "fts3-lhcb.cern.ch",
        "fts3.cern.ch",
        "lcgfts3.gridpp.rl.ac.uk",
    }


def test_every_spelling_of_a_host_means_it_or_is_unknown() -> None:
    rng = Random(1)
    spellings = {spell_host(rng, "se.x.org") for _ in range(5000)}
    assert ("se.x.org", "se.x.org") in spellings
    assert ("invalid hostname", "unknown") in spellings
    assert ("", "se.x.org") in spellings
    assert len(spellings) == 6
    for spelled, meant in spellings:
        if spelled not in ("", "invalid hostname"):
            assert host_of_url(spelled) == meant == "se.x.org"
