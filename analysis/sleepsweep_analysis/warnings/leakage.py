"""Whether a score read what it should not have: test subjects, a subject in two roles, the seed."""

import numpy as np

from sleepsweep_analysis.warnings.check import Check, Evidence

__all__ = ["leak_subject", "leak_test", "seed_is_split"]


def leak_test(seen: Evidence) -> Check:
    """LEAK_TEST: selection or early stopping read the test split (column ``selected_on``)."""
    selected = seen.trials["selected_on"]
    share = float(np.mean(selected == "test"))
    if share > 0:
        text = f"{share:.0%} of the trials were selected or stopped on the test subjects."
        return Check("LEAK_TEST", "red", text, "No score here is a test score; all are optimistic.")
    if (selected != "validation").any():
        text = "Some trials do not say which subjects they were selected or stopped on."
        return Check("LEAK_TEST", "amber", text, "The scores may be optimistic.")
    return Check("LEAK_TEST", "green", "Trials were compared on validation subjects.", "")


def leak_subject(seen: Evidence) -> Check | None:
    """LEAK_SUBJECT: nobody was scored both as a validation and as a test subject.

    `comparable` refuses the analysis where somebody was, so this is green; it says nothing where
    no subject was recorded.
    """
    count = int(seen.subjects["subject"].nunique())
    if not count:
        return None
    text = f"None of the {count} scored subjects is in both validation and test."
    return Check("LEAK_SUBJECT", "green", text, "")


def seed_is_split(seen: Evidence) -> Check | None:
    """SEED_IS_SPLIT: the seed changes the subject split too (``split_from`` is ``seed``).

    The noise of a seed is then mostly that of other subjects (in the published study's logs sd
    1.43 of the split against 0.64 of the run), so scores of different seeds may only be compared
    within pairs.
    """
    source = seen.trials["split_from"]
    if (source == "seed").any():
        text = "The seed changes the subject split as well as the run."
        effect = "Seeds are compared in pairs only; unpaired tests over seeds are not made."
        return Check("SEED_IS_SPLIT", "amber", text, effect)
    if (source == "").all():
        return None
    return Check("SEED_IS_SPLIT", "green", "Splits do not depend on a run's seed.", "")
