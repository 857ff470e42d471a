"""Recordings in, a prepared store and splits by subject out."""
