"""What does a network that was never told a real stage make of a real night?

``python -m benchmarks.real_night`` needs the recordings of UCDDB in ``$SLEEPSWEEP_DATA/ucddb``. It
pretrains an encoder, without labels, on 17 of them and on simulated nights; fits a linear head on
the simulated nights' stages alone; writes the 18th recording, a whole night with all five stages,
as an EDF file; has ``sleepsweep predict`` stage that, and compares with the experts. Beside it: the
same for the model ``ready``, which has never seen anything real, and for band powers with a head
fitted on the same simulated nights. It takes about ten minutes on one core.

The real derivation is central (C3-A2 or C4-A1, 128 Hz), the simulated one Fpz-Cz. Only 018 holds
all stages; the others hold their wake and N3, which pretraining does not know.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from sleepsweep.data.edf.writing import write_hypnogram, write_psg
from sleepsweep.data.npz import npz_files, read_npz
from sleepsweep.data.preparation import prepare
from sleepsweep.data.simulation.layout import EPOCH_S
from sleepsweep.data.simulation.source import SimulatedSource, SimulatedSpec
from sleepsweep.data.source import DataSpec
from sleepsweep.data.store import Store
from sleepsweep.experiment.spec import ExperimentSpec
from sleepsweep.learn.bandpowers import log_band_powers
from sleepsweep.learn.probe import embed_rows
from sleepsweep.learn.staging import Staging
from sleepsweep.metrics import STAGES, accuracy, confusion, kappa
from sleepsweep.model import About, Model, probe_classifier
from sleepsweep.predict import read_night
from sleepsweep.probedrun import ProbedRun
from sleepsweep.spec.specfile import read_study
from sleepsweep.trial import TrialSpec

NIGHT = "ucddb018"
SUBJECTS, SEED = 20, 1  # of simulated people, others than those of the ready model
STEPS = 400
RECIPE = Path(__file__).parent.parent / "search_spaces" / "experiments" / "ready.yaml"
START = datetime(2002, 9, 1, 23, 0)  # made up: the npz file does not tell
WAKE_AND_DEEP = [STAGES.index("W"), STAGES.index("N3")]
Probabilities = NDArray[np.floating]


def write_training_folder(real: Path, folder: Path) -> None:
    """Write the other recordings, and simulated nights beside them, as one folder of npz files."""
    for path in npz_files(real):
        if path.stem != NIGHT:
            (folder / path.name).symlink_to(path.resolve())
    for night in SimulatedSource(SimulatedSpec(subjects=SUBJECTS, seed=SEED)).recordings():
        np.savez(
            folder / f"simulated-{night.subject}.npz", x=night.epochs[:, 0], y=night.stages,
            fs=night.sfreq, ch_label=night.channels[0], subject=night.subject,
        )  # fmt: skip


def write_edf(real: Path, folder: Path) -> tuple[Path, Path, NDArray[np.int8]]:
    """Write the whole night as EDF, and its hypnogram as EDF+; return the stages (epoch,), too.

    Gaps of the npz file are silent and unscored (-1).
    """
    night = read_npz(real / f"{NIGHT}.npz", EPOCH_S)
    count = int(night.positions[-1]) + 1
    signal = np.zeros((count, night.epochs.shape[2]))
    stages = np.full(count, -1, dtype=np.int8)
    signal[night.positions], stages[night.positions] = night.epochs[:, 0], night.stages
    edf, hypnogram = folder / f"{NIGHT}.edf", folder / f"{NIGHT}-stages.edf"
    write_psg(edf, signal.reshape(1, -1), ["EEG C3-A2"], night.sfreq, START)
    write_hypnogram(hypnogram, stages, EPOCH_S, START)
    return edf, hypnogram, stages


def pretrained(store: Store, spec: ExperimentSpec, steps: int) -> Model:
    """Pretrain on everybody without labels, and fit a linear head on the simulated people."""
    simulated = tuple(name for name in store.subjects if name.startswith("SIM"))
    trial = TrialSpec(
        policy=spec.policy, mix_partner=spec.mix_partner, block=0, split=0, seed=0,
        train=store.subjects, labelled=simulated, validation=simulated, encoder=spec.encoder,
        pretrain=spec.pretrain.model_copy(update={"steps": steps}), probe=spec.probe,
        rungs=(steps,), data_hash=store.data_hash,
    )  # fmt: skip
    run = ProbedRun(trial, store)
    run.train(steps)
    encoder, rows = run.pretraining.encoder, store.rows(simulated)
    features = embed_rows(encoder, store.gather, rows)
    classifier = probe_classifier(
        spec.probe.fit(features, store.stages(rows), store.subjects_of(rows))
    )
    assert classifier is not None
    about = About(
        encoder=spec.encoder, classifier=classifier.name, derivations=store.channels,
        sfreq=store.sfreq, epoch_s=EPOCH_S, normalize=spec.data.normalize,
        data_hash=store.data_hash, seen=store.subjects, test=(NIGHT,),
    )  # fmt: skip
    return Model(about, Staging(encoder, classifier).eval())


def band_powers(store: Store, spec: ExperimentSpec) -> Callable[[Any], Probabilities]:
    """Fit the same head on the simulated people's band powers; return it for other epochs."""
    rows = store.rows([name for name in store.subjects if name.startswith("SIM")])
    features = log_band_powers(store.gather(rows), store.sfreq)
    probe = spec.probe.fit(features, store.stages(rows), store.subjects_of(rows))
    return lambda epochs: np.asarray(
        probe.pipeline.predict_proba(log_band_powers(epochs, store.sfreq))
    )


