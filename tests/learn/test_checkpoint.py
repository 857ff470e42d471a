import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from sleepsweep.errors import UserError
from sleepsweep.learn.checkpoint import load_checkpoint, save_checkpoint

STATE = {"step": 3, "weights": {"a": torch.arange(5.0)}, "rungs": [{"loss": None, "done": True}]}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    save_checkpoint(STATE, tmp_path / "folder" / "state.pt")
    read = load_checkpoint(tmp_path / "folder" / "state.pt")
    assert torch.equal(read["weights"].pop("a"), torch.arange(5.0))
    assert read == {"step": 3, "weights": {}, "rungs": [{"loss": None, "done": True}]}
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["state.pt"]


def test_a_write_that_fails_leaves_the_old_state(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    save_checkpoint({"step": 1}, path)
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        save_checkpoint({"step": lambda: 2}, path)
    assert load_checkpoint(path) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_that_runs_code_is_refused_and_runs_nothing(
    zipped: bool, tmp_path: Path
) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    path = tmp_path / "bomb.pt"
    if zipped:
        torch.save({"step": Bomb()}, path)
    else:
        path.write_bytes(pickle.dumps({"step": Bomb()}, protocol=2))
    with pytest.raises(UserError, match=r"bomb.pt holds something else than tensors and plain"):
        load_checkpoint(path)
    assert not (tmp_path / "exploded").exists()
    torch.load(path, weights_only=False) if zipped else pickle.loads(path.read_bytes())  # noqa: S301
    assert (tmp_path / "exploded").exists()


def test_a_checkpoint_of_a_whole_network_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "network.pt")
    with pytest.raises(UserError, match="something else than tensors"):
        load_checkpoint(tmp_path / "network.pt")


def test_files_that_are_no_checkpoints_are_refused_with_their_name_and_what_to_do(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.pt"

    def refused() -> None:
        with pytest.raises(UserError, match=r"state.pt .*Name another file"):
            load_checkpoint(path)

    for content in (b"", b"a text\n", "Straße\n".encode(), bytes(range(256)), b"PK\x03\x04"):
        path.write_bytes(content)
        refused()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "no checkpoint")
    refused()
    torch.save([1, 2], path)
    refused()


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    save_checkpoint(STATE, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"state\.pt"):
            load_checkpoint(path)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.pt: no such checkpoint"):
        load_checkpoint(tmp_path / "none.pt")
    with pytest.raises(IsADirectoryError):
        load_checkpoint(tmp_path)
