"""Pretraining an encoder on two views, and reading sleep stages from its frozen features."""
