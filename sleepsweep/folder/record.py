"""What is known of one trial of a sweep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sleepsweep.space import Kind
from sleepsweep.trial import TrialSpec

FINAL = ("stop", "done", "collapsed")


@dataclass
class TrialRecord:
    """What is known of one trial: where it stands in the sweep, its spec, its rungs so far."""

    order: int
    kind: Kind
    design: str
    trial: TrialSpec
    suggestion: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None

    @classmethod
    def of_configuration(cls, config: Mapping[str, Any]) -> Self:
        """The record of a trial that begins, from what a searcher handed out."""
        return cls(
            order=config["order"],
            kind=config["kind"],
            design=config["design"],
            trial=TrialSpec.model_validate(config["trial"]),
            suggestion=config["suggestion"],
        )

    @property
    def has_policy(self) -> bool:
        """Whether it is compared with others, at rungs and in the end: all but baselines are."""
        return self.trial.baseline is None

    @property
    def confirms(self) -> bool:
        """Whether a confirmation ran it, on test subjects, and not the sweep itself."""
        return self.kind == "confirmation"

    @property
    def is_finished(self) -> bool:
        """Whether the trial was stopped, done or collapsed, so that it is never run again."""
        return bool(self.rows) and self.rows[-1]["decision"] in FINAL

    @property
    def error_line(self) -> str:
        """The first line of the error that a failed trial ended with, "" without one."""
        lines = (self.error or "").strip().splitlines()
        frames = [place for place, line in enumerate(lines) if line.startswith("  File ")]
        after = lines[frames[-1] + 1 :] if frames else lines[-1:]
        return next((line.strip() for line in after if line[:1].strip()), "")

    @property
    def state(self) -> str:
        """``failed``, ``running``, or how the trial ended."""
        if self.is_finished:
            return str(self.rows[-1]["decision"])
        return "running" if self.error is None else "failed"
