"""A network as a model of MLflow's, in a folder: no run and no server is needed."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sleepsweep.tracking.server import import_mlflow

NEEDS = ("numpy", "onnx", "onnxruntime")


def save_onnx_model(
    file: Path, folder: Path, example: NDArray[np.float32], outputs: Mapping[str, int]
) -> None:
    """Write the ONNX `file` into `folder` as a model that ``mlflow.pyfunc.load_model`` loads.

    Its signature takes what `example` (epoch, channel, time) is the example of, any number of
    epochs, and has an output of each width in `outputs`. Nothing in it is pickled, and what it
    needs to be loaded is onnxruntime.
    """
    import_mlflow()
    import mlflow.onnx
    import onnx
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    kind = np.dtype(np.float32)
    takes = Schema([TensorSpec(kind, (-1, *example.shape[1:]), "epochs")])
    gives = Schema([TensorSpec(kind, (-1, width), name) for name, width in outputs.items()])
    mlflow.onnx.save_model(
        onnx.load(file), folder, signature=ModelSignature(takes, gives),
        input_example={"epochs": example}, pip_requirements=list(NEEDS),
        onnx_execution_providers=["CPUExecutionProvider"], save_as_external_data=False,
    )  # fmt: skip
