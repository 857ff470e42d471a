"""The command that takes a model out: export."""

from pathlib import Path
from typing import Annotated

import typer

from sleepsweep.cli.app import app, console_for
from sleepsweep.cli.models import ModelPath, Trust
from sleepsweep.cli.options import Json, Quiet


@app.command()
def export(
    model: ModelPath,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write; a new one.")],
    trust: Trust = False, quiet: Quiet = False, json: Json = False,
) -> None:  # fmt: skip
    """Write a model as ONNX, safetensors and a model of MLflow's, with a model card.

    What is written works without Ray, MLflow and Optuna.
    """
    from json import dumps

    from sleepsweep.evaluation import read_model
    from sleepsweep.export import export_model
    from sleepsweep.terminal.summary import pointer

    file = read_model(model, classifier=False, trust=trust)
    console = console_for(quiet=quiet or json)
    with console.status("Writing, and comparing with torch"):
        exported = export_model(file, out.resolve())
    onnx = exported.onnx
    console.print(
        f"{onnx.path.name}: {onnx.size:,} bytes; {' and '.join(onnx.outputs)} within "
        f"{onnx.difference:.0e} of torch’s.", soft_wrap=True,
    )  # fmt: skip
    console.print(pointer("Model card", str(exported.folder / "README.md")))
    if json:
        told = {"out": str(exported.folder), "onnx_bytes": onnx.size}
        print(dumps({**told, "difference": onnx.difference, "outputs": list(onnx.outputs)}))
