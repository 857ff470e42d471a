"""Simulated nights as files: EDF recordings with EDF+ hypnograms, as Sleep-EDF's are."""

from datetime import datetime, timedelta
from pathlib import Path

from sleepsweep.data.atomic import written_beside
from sleepsweep.data.edf.writing import write_hypnogram, write_psg
from sleepsweep.data.recording import Recording
from sleepsweep.data.simulation.layout import CHANNELS, EPOCH_S
from sleepsweep.data.simulation.nights import simulate
from sleepsweep.data.simulation.source import SimulatedSpec
from sleepsweep.errors import UserError
from sleepsweep.progress import Progress, silent

LABELS = {"Fpz-Cz": "EEG Fpz-Cz", "Pz-Oz": "EEG Pz-Oz", "horizontal": "EOG horizontal"}
FIRST_NIGHT = datetime(2001, 1, 1, 22, 30)


def write_nights(spec: SimulatedSpec, out: Path, progress: Progress = silent) -> list[Path]:
    """Write every night of `spec` into the new folder `out`; return the paths of the files.

    Files are named ``SIMsssNE0-PSG.edf`` and ``SIMsssNEC-Hypnogram.edf``, sss the subject and N the
    night, and hold all of `CHANNELS` in µV; N3 is written as stage 3. The folder appears whole or
    not at all. `progress` is told (nights done, nights in all, what comes next). Raises `UserError`
    when `out` exists or cannot be written.
    """
    if out.exists():
        raise UserError(f"{out}: exists. Give a folder that does not exist yet, or delete it.")
    nights = [(who, n) for who in range(spec.subjects) for n in range(1, spec.nights + 1)]
    with written_beside(out.resolve()) as folder:
        for done, (subject, night) in enumerate(nights):
            progress(done, len(nights), f"subject {subject}, night {night}")
            _write(simulate(spec.seed, subject, night), folder)
    return sorted(out.glob("*.edf"))


def _write(recording: Recording, folder: Path) -> None:
    stem = f"{recording.subject}{recording.night}E"
    start = FIRST_NIGHT + timedelta(days=recording.night - 1)
    signals = recording.epochs.transpose(1, 0, 2).reshape(len(CHANNELS), -1)
    labels = [LABELS[channel] for channel in recording.channels]
    write_psg(folder / f"{stem}0-PSG.edf", signals, labels, recording.sfreq, start)
    write_hypnogram(folder / f"{stem}C-Hypnogram.edf", recording.stages, EPOCH_S, start)
