"""A seeded generator of traffic with known truth. Start with ``simulation.simulate``."""

from pipeline.simulator.mix import ALL, CLEAN, Mix
from pipeline.simulator.record import write_jsonl
from pipeline.simulator.simulation import SimMessage, Simulation, simulate
from pipeline.simulator.truth import Truth

__all__ = ["ALL", "CLEAN", "Mix", "SimMessage", "Simulation", "Truth", "simulate", "write_jsonl"]
