"""How far simulated nights are from real ones, measured on people that calibration did not see.

``python -m sleepsweep.data.simulation.comparison bandpower.parquet`` prints the tables. People are
divided into folds. For each fold the nights are calibrated on the other folds, and as many people
as the fold has are simulated and compared with it. Two real folds differ as well, because people
do: a discrepancy is judged by those between real folds. A classifier is trained on twice as many.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from pathlib import Path

import mne
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from sleepsweep.data.simulation.bouts import bouts_of, night_numbers
from sleepsweep.data.simulation.calibration import (
    FEATURES,
    Calibration,
    read_table,
    scored_epochs,
)
from sleepsweep.data.simulation.layout import BANDS, CHANNELS, EPOCH_S, SFREQ
from sleepsweep.data.simulation.nights import simulate
from sleepsweep.data.simulation.powers import FEWEST
from sleepsweep.data.simulation.spectrum import band_powers
from sleepsweep.errors import UserError
from sleepsweep.metrics import STAGES, confusion, kappa
from sleepsweep.seeds import numpy_generator

FOLDS = 5
TRAINED_ON = 2  # times the people of a fold
NIGHTS = 2
PASS_HZ = (0.5, 30.0)  # the table's filter

Values = NDArray[np.float64]


def folds_of(scored: pd.DataFrame, folds: int = FOLDS) -> list[pd.DataFrame]:
    """Divide scored epochs by subject into folds drawn at random, always the same."""
    subjects = numpy_generator("comparison folds").permutation(scored["subject"].unique())
    return [scored[scored["subject"].isin(subjects[fold::folds])] for fold in range(folds)]


def simulated_table(calibration: Calibration, subjects: int, seed: int) -> pd.DataFrame:
    """Simulate nights and measure them as the real table was: a row an epoch."""
    nights = [
        _measured(calibration, seed, subject, night)
        for subject in range(subjects)
        for night in range(1, NIGHTS + 1)
    ]
    return pd.concat(nights, ignore_index=True)


def _measured(calibration: Calibration, seed: int, subject: int, night: int) -> pd.DataFrame:
    recording = simulate(seed, subject, night, calibration=calibration)
    signals = recording.epochs.transpose(1, 0, 2).reshape(len(CHANNELS), -1).astype(np.float64)
    passed = mne.filter.filter_data(signals, SFREQ, *PASS_HZ, verbose="error")
    powers = [band_powers(channel / channel.std()) for channel in passed]
    table = pd.DataFrame(np.log(np.concatenate(powers, axis=1)), columns=FEATURES)
    onsets = recording.positions * float(EPOCH_S)
    return table.assign(subject=subject, night=night, onset_s=onsets, stage=recording.stages)


def with_level_of(table: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Return the table with each channel's mean power over the bands made that of the reference.

    The bands do not hold all of a signal's variance, and how much they miss is a matter of the
    recorder's slow end and of the estimator; a constant for each channel makes up for it.
    """
    shift = np.log(_whole(reference).mean(axis=0) / _whole(table).mean(axis=0))
    return table.assign(**(table[FEATURES] + np.repeat(shift, len(BANDS))))


def _whole(table: pd.DataFrame) -> Values:
    powers = np.exp(table[FEATURES].to_numpy(dtype=np.float64))
    return np.asarray(powers.reshape(len(table), -1, len(BANDS)).sum(axis=2))


def statistics(scored: pd.DataFrame) -> dict[str, Values]:
    """Return what is compared, by name; medians and sds as logarithms, so that ratios count."""
    stage = scored["stage"].to_numpy(dtype=np.int64)
    powers = scored[FEATURES].to_numpy(dtype=np.float64)
    bouts = bouts_of(scored)
    every = range(len(STAGES))
    medians = [np.median(bouts.length[bouts.whole & (bouts.stage == one)]) for one in every]
    people, nights = _spreads(scored)
    return {
        "stage shares": np.bincount(stage, minlength=len(STAGES)) / len(stage),
        "median bout lengths": np.log(medians),
        "transition matrix": _transitions(scored),
        "band-power means": np.stack([powers[stage == one].mean(axis=0) for one in every]),
        "band-power covariances": np.stack([np.cov(powers[stage == one].T) for one in every]),
        "sd between subjects": np.log(people),
        "sd between nights": np.log(nights),
    }


def discrepancy(one: dict[str, Values], other: dict[str, Values]) -> dict[str, float]:
    """Root mean square difference of each statistic."""
    return {name: float(np.sqrt(np.mean((one[name] - other[name]) ** 2))) for name in one}


