"""Sleep-EDF Expanded: ``SC4ssNEO-PSG.edf`` and ``ST7ssNEO-PSG.edf`` with their hypnograms.

Simulated nights are written in the same way, as ``SIMsssN…``.
ss is the subject, N the night, and the letter before ``-Hypnogram`` the scorer. Kemp et al. 2000,
IEEE Trans. Biomed. Eng. 47(9):1185–1194; https://physionet.org/content/sleep-edfx/1.0.0/
"""

from pathlib import Path

from sleepsweep.data.edf.described import DescribedSource
from sleepsweep.data.edf.description import Description, HypnogramFileSpec

DERIVATION = "EEG Fpz-Cz"
RECORDINGS = "**/*-PSG.edf"
SLEEP_EDF = Description(
    recordings=RECORDINGS,
    # Cassette (SC4) and telemetry (ST7) number their subjects alike; the study keeps them apart.
    person=r"(?P<name>(?P<subject>(SC4|ST7|SIM\d)\d\d)(?P<night>\d)[A-Z])[A-Z0-9]-PSG\.edf$",
    derivations=(DERIVATION,),
    hypnogram=HypnogramFileSpec(file="{folder}/{name}?-Hypnogram.edf"),
)


def sleep_edf_source(
    root: Path, epoch_s: float = 30.0, derivations: tuple[str, ...] = ()
) -> DescribedSource:
    """Return the source of a folder of Sleep-EDF, or of the tree as PhysioNet arranges it.

    Subjects are ``SC4ss`` and ``ST7ss``; R&K's 3 and 4 are N3, movement and ``?`` unscored.
    """
    return DescribedSource(root, SLEEP_EDF.model_copy(update={"epoch_s": epoch_s}), derivations)


def holds_sleep_edf(folder: Path) -> bool:
    """Whether `folder` holds recordings named as Sleep-EDF's, at any depth."""
    return folder.is_dir() and any(folder.glob(RECORDINGS))
