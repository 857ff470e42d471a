"""The columns that a table of results from elsewhere may have: the one list of them.

``analysis/README.md`` documents them, and a test compares the two.
"""

from dataclasses import dataclass

from sleepsweep.results import DECISIONS, KINDS, STAGES

__all__ = ["COLUMNS", "PREFIXED", "Column", "unknown"]


@dataclass(frozen=True)
class Column:
    """A column: its `kind` (text, number, count, score, list of names or of shares) and meaning."""

    kind: str
    meaning: str
    allowed: tuple[str, ...] = ()


COLUMNS: dict[str, Column] = {
    "macro_f1": Column("score", "the score; required"),
    "augmentations": Column("names", "the policy, A+B+C; empty or none for no augmentation"),
    "probabilities": Column("shares", "p of each, in the same order, 1+1+0.5; in 0–1"),
    "severities": Column("shares", "severity of each, in the same order; in 0–1"),
    "size": Column("count", "how many augmentations; checked against the policy"),
    "p_sum": Column("number", "expected number of active augmentations; else from p"),
    "accuracy": Column("score", "share of epochs staged as the reference"),
    "kappa": Column("score", "Cohen's κ"),
    **{f"f1.{stage}": Column("score", f"F1 of stage {stage}") for stage in STAGES},
    "loss": Column("number", "pretraining loss"),
    "group": Column("text", "where one augmentation stands alone: its category"),
    "block": Column("text", "rows that share subjects and seed; else from split and seeds"),
    "split": Column("text", "the subject split"),
    "seed": Column("text", "the seed of the run"),
    "seeds": Column("text", "seeds of the runs that a row averages, 42;0;1"),
    "n_seeds": Column("count", "how many runs a row averages; else counted in seeds"),
    "trial": Column("text", "names the trial; needed where one has several rungs"),
    "order": Column("count", "place in the order of launch; else that of the rows"),
    "rung": Column("count", "which of a trial's reports, from 0; else from step"),
    "step": Column("count", "optimiser steps at this report"),
    "steps_trained": Column("count", "optimiser steps of the trial; else step"),
    "kind": Column("text", "why the trial ran; else search", KINDS),
    "design": Column("text", "name of the design that it belongs to"),
    "decision": Column("text", "how it went on; else done, and failed without a score", DECISIONS),
    "bracket": Column("count", "bracket of the stopping rule"),
    "protocol": Column("text", "name of the way in which the run was made"),
    "batch_size": Column("count", "contrastive batch size"),
    "stop_rule": Column("text", "when training stops"),
    "selected_on": Column("text", "subjects that chose or stopped it: validation or test"),
    "split_from": Column("text", "what the split depends on: block, or seed"),
    "time_s": Column("number", "seconds of training"),
    "host": Column("text", "machine"),
    "device": Column("text", "processor"),
    "version": Column("text", "version of the code"),
    "data_hash": Column("text", "names the version of the data"),
    "split_hash": Column("text", "names the subjects of the split"),
}

PREFIXED: dict[str, Column] = {
    "on.": Column("switch", "instead of augmentations: 1 or 0 a policy, one column a name"),
    "p.": Column("share", "instead of probabilities: p of the augmentation, in 0–1"),
    "severity.": Column("share", "instead of severities: of the augmentation, in 0–1"),
    "hp.": Column("any", "a covariate: any searched number or word"),
}


def unknown(names: list[str]) -> list[str]:
    """The columns among `names` that are not documented."""

    def known(name: str) -> bool:
        named = any(name.startswith(prefix) and name != prefix for prefix in PREFIXED)
        return name in COLUMNS or named

    return [name for name in names if not known(name)]
