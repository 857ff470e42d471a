"""Results from anywhere: a sweep's folder, a parquet or CSV file of somebody else's."""

from sleepsweep_analysis.reading.files import load

__all__ = ["load"]
