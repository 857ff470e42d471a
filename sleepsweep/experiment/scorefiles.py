"""The files that say how good a staging is."""

from pathlib import Path

from sleepsweep.pictures import write_confusion_image
from sleepsweep.replacing import replacing, writing
from sleepsweep.scores import Staged


def write_scores(staged: Staged, folder: Path, title: str) -> None:
    """Write predictions, tables and a picture of the confusion matrix into `folder`.

    ``predictions.csv`` (a row an epoch), ``overall.csv`` (a row a measure), ``by_stage.csv``,
    ``by_subject.csv``, ``confusion.png``. Raises `UserError` if it cannot be written.
    """
    tables = {
        "predictions": staged.predictions(),
        "overall": staged.overall(),
        "by_stage": staged.by_stage(),
        "by_subject": staged.by_subject(),
    }
    with writing(folder):
        for name, table in tables.items():
            with replacing(folder / f"{name}.csv") as partial:
                table.to_csv(partial, index=False, float_format="%.6g")
    write_confusion_image(staged.pooled, folder / "confusion.png", title)
