"""The ready model, which comes with the package: a file of weights and its card.

It is made by ``sleepsweep train search_spaces/experiments/ready.yaml``; what it is worth, and what
not, is in ``CARD.md`` beside it.
"""

from pathlib import Path

READY = "ready"
"""What the ready model is called where a model is asked for."""

READY_MODEL = Path(__file__).parent / "ready.safetensors"
READY_CARD = Path(__file__).parent / "CARD.md"