def _transitions(scored: pd.DataFrame) -> Values:
    stage = scored["stage"].to_numpy(dtype=np.int64)
    follows = (np.diff(night_numbers(scored)) == 0) & (np.diff(scored["onset_s"]) == EPOCH_S)
    counts = np.zeros((len(STAGES), len(STAGES)))
    np.add.at(counts, (stage[:-1][follows], stage[1:][follows]), 1)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _spreads(scored: pd.DataFrame) -> tuple[Values, Values]:
    """Sd of subjects' means and sd of nights within subjects, each (stage, feature)."""
    groups = scored.groupby(["stage", "subject", "night"])
    nights = groups[FEATURES].mean()[groups.size() >= FEWEST]
    by_person = nights.groupby(level=["stage", "subject"])
    people = by_person.mean().groupby(level="stage").std()
    within = by_person.var().groupby(level="stage").mean()
    return people.to_numpy(), np.sqrt(within.to_numpy())


def linear_kappa(train: pd.DataFrame, test: pd.DataFrame, features: list[str]) -> float:
    """Cohen's κ on `test` of a linear discriminant fitted on `train`."""
    model = LinearDiscriminantAnalysis().fit(train[features], train["stage"])
    predicted = model.predict(test[features])
    return float(kappa(confusion(test["stage"].to_numpy(), predicted)))


def compare(table: pd.DataFrame, processes: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of discrepancies (a row a statistic) and of separability.

    Both are over the folds of `folds_of`; simulating them takes minutes.
    """
    folds = folds_of(scored_epochs(table))
    with ProcessPoolExecutor(processes) as pool:
        made = list(pool.map(_made_like, [folds] * len(folds), range(len(folds))))
    return _discrepancies(folds, made), _separability(folds, made)


def _made_like(folds: list[pd.DataFrame], place: int) -> pd.DataFrame:
    """Simulate the people that stand for a fold, from a calibration on the other folds."""
    others = pd.concat([fold for other, fold in enumerate(folds) if other != place])
    calibration = Calibration.estimate(others)
    people = TRAINED_ON * folds[place]["subject"].nunique()
    return with_level_of(simulated_table(calibration, people, seed=place), others)


def _discrepancies(folds: list[pd.DataFrame], made: list[pd.DataFrame]) -> pd.DataFrame:
    real = [statistics(fold) for fold in folds]
    simulated = [
        statistics(table[table["subject"] < fold["subject"].nunique()])
        for table, fold in zip(made, folds, strict=True)
    ]
    between = pd.DataFrame([discrepancy(one, other) for one, other in combinations(real, 2)])
    found = pd.DataFrame(map(discrepancy, simulated, real))
    return pd.DataFrame(
        {
            "real to real, median": between.median(),
            "real to real, 90th percentile": between.quantile(0.9),
            "simulated to real, median": found.median(),
            "simulated to real, largest": found.max(),
        }
    )


def _separability(folds: list[pd.DataFrame], made: list[pd.DataFrame]) -> pd.DataFrame:
    rows = {}
    for name, features in (("Fpz-Cz", FEATURES[: len(BANDS)]), ("three channels", FEATURES)):
        kappas = [_kappas(folds, made, place, features) for place in range(len(folds))]
        rows[name] = pd.DataFrame(kappas).mean()
    return pd.DataFrame(rows).T


def _kappas(
    folds: list[pd.DataFrame], made: list[pd.DataFrame], place: int, features: list[str]
) -> dict[str, float]:
    real = pd.concat([fold for other, fold in enumerate(folds) if other != place])
    simulated = pd.concat([fold for other, fold in enumerate(made) if other != place])
    return {
        "real → real": linear_kappa(real, folds[place], features),
        "simulated → real": linear_kappa(made[place], folds[place], features),
        "simulated → simulated": linear_kappa(simulated, made[place], features),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m sleepsweep.data.simulation.comparison")
    parser.add_argument("bandpower", type=Path, metavar="BANDPOWER.parquet")
    parser.add_argument("--processes", type=int, default=1, help="how many at once (default: 1)")
    options = parser.parse_args(arguments)
    try:
        discrepancies, separability = compare(read_table(options.bandpower), options.processes)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Discrepancy (root mean square)\n\n{_markdown(discrepancies)}\n")
    print(f"Cohen's κ of a linear discriminant on log band powers\n\n{_markdown(separability)}")
    return 0


def _markdown(table: pd.DataFrame) -> str:
    lines = [["", *table.columns], ["---"] * (len(table.columns) + 1)]
    lines += [[str(name), *(f"{value:.3f}" for value in row)] for name, row in table.iterrows()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
