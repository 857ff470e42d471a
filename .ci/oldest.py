"""Prints for pip the oldest version of each dependency that pyproject.toml allows."""

import re
import tomllib
from itertools import chain
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
declared = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
for requirement in dict.fromkeys(declared):
    if found := re.match(r"([\w.-]+)(?:\[[\w,]+\])?>=([\d.]+)", requirement):
        print(f"{found[1]}=={found[2]}")
