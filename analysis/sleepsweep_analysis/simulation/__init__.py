"""Sweeps with planted truth: does the analysis find what is there, and stay silent elsewhere?

``python -m sleepsweep_analysis.simulation`` prints the table of the documentation.
"""

from sleepsweep_analysis.simulation.noise import PublishedNoise
from sleepsweep_analysis.simulation.sweeps import simulate
from sleepsweep_analysis.simulation.world import CATEGORIES, World, make_world, without_effects

__all__ = ["CATEGORIES", "PublishedNoise", "World", "make_world", "simulate", "without_effects"]
