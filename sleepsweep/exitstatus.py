"""How a command ends, as its exit status."""

COMPLETE, BAD_INPUT, INCOMPLETE, TRIALS_FAILED = 0, 2, 3, 4
"""All done; a user's mistake; ended early, and can go on; done but for trials that failed."""
