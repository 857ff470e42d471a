"""Planes as PNG files."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from sleepsweep.errors import UserError
from sleepsweep.latent import Embedded, write_image
from sleepsweep.latent.colours import MOST, looks_of, order_of
from sleepsweep.latent.planes import Plane
from sleepsweep.metrics import STAGES
from sleepsweep.pictures import STAGE_COLOURS


def has(path: Path, colour: str) -> bool:
    """Whether a picture has a whole legend entry's worth of a colour."""
    rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])
    pixels = np.round(imread(path)[..., :3] * 255)
    return bool((np.abs(pixels - rgb).max(axis=2) <= 1).sum() > 20)


def test_stages_have_their_colours(
    embedded: Embedded, planes: dict[str, Plane], tmp_path: Path
) -> None:
    write_image(planes["tsne"], embedded.stages, tmp_path / "a.png", "By stage", "t-SNE")
    assert all(has(tmp_path / "a.png", colour) for colour in STAGE_COLOURS.values())
    write_image(planes["tsne"], embedded.stages, tmp_path / "b.png", "By stage", "t-SNE")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    names = [STAGES[stage] for stage in embedded.stages]
    write_image(planes["tsne"], names, tmp_path / "c.png", "By stage", "t-SNE")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "c.png").read_bytes()


def test_subjects_look_different() -> None:
    subjects = [f"S{n:02d}" for n in range(MOST)]
    assert len(set(looks_of(subjects).values())) == MOST
    assert order_of(["R", "W", "N1"]) == ["W", "N1", "R"]
    assert order_of(["R", "b", "a"]) == ["R", "a", "b"]


@pytest.mark.parametrize("subjects", [1, 5, 40])
def test_a_plane_by_subject(tmp_path: Path, subjects: int) -> None:
    labels = [f"S{n % subjects}" for n in range(100)]
    path = tmp_path / "new" / "subjects.png"
    write_image(np.random.default_rng(0).normal(size=(100, 2)), labels, path, "By subject")
    assert imread(path).shape[1] == 1080
    assert has(path, "#c9ced4") == (subjects > MOST)


def test_hostile_names_and_titles_are_drawn_as_they_are(tmp_path: Path) -> None:
    evil = ["$\\frac{", "<script>alert(1)</script>", "_x^2$\n", "", "a" * 300]
    write_image(np.zeros((5, 2)), evil, tmp_path / "evil.png", "$\\bad{ " * 40, "$x")
    assert imread(tmp_path / "evil.png").shape[:2] == (840, 1080)


def test_no_window_and_no_global_state_is_needed(tmp_path: Path) -> None:
    from matplotlib import _pylab_helpers

    write_image(np.eye(2), [0, 1], tmp_path / "a.png", "Two")
    assert _pylab_helpers.Gcf.figs == {}


def test_arrays_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"plane: shape \(3, 2\), where \(2, 2\)"):
        write_image(np.zeros((3, 2)), ["a", "b"], tmp_path / "a.png", "Two")
    with pytest.raises(ValueError, match="stages 0–4"):
        write_image(np.zeros((2, 2)), [0, 7], tmp_path / "a.png", "Two")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for refused in (tmp_path / "file" / "a.png", tmp_path):
        with pytest.raises(UserError, match="cannot be written"):
            write_image(np.eye(2), [0, 1], refused, "Two")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
