"""A trained network as a folder for use elsewhere: ONNX, safetensors, MLflow, a model card."""

from sleepsweep.export.folder import Exported, export_model

__all__ = ["Exported", "export_model"]
