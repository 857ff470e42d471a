"""The question: the YAML of a search space, read and validated."""
