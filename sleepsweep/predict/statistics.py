"""The usual statistics of a hypnogram.

Defined as in the AASM Manual for the Scoring of Sleep (Iber et al. 2007; Berry et al. 2020), but
counted from the recording's start to its end, as nobody says when the lights went off and on, and
with the wake after the last sleep left out of WASO. An epoch of unknown stage counts as time and
as nothing else.
"""

import numpy as np
from numpy.typing import ArrayLike

from sleepsweep.metrics import STAGES

R = STAGES.index("R")
UNITS = {
    "recorded": "min", "sleep_time": "min", "sleep_efficiency": "%", "sleep_onset_latency": "min",
    "waso": "min", "rem_latency": "min",
    **{f"minutes.{stage}": "min" for stage in STAGES},
    **{f"percent.{stage}": "%" for stage in STAGES[1:]},
}  # fmt: skip
"""Every statistic, and its unit."""


def sleep_statistics(stages: ArrayLike, epoch_s: float) -> dict[str, float]:
    """Return the statistics of stages (epoch,), 0–4 and negative where unknown, by name.

    `recorded` is the time of all epochs, `sleep_time` (TST) that asleep, `sleep_efficiency` its
    share of `recorded`, `sleep_onset_latency` the time before the first epoch asleep, `waso` the
    wake between that and the last one, `rem_latency` the time from sleep onset to the first R;
    ``minutes.N2`` is the time in a stage, ``percent.N2`` its share of the sleep time. NaN without
    any sleep (`rem_latency`: without R; `sleep_efficiency`: without any known stage) where that
    leaves nothing to tell.
    """
    found, minutes = np.asarray(stages), epoch_s / 60
    asleep, rem = np.flatnonzero(found > 0), np.flatnonzero(found == R)
    nan = float("nan")
    onset, end = (asleep[0], asleep[-1]) if len(asleep) else (0, -1)
    wake_between = int(np.sum(found[onset : end + 1] == 0))
    counts = {stage: int(np.sum(found == code)) for code, stage in enumerate(STAGES)}
    return {
        "recorded": len(found) * minutes,
        "sleep_time": len(asleep) * minutes,
        "sleep_efficiency": 100 * len(asleep) / len(found) if any(counts.values()) else nan,
        "sleep_onset_latency": onset * minutes if len(asleep) else nan,
        "waso": wake_between * minutes if len(asleep) else nan,
        "rem_latency": (rem[0] - onset) * minutes if len(rem) else nan,
        **{f"minutes.{stage}": count * minutes for stage, count in counts.items()},
        **{
            f"percent.{stage}": 100 * counts[stage] / len(asleep) if len(asleep) else nan
            for stage in STAGES[1:]
        },
    }