def predicted(model: str, edf: Path, hypnogram: Path, out: Path) -> Probabilities:
    """Run ``sleepsweep predict`` and return the probabilities that its table holds, (epoch, 5)."""
    command = [
        sys.executable, "-m", "sleepsweep", "predict", model, str(edf), "--derivation", "C3-A2",
        "--compare", str(hypnogram), "-o", f"{out}.csv", "-o", f"{out}.html", "-o", f"{out}.png",
    ]  # fmt: skip
    subprocess.run(command, check=True, stdout=sys.stderr)
    return np.asarray(pd.read_csv(f"{out}.csv")[list(STAGES)])


def scores(probabilities: Probabilities, stages: NDArray[np.int8]) -> dict[str, float]:
    """Five-stage scores of the epochs that both know, and those of the choice between W and N3."""
    known = np.isfinite(probabilities).all(axis=1) & (stages >= 0)
    truth, shares = stages[known], probabilities[known]
    five = confusion(truth, shares.argmax(axis=1))
    two = np.isin(truth, WAKE_AND_DEEP)
    choice = np.array(WAKE_AND_DEEP)[shares[two][:, WAKE_AND_DEEP].argmax(axis=1)]
    pair = confusion(truth[two], choice)
    return {
        "epochs": int(known.sum()), "accuracy": accuracy(five), "kappa": kappa(five),
        "W or N3: epochs": int(two.sum()), "W or N3: accuracy": accuracy(pair),
        "W or N3: kappa": kappa(pair),
    }  # fmt: skip


def run(real: Path, out: Path, steps: int) -> dict[str, dict[str, float]]:
    """Return the scores of every model on the night; its files are left in `out`."""
    spec = read_study(ExperimentSpec, RECIPE)
    edf, hypnogram, truth = write_edf(real, out)
    with tempfile.TemporaryDirectory() as folder:
        write_training_folder(real, Path(folder))
        data = DataSpec(source="npz", root=folder, normalize=spec.data.normalize)
        store = prepare(data, cache=out / "store")
    model = pretrained(store, spec, steps)
    model.save(out / "pretrained.safetensors")
    night = read_night(edf, model.about, ["C3-A2"])
    spectral = np.full((night.count, len(STAGES)), np.nan)
    spectral[night.positions] = band_powers(store, spec)(night.epochs)
    found = {
        "pretrained on real and simulated nights": predicted(
            str(out / "pretrained.safetensors"), edf, hypnogram, out / "pretrained"
        ),
        "ready": predicted("ready", edf, hypnogram, out / "ready"),
        "band powers": spectral,
    }
    return {name: scores(probabilities, truth) for name, probabilities in found.items()}


def main() -> None:
    """Run it, and print a table in Markdown and a line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_night")
    parser.add_argument("--out", type=Path, default=Path("runs/real_night"), help="where files go")
    parser.add_argument("--steps", type=int, default=STEPS, help="of pretraining")
    options = parser.parse_args()
    if "SLEEPSWEEP_DATA" not in os.environ:
        parser.exit(2, "set SLEEPSWEEP_DATA to the folder that holds ucddb\n")
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    found = run(Path(os.environ["SLEEPSWEEP_DATA"]) / "ucddb", options.out, options.steps)
    names = list(next(iter(found.values())))
    print(f"| | {' | '.join(names)} |\n|{' --- |' * (len(names) + 1)}")
    for model, values in found.items():
        cells = (f"{v:,}" if isinstance(v, int) else f"{v:.3f}" for v in values.values())
        print(f"| {model} | {' | '.join(cells)} |")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
