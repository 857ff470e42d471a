"""Findings in sentences: what the numbers support, in words, with a way to say "cannot tell".

One file a theme, each of functions from a frame to a sentence.
"""

from sleepsweep_analysis.words.summary import verdict, verdict_pairs

__all__ = ["verdict", "verdict_pairs"]
