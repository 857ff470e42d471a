import pytest

from sleepsweep.cli.app import console_for
from sleepsweep.terminal.summary import pointer


@pytest.mark.parametrize("path", ["/data/" + "a" * 200, "/data/two words/" + "a " * 100 + "b"])
def test_a_path_is_whole_in_a_narrow_terminal(
    path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    console_for(quiet=False).print(pointer("Report", path))
    assert capsys.readouterr().out == f"Report  {path}\n"


def test_a_sentence_is_wrapped_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    console_for(quiet=False).print("trial " * 20)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 40
