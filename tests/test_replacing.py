"""Files that are there whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from sleepsweep.errors import UserError
from sleepsweep.replacing import replacing, writing


def test_a_file_is_the_old_one_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with replacing(path) as partial:
        partial.write_text("old")
        assert not path.exists()
    with pytest.raises(RuntimeError), replacing(path) as partial:  # noqa: PT012
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_is_the_users_to_mend(tmp_path: Path) -> None:
    with (
        pytest.raises(
            UserError, match=rf"{tmp_path}: cannot be .*No space left.*--out.*SLEEPSWEEP_CACHE"
        ),
        writing(tmp_path),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
