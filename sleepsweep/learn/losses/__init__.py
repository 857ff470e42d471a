"""Losses of pretraining on two views."""
