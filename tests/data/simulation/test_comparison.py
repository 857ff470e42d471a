"""The comparison of simulated with real nights, and what it finds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sleepsweep.data.simulation.calibration import FEATURES, committed, read_table, scored_epochs
from sleepsweep.data.simulation.comparison import (
    FOLDS,
    NIGHTS,
    compare,
    discrepancy,
    folds_of,
    linear_kappa,
    main,
    simulated_table,
    statistics,
    with_level_of,
)

LARGEST_KAPPA_GAP = 0.06
LEAST_KAPPA = {"Fpz-Cz": 0.53, "three channels": 0.60}


def drawn(subjects: int, seed: int) -> pd.DataFrame:
    """A table of log powers drawn from the calibration, without making signals of them."""
    model, frames = committed(), []
    for subject in range(subjects):
        generator = np.random.default_rng([seed, subject])
        person = model.hypnogram.person(generator)
        offsets = model.powers.draw_person(generator)
        for night in (1, 2):
            stages = model.hypnogram.draw(person, generator)
            powers = model.powers.draw(stages, offsets, generator)
            frame = pd.DataFrame(powers, columns=FEATURES).assign(stage=stages)
            onsets = 30.0 * np.arange(len(stages))
            frames.append(frame.assign(subject=subject, night=night, onset_s=onsets))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return drawn(10, seed=0)


def test_folds_hold_every_subject_once(table: pd.DataFrame) -> None:
    folds = folds_of(table)
    subjects = [set(fold["subject"]) for fold in folds]
    assert len(folds) == FOLDS
    assert set.union(*subjects) == set(range(10))
    assert sum(map(len, subjects)) == 10


def test_a_table_does_not_differ_from_itself(table: pd.DataFrame) -> None:
    found = statistics(table)
    assert set(discrepancy(found, found).values()) == {0.0}


@pytest.mark.parametrize(
    ("changed", "statistic"),
    [
        ({FEATURES[3]: 1.0}, "band-power means"),
        ({FEATURES[3]: 3.0}, "band-power covariances"),
        ({"stage": 2}, "stage shares"),
    ],
)
def test_what_is_changed_is_seen(
    table: pd.DataFrame, changed: dict[str, float], statistic: str
) -> None:
    other = table.copy()
    for column, value in changed.items():
        if column == "stage":
            half = (other["stage"] == 4) & (other["onset_s"] % 600 < 300)
            other.loc[half, "stage"] = int(value)
        elif statistic.endswith("covariances"):
            other[column] *= value
        else:
            other[column] += value
    found = discrepancy(statistics(table), statistics(other))
    assert found[statistic] > 0.05


def test_the_level_is_that_of_the_reference(table: pd.DataFrame) -> None:
    louder = table.assign(**(table[FEATURES] + 1.3))
    np.testing.assert_allclose(with_level_of(louder, table)[FEATURES], table[FEATURES], atol=1e-9)


def test_kappa_of_a_classifier(table: pd.DataFrame) -> None:
    other = drawn(10, seed=1)
    assert 0.4 < linear_kappa(table, other, FEATURES[:5]) < 0.7
    shuffled = other.assign(stage=np.random.default_rng(0).permutation(other["stage"]))
    assert abs(linear_kappa(shuffled, other, FEATURES[:5])) < 0.05


def test_signals_have_the_powers_that_were_drawn() -> None:
    found = simulated_table(committed(), subjects=1, seed=0)
    assert found.groupby(["subject", "night"]).ngroups == NIGHTS
    means = found.groupby("stage")[FEATURES].mean().to_numpy()
    # Within a channel: levels are the recording's gain, and two nights are few.
    shape = means - means.mean(axis=1, keepdims=True)
    wanted = committed().powers.mean - committed().powers.mean.mean(axis=1, keepdims=True)
    assert np.corrcoef(shape.ravel(), wanted.ravel())[0, 1] > 0.9


def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "missing.parquet")]) == 2
    assert "not a table of band powers" in capsys.readouterr().err


@pytest.mark.study
@pytest.mark.timeout(3000)
def test_simulated_nights_are_as_close_to_real_ones_as_real_ones_are(shared_data: Path) -> None:
    table = read_table(shared_data / "sleep-edf/bandpower.parquet")
    assert scored_epochs(table)["subject"].nunique() == 65
    discrepancies, separability = compare(table, processes=2)
    print(discrepancies, separability)
    allowed = discrepancies["real to real, 90th percentile"]
    assert (discrepancies["simulated to real, median"] <= allowed).all()
    for name, least in LEAST_KAPPA.items():
        found = separability.loc[name]
        assert found["simulated → real"] >= least
        assert abs(found["simulated → simulated"] - found["real → real"]) <= LARGEST_KAPPA_GAP
