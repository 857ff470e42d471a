"""A model of the tiny experiment, exported once."""

from pathlib import Path
from typing import Any

import pytest

from sleepsweep.evaluation import ModelFile, read_model
from sleepsweep.export import Exported, export_model


@pytest.fixture(scope="session")
def finetuned(whole: tuple[Any, Any]) -> ModelFile:
    """The fine-tuned model of the tiny experiment."""
    return read_model(whole[0].path, classifier=True)


@pytest.fixture(scope="session")
def exported(finetuned: ModelFile, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Its exported folder. Not to change."""
    return export_model(finetuned, tmp_path_factory.mktemp("exported") / "model")


@pytest.fixture
def folder(exported: Exported) -> Path:
    """The exported folder. Not to change."""
    return exported.folder
