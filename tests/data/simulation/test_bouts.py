"""Bouts: found by eye in a short night, and cut where epochs are missing."""

import numpy as np
import pandas as pd

from sleepsweep.data.simulation.bouts import bouts_of, night_numbers


def table(nights: list[tuple[int, int, list[int], list[int]]]) -> pd.DataFrame:
    """Rows of (subject, night, positions, stages)."""
    frames = [
        pd.DataFrame({"onset_s": 30.0 * np.array(places), "stage": stages}).assign(
            subject=subject, night=night
        )
        for subject, night, places, stages in nights
    ]
    return pd.concat(frames, ignore_index=True)


def test_bouts_of_one_night() -> None:
    bouts = bouts_of(table([(0, 1, list(range(8)), [0, 0, 1, 2, 2, 2, 4, 0])]))
    assert bouts.stage.tolist() == [0, 1, 2, 4, 0]
    assert bouts.length.tolist() == [2, 1, 3, 1, 1]
    assert bouts.start.tolist() == [-2, 0, 1, 4, 5]
    assert bouts.whole.tolist() == [False, True, True, True, False]
    assert bouts.followed.tolist() == [0, 1, 2, 3]


def test_a_gap_ends_a_bout_whose_length_is_then_unknown() -> None:
    bouts = bouts_of(table([(0, 1, [0, 1, 2, 5, 6, 7], [1, 2, 2, 2, 2, 0])]))
    assert bouts.stage.tolist() == [1, 2, 2, 0]
    assert bouts.length.tolist() == [1, 2, 2, 1]
    assert bouts.whole.tolist() == [False, False, False, False]
    assert bouts.followed.tolist() == [0, 2]


def test_nights_do_not_run_into_each_other() -> None:
    nights = table([(0, 1, [0, 1], [2, 2]), (0, 2, [2, 3], [2, 2]), (1, 1, [0, 1], [0, 0])])
    bouts = bouts_of(nights)
    assert night_numbers(nights).tolist() == [0, 0, 1, 1, 2, 2]
    assert bouts.night.tolist() == [0, 1, 2]
    assert bouts.length.tolist() == [2, 2, 2]
    assert bouts.start.tolist() == [0, 0, 0]  # the night without sleep begins with itself
    assert bouts.followed.size == 0
