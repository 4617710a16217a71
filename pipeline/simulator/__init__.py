"""A seeded generator of FTS traffic with known truth. Start with ``simulation.simulate``."""

from pipeline.simulator.mix import CLEAN, Mix
from pipeline.simulator.record import write_jsonl
from pipeline.simulator.simulation import SimMessage, Simulation, simulate
from pipeline.simulator.truth import Truth

__all__ = ["CLEAN", "Mix", "SimMessage", "Simulation", "Truth", "simulate", "write_jsonl"]
