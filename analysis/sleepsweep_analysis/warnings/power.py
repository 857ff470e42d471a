"""How much the numbers can carry: what was detectable, luck at the top, other estimators."""

import numpy as np
import pandas as pd

from sleepsweep_analysis.estimates.detectable import TYPICAL
from sleepsweep_analysis.estimates.ranking import EQUAL
from sleepsweep_analysis.policies.leaderboard import expected_maximum
from sleepsweep_analysis.warnings.check import Check, Evidence, listed

__all__ = ["detectable", "model_check", "runs_for", "underpowered", "winner"]


def detectable(effects: pd.DataFrame) -> float:
    """Smallest effect, in points, that this sweep calls better with 80 % power; may be infinite.

    It is the upper quartile over the augmentations that could be told apart (column
    ``detectable``, from `sleepsweep_analysis.estimates.detectable`): three in four need no more.
    """
    least = effects.loc[np.isfinite(effects["detectable"]), "detectable"]
    return float(least.quantile(TYPICAL)) if len(least) else float("inf")


def runs_for(effects: pd.DataFrame, trials: int, effect: float) -> int | None:
    """About how many trials like these would make `effect` detectable; None where more do not help.

    Standard errors fall as 1/√n. The number of them that an effect must measure falls too, as
    less is shrunken, so this asks for more trials than are needed rather than for fewer.
    """
    smallest = detectable(effects)
    if not np.isfinite(smallest):
        return None
    return max(trials, int(np.ceil(trials * (smallest / effect) ** 2)))


def underpowered(seen: Evidence) -> Check:
    """UNDERPOWERED: the smallest detectable effect exceeds practical equality, half a point."""
    smallest = detectable(seen.effects)
    need = runs_for(seen.effects, seen.chosen.n_trials, EQUAL)
    if need is None:
        text = "These policies do not show the effect of any one augmentation, whatever its size."
        return Check("UNDERPOWERED", "amber", text, "Draw random sets of several sizes.")
    text = "The smallest effect of one augmentation that this sweep would call better four times "
    text += f"in five is {smallest:.1f} points."
    if smallest <= EQUAL:
        return Check("UNDERPOWERED", "green", text, "")
    return Check("UNDERPOWERED", "amber", text, f"Half a point needs about {need:,} such trials.")


def winner(seen: Evidence) -> Check:
    """WINNER: the best of m trials, not confirmed, is partly luck: E[max of m] of the noise."""
    if seen.confirmed:
        text = f"{seen.confirmed} confirmation trials were run."
        return Check("WINNER", "green", text, "They are reported apart, and are not in the model.")
    luck = expected_maximum(seen.reached) * seen.noise
    text = f"The leaderboard shows the best of {seen.reached} trials and none was confirmed."
    effect = f"Its top score is optimistic by up to {luck:.1f} points; nothing is called best."
    return Check("WINNER", "amber", text, effect, ("best",))


def model_check(seen: Evidence) -> Check | None:
    """MODEL_CHECK: least squares on the designed trials alone disagrees by over two errors.

    Says nothing where the designed trials do not give an estimate.
    """
    anchors = seen.crosschecks[seen.crosschecks["method"] == "anchors"].dropna(subset=["effect"])
    if anchors.empty:
        return None
    apart = anchors.loc[anchors["apart"].astype(bool), "augmentation"]
    if apart.empty:
        text = "Least squares on the designed trials alone agrees with the model."
        return Check("MODEL_CHECK", "green", text, "")
    text = f"Least squares on the designed trials alone disagrees about {listed(apart)}."
    return Check("MODEL_CHECK", "amber", text, "Both are printed; believe what both say.")
