"""What the YAML of a sweep and that of a single experiment have in common."""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from sleepsweep.data.source import DataSpec
from sleepsweep.data.split import SplitSpec
from sleepsweep.learn.encoderspec import EncoderSpec
from sleepsweep.learn.pretrainspec import PretrainSpec
from sleepsweep.learn.probespec import ProbeSpec
from sleepsweep.part import PartSpec
from sleepsweep.spec.sections import TrackingSpec


def _is_a_name(name: str) -> str:
    # It becomes a folder, an experiment of MLflow's and a job.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise ValueError(
            f"{name!r} is no name: 1 to 64 of the letters A to Z, digits, dots, hyphens and "
            "underscores, the first a letter or a digit"
        )
    return name


class StudySpec(PartSpec):
    """A validated YAML: its name, its recordings, who is tested on, the network and the probe.

    `elsewhere` maps keys that belong to another kind of YAML to what is to be said of them.
    """

    what: ClassVar[str] = ""
    elsewhere: ClassVar[Mapping[str, str]] = {}

    name: Annotated[str, AfterValidator(_is_a_name)]
    """The folder ``runs/NAME``, and the experiment of MLflow's."""
    question: str = ""
    """What is asked, in a sentence: it is printed on the report."""
    preset: str | None = None
    """Which of the file's ``presets`` is taken; ``--preset`` takes another."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of weights, batches, views and draws; who is trained on is drawn by ``split.seed``."""
    data: DataSpec = DataSpec()
    """Which recordings, and how they are prepared."""
    split: SplitSpec = SplitSpec()
    """Who is trained on, validated on and tested on."""
    encoder: EncoderSpec = EncoderSpec()
    """The network that is kept."""
    pretrain: PretrainSpec = PretrainSpec()
    """Contrastive pretraining: the loss, the batches, the steps."""
    probe: ProbeSpec = ProbeSpec()
    """What reads the sleep stages from the frozen encoder."""
    tracking: TrackingSpec = TrackingSpec()
    """Where the record is kept besides the folder."""
