"""A single experiment: one policy, from pretraining to the test, in stages that can be repeated."""
