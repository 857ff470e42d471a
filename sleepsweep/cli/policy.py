"""The command that takes a policy out of a sweep: policy export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import app, console_for
from sleepsweep.cli.options import SweepPath
from sleepsweep.cli.reading import analyse_sweep
from sleepsweep.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.trial import TrialSpec

policy = typer.Typer(help="Policies of a sweep, for use elsewhere.", no_args_is_help=True)
app.add_typer(policy, name="policy")

Trial = Annotated[str | None, typer.Option(help="A trial's id; default: the sweep's winner.")]
PolicyOut = Annotated[Path | None, typer.Option(help="A folder; default: SWEEP/policy.")]


@policy.command()
def export(sweep: SweepPath, trial: Trial = None, out: PolicyOut = None) -> None:
    """Write a policy as policy.yaml and as policy.py, a transform for a training loop of one's own.

    The winner is the best confirmed policy or, before a confirmation, the first of the leaderboard
    by what the model expects. policy.py needs torch and sleepsweep.augment only.
    """
    from sleepsweep.folder.store import open_store
    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.policyexport import PolicyExport
    from sleepsweep.terminal.summary import pointer

    folder = SweepFolder(sweep.resolve())
    manifest = folder.read_manifest()
    chosen, why = _winner(folder) if trial is None else _named(folder, trial)
    console = console_for(quiet=False)
    console.print(f"{chosen.policy_text}\n{why}.", markup=False)
    about = f"{why}, of the sweep {manifest['study']['name']}, trial {chosen.id}."
    exported = PolicyExport.of(chosen, open_store(manifest), about)
    for path in exported.write(out or folder.path / "policy"):
        console.print(pointer("Written", str(path)))


def _named(folder: "SweepFolder", trial: str) -> "tuple[TrialSpec, str]":
    trials = _trials(folder)
    if trial not in trials:
        near = ", ".join(list(trials)[:5])
        raise UserError(
            f"--trial {trial}: {folder.path} holds no such trial. Ids stand in the report's "
            f"leaderboard and in its folder trials: {near}, …"
        )
    return trials[trial], "The policy asked for by its trial"


def _winner(folder: "SweepFolder") -> "tuple[TrialSpec, str]":
    from sleepsweep_analysis.policies.candidates import candidates

    analysis, trials = analyse_sweep(folder.path), _trials(folder)
    if len(analysis.confirmation):
        best = analysis.confirmation.sort_values("rank").iloc[0]
        text, gain = str(best["policy"]), float(best["gain"])
        against = "" if gain != gain else f", {gain:+.1f} points over none ({best['verdict']})"
        score = f"macro-F1 {best['score']:.1f} on test subjects{against}"
        chosen = next(t for t in trials.values() if t.policy_text == text and t.test)
        return chosen, f"The best confirmed policy: {score}"
    first = candidates(analysis, 1).iloc[0]
    why = f"Not confirmed; the first by what the model expects, macro-F1 {first['expected']:.1f}"
    return trials[str(first["trial"])], f"{why} on validation subjects"


def _trials(folder: "SweepFolder") -> "Mapping[str, TrialSpec]":
    return {record.trial.id: record.trial for record in folder.records()}
