"""A policy that a sweep found, as files to use elsewhere: YAML, and a module of torch."""

from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import fill
from typing import Any, Self

import yaml

from sleepsweep.augment import Signal
from sleepsweep.data.store import Store
from sleepsweep.probedrun import signal_of
from sleepsweep.replacing import writing
from sleepsweep.trial import MemberSpec, TrialSpec

YAML, PYTHON = "policy.yaml", "policy.py"
WIDTH = 90

MODULE = '''"""{about}

Needs torch and sleepsweep.augment only::

    from policy import policy_transform

    transform = policy_transform()
    one, two = transform.views(epochs)   # epochs: float tensor (batch, channel, time)

Epochs are prepared as the sweep's were: {hz:g} Hz, and one unit of their values is {unit:.4g} µV.
A generator of torch makes the draws repeatable: transform.views(epochs, generator).
{mixing}
"""

from sleepsweep.augment import Member, Policy, PolicyTransform, Signal, augmentation

SIGNAL = {signal!r}
POLICY = Policy(
    members=({members}),
    choose={choose!r},
)


def policy_transform(signal: Signal = SIGNAL) -> PolicyTransform:
    """Return the policy for epochs of this signal: a torch.nn.Module."""
    return PolicyTransform(POLICY, signal)
'''
MIXING = {
    "store": "An epoch's partner for mixing is one of the batch; in the sweep it was one of all "
    "training\nepochs: give `partners` to do the same.",
    "batch": "An epoch's partner for mixing is one of the batch, as in the sweep.",
}


@dataclass(frozen=True)
class PolicyExport:
    """The policy of a trial, with the signal that it saw and a sentence on where it comes from."""

    trial: TrialSpec
    signal: Signal
    about: str

    @classmethod
    def of(cls, trial: TrialSpec, store: Store, about: str) -> Self:
        """Return the export of a trial that was trained on `store`."""
        return cls(trial, signal_of(store, trial.train), about)

    @property
    def as_yaml(self) -> str:
        """The policy as the `policy` of a YAML file, and what else its views depend on."""
        content: dict[str, Any] = {"policy": [_plain(member) for member in self.trial.policy]}
        if self.trial.choose is not None:
            content["choose"] = self.trial.choose
        content |= {"mix_partner": self.trial.mix_partner, "signal": asdict(self.signal)}
        text: str = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=WIDTH)
        about = fill(self.about, WIDTH, initial_indent="# ", subsequent_indent="# ")
        return f"{about}\n{text}"

    @property
    def as_python(self) -> str:
        """The source of a Python module with the function ``policy_transform``."""
        members = "".join(f"\n        {_source(member)}," for member in self.trial.policy)
        return MODULE.format(
            about=fill(self.about, WIDTH), hz=self.signal.sfreq, unit=self.signal.uv_per_unit,
            signal=self.signal, members=members + ("\n    " if members else ""),
            choose=self.trial.choose, mixing=MIXING[self.trial.mix_partner],
        )  # fmt: skip

    def write(self, out: Path) -> list[Path]:
        """Write both files into the folder `out`, and return their paths.

        Raises `UserError` when it cannot be written.
        """
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
            (out / YAML).write_text(self.as_yaml, encoding="utf-8")
            (out / PYTHON).write_text(self.as_python, encoding="utf-8")
        return [out / YAML, out / PYTHON]


def _plain(member: MemberSpec) -> dict[str, dict[str, Any]]:
    severity = {} if member.severity is None else {"severity": member.severity}
    return {member.name: {**severity, **member.parameters, "p": member.p}}


def _source(member: MemberSpec) -> str:
    kind = f"augmentation({member.name!r})"
    if member.severity is not None:
        return f"Member({kind}.at_severity({member.severity!r}), p={member.p!r})"
    values = ", ".join(f"{key}={value!r}" for key, value in member.parameters.items())
    return f"Member({kind}({values}), p={member.p!r})"
