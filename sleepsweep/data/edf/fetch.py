"""Download Sleep-EDF Expanded from PhysioNet, through MNE-Python's fetchers.

MNE checks the hash of every file that it downloads, and leaves those that are there alone: these
are checked here. Nothing is printed: progress is reported a night at a time.
"""

import logging
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sleepsweep.errors import UserError
from sleepsweep.progress import Progress, silent

Study = Literal["cassette", "telemetry"]

# Of each study: its subjects, and the nights of those who have fewer than the others. MNE offers
# of telemetry's two nights only the one under placebo.
SUBJECTS: dict[Study, list[int]] = {
    "cassette": [n for n in range(83) if n not in (39, 68, 69, 78, 79)],
    "telemetry": list(range(22)),
}
NIGHTS: dict[Study, tuple[int, ...]] = {"cassette": (1, 2), "telemetry": (1,)}
ONE_NIGHT = {13: 1, 36: 2, 52: 2}  # of cassette; the other night's cassette was lost


def parse_subjects(text: str, study: Study = "cassette") -> list[int]:
    """Return the subjects that a text such as ``0-19,22`` names, rising; ``all`` names everyone.

    Numbers inside a range that no subject has are skipped. Raises `UserError` for other texts, for
    a number by itself that no subject has, and for a range beyond the last one.
    """
    known = SUBJECTS[study]
    if text.strip() == "all":
        return known
    chosen: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if found is None:
            raise UserError(f"--subjects {text}: {part!r} is no number or range, such as 0-19,22.")
        first, last = int(found[1]), int(found[2] or found[1])
        among = [number for number in known if first <= number <= last]
        if not among or last > known[-1]:
            raise UserError(f"--subjects {text}: {_nobody(part.strip(), study)}")
        chosen.update(among)
    return sorted(chosen)


def fetch_sleep_edf(
    subjects: Collection[int],
    out: Path,
    *,
    study: Study = "cassette",
    nights: Sequence[int] = (1, 2),
    base_url: str | None = None,
    progress: Progress = silent,
) -> list[Path]:
    """Download recordings with their hypnograms into a folder below `out`; return all their paths.

    What is there already is not downloaded again, so that a fetch that broke off goes on where it
    was. Of cassette the `nights` asked for are taken that a subject has, of telemetry the night
    under placebo. `base_url` names a mirror. `progress` is told (nights done, nights in all, what
    comes next) before each night, and once at the end.

    Raises `UserError` for an unknown subject, a mirror that is no address, an unreachable server, a
    download that does not have the expected hash (none of it is kept) or a file there that does
    not, or a folder that cannot be written.
    """
    if base_url is not None and not re.match(r"https?://[^/]", base_url):
        raise UserError(
            f"--mirror {base_url}: is no web address. Give one that begins with https:// or http://."
        )
    wrong = sorted(set(subjects) - set(SUBJECTS[study]))
    if wrong:
        raise UserError(_nobody(", ".join(map(str, wrong)), study))
    wanted = [
        (subject, night)
        for subject in sorted(set(subjects))
        for night in NIGHTS[study]
        if study == "telemetry" or (night in nights and ONE_NIGHT.get(subject, night) == night)
    ]
    if not wanted:
        raise UserError(
            f"No night to fetch: subjects {sorted(subjects)} have no night of {nights}."
        )
    paths: list[Path] = []
    for done, (subject, night) in enumerate(wanted):
        progress(done, len(wanted), f"subject {subject}, night {night}")
        paths += _fetch(study, subject, night, out, base_url)
    progress(len(wanted), len(wanted), "done")
    return paths


def _fetch(study: Study, subject: int, night: int, out: Path, base_url: str | None) -> list[Path]:
    from mne.datasets.sleep_physionet import age, temazepam  # takes time

    options: dict[str, Any] = {"path": out, "verbose": "ERROR"}
    if base_url is not None:
        options["base_url"] = base_url.rstrip("/")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _silent_pooch():
            if study == "telemetry":
                pairs = temazepam.fetch_data([subject], **options)
            else:
                # "raise" would refuse other nights of subjects who have only one.
                pairs = age.fetch_data([subject], [night], on_missing="ignore", **options)
    # First the errors of the network, of which some are ValueErrors too, and of the folder.
    except OSError as error:
        raise UserError(
            f"Subject {subject}, night {night} cannot be fetched into {out}: {error}. Check the "
            "connection and the folder, and run the same command again; what is complete stays. Or "
            "download https://physionet.org/content/sleep-edfx/1.0.0/ by other means, and give the "
            "folder to `sleepsweep data import`."
        ) from error
    except ValueError as error:
        if "hash" not in str(error).lower():
            raise
        raise UserError(
            f"Subject {subject}, night {night}: the download is damaged, and was thrown away "
            f"({error}). Run the same command again; what is complete stays."
        ) from error
    paths = [Path(path) for pair in pairs for path in pair]
    _check_hashes(paths, study)
    return paths


def _check_hashes(paths: Sequence[Path], study: Study) -> None:
    import pooch

    expected = _expected_hashes(study)
    for path in paths:
        if pooch.file_hash(str(path), alg="sha1") != expected[path.name]:
            raise UserError(
                f"{path}: is not the file that PhysioNet publishes (another SHA-1). Delete it, and "
                "run the same command again."
            )


def _expected_hashes(study: Study) -> dict[str, str]:
    import pandas as pd
    from mne.datasets.sleep_physionet import age, temazepam

    if study == "cassette":
        files = pd.read_csv(age.AGE_SLEEP_RECORDS)
        return dict(zip(files["fname"], files["sha"], strict=True))
    nights = pd.read_csv(temazepam.TEMAZEPAM_SLEEP_RECORDS)
    return {
        name: sha
        for kind in ("PSG", "Hypnogram")
        for name, sha in zip(nights[f"fname_{kind}"], nights[f"sha_{kind}"], strict=True)
    }


@contextmanager
def _silent_pooch() -> Iterator[None]:
    import pooch

    logger = pooch.get_logger()
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def _nobody(numbers: str, study: Study) -> str:
    known = SUBJECTS[study]
    missing = [number for number in range(known[-1]) if number not in known]
    but = f", but for {', '.join(map(str, missing))}" if missing else ""
    return f"no subject {numbers} in Sleep-EDF {study}; subjects are 0-{known[-1]}{but}."
