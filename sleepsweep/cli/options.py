"""Arguments and options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

SpaceFile = Annotated[Path, typer.Argument(metavar="SPACE.yaml", help="The search space.")]
SweepPath = Annotated[Path, typer.Argument(metavar="SWEEP", help="A sweep's folder: runs/NAME.")]
Data = Annotated[Path | None, typer.Option(help="Recordings to use instead of the file's.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key; repeatable.")
]
Preset = Annotated[str | None, typer.Option(help="One of the file's presets.")]
Trials = Annotated[int | None, typer.Option(help="How many trials are drawn.")]
Seed = Annotated[int | None, typer.Option(help="The sweep's seed.")]
TrackingUri = Annotated[str | None, typer.Option(help="An MLflow server; default: a file.")]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A Ray cluster: host:port, or auto. Default: none."),
]
Json = Annotated[bool, typer.Option("--json", help="Print lines of JSON, for scripts.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
