"""What an experiment's models tell of the recordings that they were trained on."""

from collections.abc import Callable
from pathlib import Path

from sleepsweep.data.preparation import import_store
from sleepsweep.data.source import DataSpec
from sleepsweep.experiment.setting import Setting


def test_a_model_tells_how_its_store_was_made(
    setting: Callable[..., Setting], write_nights: Callable[..., Path], tmp_path: Path
) -> None:
    folder = write_nights(tmp_path / "nights", ["anna", "bo", "cy", "di", "eve"])
    made = DataSpec(wake_crop_min=5).pointed_at(folder)
    store = import_store(made, tmp_path / "store")
    about = setting(data={"source": "store", "root": str(store.folder)}).about(None)
    assert (about.wake_crop_min, about.unit) == (5.0, "unknown")
