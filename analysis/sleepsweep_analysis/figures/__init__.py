"""Figures as plain plotly dictionaries: one small file a kind of figure.

They hold no colours of text or grid: the page adds those for a light or a dark screen. Names come
from the data, so each is escaped before plotly, which reads a little HTML, sees it.
"""

from sleepsweep_analysis.figures.figure import Figure, Key, Panel

__all__ = ["Figure", "Key", "Panel"]
