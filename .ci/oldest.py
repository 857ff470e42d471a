"""Prints a constraint for pip on each dependency in pyproject.toml: the oldest version it allows."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
declared = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]
for requirement in dict.fromkeys(declared):
    found = re.match(r"([\w.-]+)(?:\[[\w,]+\])?>=([\d.]+)", requirement)
    if found:
        print(f"{found[1]}=={found[2]}")
