"""Jobs of Slurm that start a Ray cluster over their nodes and run a sweep on it."""
