"""Description files: what they may say, and how a wrong one is refused."""

from pathlib import Path

import pytest
import yaml

from sleepsweep.data.edf.description import EXAMPLE, Description, is_description, read_description
from sleepsweep.errors import UserError


def write(folder: Path, text: str) -> Path:
    path = folder / "data.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        root: nights
        recordings: "*.edf"
        person: '(?P<subject>p\\d+)n(?P<night>\\d)'
        derivations: [C3-M2]
        epoch_s: 20
        hypnogram: {file: "{stem}.csv", format: table, onset: t, duration: d, stage: s}
        stages: {0: W, Licht aus: ignore}
        """,
    )
    described = read_description(path)
    assert described.root == "nights"
    assert described.derivations == ("C3-M2",)
    assert described.epoch_s == 20
    assert described.hypnogram.file == "{stem}.csv"
    assert described.stages == {"0": "W", "Licht aus": "ignore"}


def test_nothing_need_be_said(tmp_path: Path) -> None:
    assert read_description(write(tmp_path, "{}")) == Description()


def test_the_examples_are_valid(tmp_path: Path) -> None:
    import sleepsweep.data.edf.description as module

    shown = (module.__doc__ or "").split("```yaml")[1].split("```")[0]
    for text in (EXAMPLE, shown):
        assert read_description(write(tmp_path, text)) != Description()
        assert yaml.safe_load(text)["hypnogram"]["file"].startswith("{folder}/")


HOSTILE = {
    "unknown key": ("derivation: C3", "derivation: unknown key; allowed: root, recordings, person"),
    "unknown inside": (
        "hypnogram: {path: a}",
        r"hypnogram\.path: unknown key; allowed: format, .*, file\.",
    ),
    "wrong type": ("epoch_s: long", r"epoch_s: .*valid number \(got 'long'\)"),
    "no length": ("epoch_s: 0", "epoch_s: .*greater than 0"),
    "no derivation": ("derivations: 3", r"derivations: .*tuple \(got 3\)"),
    "nothing": ("", "a description must map keys to values; allowed: root, recordings"),
    "misspelt": ("hypnogramm: {}", "hypnogramm: unknown key; allowed: root, recordings"),
    "unknown meaning": ("stages: {A: N4}", "stages: A: N4 is no stage; allowed: W, N1, N2, N3, R"),
    "format": ("hypnogram: {format: xml}", r"hypnogram\.format: .*'table' or 'column'"),
    "not a pattern": ("person: '(?P<subject>'", "person: .*not a regular expression"),
    "no subject": ("person: '(?P<who>.*)'", r"person: .* needs a group \(\?P<subject>"),
    "absolute": ("recordings: /data/*.edf", "recordings: '/data/.*' is no path or pattern below"),
    "absolute too": ("hypnogram: {file: /a.csv}", r"hypnogram\.file: '/a\.csv' is no path or"),
    "empty": ("recordings: ''", "recordings: '' is no path or pattern"),
    "two stars": ('hypnogram: {file: "a**{stem}"}', r"hypnogram\.file: 'a\*\*x' is no path or"),
    "unknown place": (
        "{hypnogram: {file: '{who}.txt'}, person: '(?P<subject>a)'}",
        r"hypnogram\.file: \{who\} is not known; allowed: \{subject\}, \{folder\}, \{stem\}",
    ),
    "a list": ("[1, 2]", "a description must map keys to values; allowed: root, "),
    "not a mapping": ("hypnogram: table", "hypnogram must map .*; allowed: format, onset"),
    "not YAML": ("a: [", "not valid YAML"),
    "key given twice": (
        "epoch_s: 30\nroot: a\nepoch_s: 20",
        "(?s)not valid YAML.*line 3: epoch_s is",
    ),
    "label given twice": (
        "stages: {1: N1, '1': N2}",
        r"(?s)not valid YAML.*line 1: stages\.1 is given",
    ),
    "code": ("a: !!python/object/apply:os.getcwd []", "not valid YAML"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_file(tmp_path: Path, case: str) -> None:
    text, message = HOSTILE[case]
    path = write(tmp_path, text)
    with pytest.raises(UserError, match=message) as caught:
        read_description(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_description(tmp_path / "a.yaml")
    with pytest.raises(UserError, match="cannot be read"):
        read_description(tmp_path)


def test_is_description() -> None:
    assert is_description("a.yaml")
    assert is_description("/b/A.YML")
    assert not is_description("npz")
