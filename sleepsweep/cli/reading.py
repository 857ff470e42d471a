"""What commands read: search spaces, sweeps, tables of results."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.results import ResultsTable
    from sleepsweep.spec.sweepspec import SweepSpec
    from sleepsweep_analysis import Analysis


def read_space(
    space: Path, data: Path | None, settings: list[str] | None, preset: str | None,
    trials: int | None, seed: int | None, tracking_uri: str | None = None,
    cluster: str | None = None,
) -> "SweepSpec":  # fmt: skip
    """Return the search space in the file `space` with what the options change."""
    from sleepsweep.spec.specfile import read_settings, read_study
    from sleepsweep.spec.sweepspec import SweepSpec

    options = {
        "search.trials": trials, "seed": seed, "tracking.uri": tracking_uri,
        "resources.cluster": cluster,
    }  # fmt: skip
    given = {key: value for key, value in options.items() if value is not None}
    overrides = {**read_settings(settings or []), **given}
    return read_study(SweepSpec, space, preset=preset, overrides=overrides, data=data)


def as_extended(spec: "SweepSpec", folder: "SweepFolder") -> "SweepSpec":
    """Return the search space with the trials that `extend` has added to the sweep since."""
    total = folder.total_trials(spec.search.trials)
    search = spec.search.model_copy(update={"trials": total})
    return spec.model_copy(update={"search": search})


def recorded_spec(
    folder: "SweepFolder", tracking_uri: str | None, cluster: str | None
) -> "SweepSpec":
    """Return the search space of a sweep as it was launched, tracked elsewhere if asked for.

    It is run on the given `cluster`, or here: that of the launch may be gone.
    """
    from sleepsweep.spec.sweepspec import SweepSpec

    plain = folder.read_manifest()["spec"]
    resources = {**plain["resources"], "cluster": cluster}
    tracking = plain["tracking"] | ({} if tracking_uri is None else {"uri": tracking_uri})
    return SweepSpec.model_validate({**plain, "resources": resources, "tracking": tracking})


def read_sweep(sweep: Path) -> "ResultsTable":
    """Read a sweep's recorded trials, and write its tables again.

    Raises `UserError` where they cannot be written.
    """
    from sleepsweep.plan import read_table
    from sleepsweep.replacing import writing

    table = read_table(sweep)
    with writing(sweep):
        table.write(sweep)
    return table


def read_sweep_only(sweep: Path, out: Path) -> "ResultsTable":
    """Read a sweep's recorded trials for a report in `out`; in the sweep nothing is written."""
    from dataclasses import replace

    from sleepsweep.plan import read_table
    from sleepsweep.results import EMBEDDINGS

    return replace(read_table(sweep), embeddings=out / EMBEDDINGS)


def analyse_sweep(sweep: Path) -> "Analysis":
    """Analyse a sweep's recorded trials; `TableError` where there is nothing to rank."""
    from sleepsweep.plan import read_table

    return analysed(read_table(sweep))


def read_file(path: Path) -> "ResultsTable":
    """Read a table; our own augmentations have a category where its groups tell none."""
    from sleepsweep_analysis import load
    from sleepsweep_analysis.reading.members import UNCATEGORISED

    table = load(path)
    categories = table.study.categories
    without = [name for name, category in categories.items() if category == UNCATEGORISED]
    if not without:
        return table
    return load(path, categories=_known_categories(without))


def _known_categories(names: list[str]) -> dict[str, str]:
    from sleepsweep.augment import augmentation, augmentations

    known = {n for name, kind in augmentations().items() for n in (name, *kind.aliases)}
    return {name: augmentation(name).category for name in names if name in known}


def analysed(table: "ResultsTable", sizes: tuple[int, int] | None = None) -> "Analysis":
    """Analyse a table; effects are over random sets of `sizes`, smallest and largest, if given."""
    from sleepsweep_analysis import analyse

    return analyse(table, reference=sizes)
