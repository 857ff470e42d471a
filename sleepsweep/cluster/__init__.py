"""Sweeps on clusters: joining Ray's, and jobs of Slurm that start one."""
