"""The best trial so far, where trials of different blocks are compared."""

from collections.abc import Sequence
from statistics import fmean

from sleepsweep.folder.record import TrialRecord


def best_so_far(records: Sequence[TrialRecord]) -> tuple[TrialRecord, float] | None:
    """Return the finished trial of the highest macro-F1, 0–1, adjusted for its block, and that.

    None before one has finished. A block's offset is how far the mean of its first rungs lies from
    that of all blocks: no stopping has thinned these out, while later rungs are of survivors.
    Baselines, which have no policy and no such rungs, do not count.
    """
    records = [record for record in records if record.has_policy]
    finished = [record for record in records if record.state == "done"]
    if not finished:
        return None
    offsets = _offsets(records)
    scores = [r.rows[-1]["macro_f1"] - offsets[r.trial.block] for r in finished]
    place = max(range(len(scores)), key=scores.__getitem__)
    return finished[place], float(scores[place])


def _offsets(records: Sequence[TrialRecord]) -> dict[int, float]:
    first: dict[int, list[float]] = {}
    for record in records:
        if record.rows:
            first.setdefault(record.trial.block, []).append(record.rows[0]["macro_f1"])
    means = {block: fmean(scores) for block, scores in first.items()}
    centre = fmean(means.values())
    return {block: mean - centre for block, mean in means.items()}
