"""The JSON configs of the published study (Gupta 2025), read as experiments of our own grammar.

They come in two dialects, that of the study's README and that of its code, and may mix them.
"""

from sleepsweep.published.config import PublishedConfig
from sleepsweep.published.folder import configs_in, is_published
from sleepsweep.published.reading import read_published

__all__ = ["PublishedConfig", "configs_in", "is_published", "read_published"]
