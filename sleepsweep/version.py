"""Which sleepsweep this is, as sweeps record it and the nodes of a cluster compare it."""

import json
import re
from importlib.metadata import PackageNotFoundError, distribution

__all__ = ["NOT_INSTALLED", "installed_version"]

NOT_INSTALLED = "0.0"
"""Of a folder that is on the path without having been installed."""


def installed_version() -> str:
    """Return the version that was built, which names a release or, after ``+g``, a commit.

    An editable install is built once, and then runs whatever its folder holds: of the version that
    it was built as there remains the release, and ``+editable`` in the place of the commit.
    """
    try:
        built = distribution("sleepsweep")
    except PackageNotFoundError:
        return NOT_INSTALLED
    origin = json.loads(built.read_text("direct_url.json") or "{}")
    if not origin.get("dir_info", {}).get("editable", False):
        return built.version
    release = re.sub(r"(?<=\.dev)\d+", "0", built.version.partition("+")[0])
    return f"{release}+editable"
