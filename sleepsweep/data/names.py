"""What names tell: who slept in which night, and which derivation is meant."""

import re
from pathlib import PurePath

# Names that tell nights of one person: Sleep-EDF's (SC4ssN…, ST7ssN…), those of simulated nights
# (SIMsssN and a letter, as four digits alone may well number people) and BIDS's (sub-ss_ses-N…).
# They are spelt one way, as one person in two spellings would be two subjects. Sleep-EDF's two
# studies number their subjects alike, so the study stays part of the subject.
TELLING_NAMES = (
    (
        re.compile(
            r"(?<![a-z0-9])(?P<subject>sc4\d\d|st7\d\d|sim\d{3}(?=\d[a-z]))(?P<night>\d)", re.I
        ),
        str.upper,
    ),
    (re.compile(r"(?P<subject>sub-[a-z0-9]+)(_ses-0*(?P<night>\d+))?", re.I), str.lower),
)
PADDING = " \t\0"
NIGHT = re.compile(
    r"(?<=[a-z0-9])[ ._-]+(n|night|ses|session|visit|day|rec|recording)[ ._-]*\d+$", re.IGNORECASE
)
KIND = re.compile(r"^(EEG|EOG|EMG|ECG)[ _-]+(?=.)", re.IGNORECASE)


def bare_label(label: str) -> str:
    """Return a derivation's label without its kind, in lower case: two that agree are the same."""
    return KIND.sub("", label.strip(PADDING)).strip(PADDING).lower()


def whose(subject: str) -> str:
    """Return what names of one person have in common, in whatever case and of whatever night.

    ``P01``, ``p01`` and ``P01_night2`` may well be one person, and would be three subjects.
    """
    return NIGHT.sub("", subject.strip()).casefold()


def person_of(name: str) -> tuple[str, int] | None:
    """Return subject and night of a file name, or ``None`` where it does not tell."""
    stem = PurePath(name).stem
    for pattern, spelt in TELLING_NAMES:
        found = pattern.search(stem)
        if found:
            return spelt(found["subject"]), int(found["night"] or 1)
    return None
