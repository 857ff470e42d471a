from pathlib import Path

import pytest
import yaml

from sleepsweep.errors import UserError
from sleepsweep.spec.specfile import read_settings, read_study
from sleepsweep.spec.sweepspec import SweepSpec

GOOD = """\
name: good
pretrain: {steps: 100, batch_size: 16}
augmentations:
  size: [0, 2]
  pool:
    TimeWarping: {severity: {uniform: [0.1, 1.0]}, p: {uniform: [0.3, 1.0]}}
    TimeReverse: {p: 0.5}
    Permutation: {n_segments: {choice: [2, 4]}}
scheduler: {grace_steps: 10}
presets:
  short: {pretrain: {steps: 20}}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    return path


def test_a_good_file_is_read_and_aliases_become_names(tmp_path: Path) -> None:
    spec = read_study(SweepSpec, write(tmp_path, GOOD))
    assert list(spec.augmentations.members) == [
        "TimeWarping", "TimeReversal", "Permutation", "Placebo",
    ]  # fmt: skip
    assert spec.rungs == (10, 30, 90, 100)


def test_presets_then_overrides_win(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    assert read_study(SweepSpec, path, preset="short").pretrain.steps == 20
    spec = read_study(SweepSpec, path, preset="short", overrides={"pretrain.steps": 50, "seed": 3})
    assert (spec.pretrain.steps, spec.pretrain.batch_size, spec.seed) == (50, 16, 3)
    assert spec.preset == "short"


def test_a_preset_given_as_a_setting_is_the_preset(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    assert read_study(SweepSpec, path, overrides={"preset": "short"}).pretrain.steps == 20
    with pytest.raises(UserError, match="unknown preset 'nope'"):
        read_study(SweepSpec, path, overrides={"preset": "nope"})


def test_parameters_are_tried_together_not_beside_defaults(tmp_path: Path) -> None:
    entry = "RandomBandStopFilter: {low_hz: 30, high_hz: 40}"
    read_study(SweepSpec, write(tmp_path, GOOD.replace("TimeReverse: {p: 0.5}", entry)))
    both = entry.replace("30", "{uniform: [1, 20]}").replace("40", "{uniform: [5, 28]}")
    with pytest.raises(UserError, match="RandomBandStopFilter"):
        read_study(SweepSpec, write(tmp_path, GOOD.replace("TimeReverse: {p: 0.5}", both)))


def test_what_needs_several_channels_is_refused_for_one(tmp_path: Path) -> None:
    text = GOOD.replace("TimeReverse: {p: 0.5}", "ChannelsDropout: {severity: 0.5}")
    one = "data: {source: edf, root: recordings, derivations: [Fpz-Cz]}\n"
    refusal = (
        r"{}, augmentations\.pool\.ChannelsDropout: .*at least 2 channels; .* have 1.*data\.der"
    )
    for before, line in (("", "line 7"), (one, "line 8")):  # a simulated night has one by habit
        with pytest.raises(UserError, match=refusal.format(line)):
            read_study(SweepSpec, write(tmp_path, before + text))
    # null takes what the files hold, which is seen when they are read.
    for several in ("[Fpz-Cz, Pz-Oz]", "null"):
        read_study(SweepSpec, write(tmp_path, one.replace("[Fpz-Cz]", several) + text))


def test_a_password_is_not_printed(tmp_path: Path) -> None:
    overrides = {"tracking.uri": "http://me:secret@host"}
    with pytest.raises(UserError) as caught:
        read_study(SweepSpec, write(tmp_path, GOOD), overrides=overrides)
    assert "secret" not in str(caught.value)


def test_the_spec_written_out_is_the_same_spec(tmp_path: Path) -> None:
    spec = read_study(SweepSpec, write(tmp_path, GOOD))
    again = write(tmp_path, yaml.safe_dump(spec.model_dump(mode="json")))
    assert read_study(SweepSpec, again) == spec


LISTED = "{test: [a], blocks: [{train: [b], validation: [c], trian: [d]}]}"

DESIGNS = "name: good\nsearch:\n  designs: [none,\n    {}]"

# What is wrong, what replaces it in the good file, and what the message must say.
MISTAKES = [
    ("pretrain: {steps", "pretrain: {stesp", ["line 2, pretrain.stesp", "did you mean steps"]),
    ("TimeWarping", "TimeWarpng", ["line 6", "pool.TimeWarpng", "Did you mean TimeWarping"]),
    ("[0.1, 1.0]", "[0.1, 1.5]", ["line 6", "TimeWarping.severity", "1.5", "at most 1"]),
    ("[0.3, 1.0]", "[1.0, 0.3]", ["TimeWarping.p", "the wrong way round"]),
    ("[0.1, 1.0]", "[0.1, a]", ["TimeWarping.severity", "two numbers"]),
    ("uniform: [0.1", "unifrom: [0.1", ["TimeWarping.severity", "{uniform: [a, b]}"]),
    ("p: 0.5", "severity: 0.5", ["line 7", "has no severity", "its dial is p"]),
    ("p: 0.5", "p: 1.5", ["line 7", "TimeReverse.p", "1.5"]),
    ("n_segments:", "segments:", ["line 8", "unknown parameter", "n_segments"]),
    ("{n_segments", "{severity: 0.5, n_segments", ["line 8", "exclude each other"]),
    ("[2, 4]", "[2, 0]", ["line 8", "Permutation.n_segments", "at least"]),
    ("[0, 2]", "[0, 9]", ["line 4, augmentations.size", "within 0 and 4"]),
    ("steps: 100", "steps: 5", ["scheduler", "grace_steps 10 is beyond pretrain.steps 5"]),
    ("steps: 100", "steps: '100'", ["line 2, pretrain.steps", "integer"]),
    ("name: good", "name: ../good", ["line 1, name", "is no name"]),
    ("name: good", "question: why", ["name", "required"]),
    ("name: good", "name: good\nname: bad", ["line 2", "given twice"]),
    ("name: good", "name: good\nsearch: {sampler: cmaes}", ["search.sampler", "sleepsweep[cmaes]"]),
    (
        "name: good",
        "name: good\nconfirm: {blocks: 1}",
        ["line 2, confirm.blocks", "greater than or equal to 2"],
    ),
    (
        "name: good",
        "name: good\nsearch: {designs: [pars]}",
        ["search.designs.0.pars", "did you mean pairs"],
    ),
    (
        "name: good",
        "name: good\nsearch: {designs: [none, factorial]}",
        ["line 2, search.designs.1.factorial.trials", "required"],
    ),
    ("name: good", DESIGNS.format("{factorial: {trails: 9}}"), ["line 4", "did you mean trials"]),
    (
        "name: good",
        DESIGNS.format("{factorial: {trials: 99}}"),
        ["line 4", "designs.1", "distinct"],
    ),
    (
        "name: good",
        DESIGNS.format("{list: {policies: [[{TimeWarping: {p: 2}}]]}}"),
        [
            "line 4",
            "designs.1.list.policies.0.0.TimeWarping.p",
            "p = 2",
        ],
    ),
    ("name: good", "name: good\nsplit: {protocol: random}", ["split.protocol", "subject"]),
    ("name: good", "name: good\nsplit: {protocol: file}", ["line 2, split", "the key file"]),
    ("name: good", "name: good\nsplit: {folds: 3, validation: 0.1}", ["line 2, split", "exclude"]),
    ("name: good", f"name: good\nsplit: {{listed: {LISTED}}}", ["line 2", "did you mean train"]),
    ("name: good", "name: good\nprobe: {label_fraction: 0}", ["line 2, probe.label_fraction"]),
    ("name: good", "name: good\ndata: {source: hdf5}", ["data.source", "npz"]),
    ("name: good", "name: good\nsearch: {sampler: bayes}", ["line 2, search.sampler", "'nsga2'"]),
    ("grace_steps: 10", "name: halving", ["scheduler.name", "'hyperband', 'median'"]),
    ("name: good", "name: good\nobjective: f1", ["line 2, objective", "allowed: macro_f1, acc"]),
    ("name: good", "name: good\nobjective: [time_s, kappa]", ["line 2, objective", "come first"]),
    ("name: good", "name: good\nobjective: [kappa, kappa]", ["line 2, objective", "once"]),
    ("name: good", "name: good\nobjective: []", ["line 2, objective", "once"]),
    ("name: good", "name: good\npreset: long", ["unknown preset 'long'", "allowed: short"]),
    ("{steps: 20}", "{stps: 20}", ["line 11", "pretrain.stps", "did you mean steps"]),
    ("name: good", "name: !!python/object/apply:os.getcwd []", ["not valid YAML", "python/object"]),
    ("TimeReverse: {p: 0.5}", "TimeWarping : {}", ["line 7", "given twice"]),
    ("TimeReverse: {p: 0.5}", "Placebo:", ["augmentations.pool.Placebo", "placebo: true"]),
    ("Permutation: {n_segments: {choice: [2, 4]}}", "TimeReversal:", ["line 8", "holds TimeRev"]),
    ("n_segments: {choice: [2, 4]}", "n_segments: {uniform: [2, 4]}", ["line 8", "{int: [a, b]}"]),
    ("name: good", "name: good\ntracking: {uri: 'http://me:secret@host'}", ["MLFLOW_TRACKING_U"]),
    ("steps: 100", "steps: 100, learning_rate: .inf", ["pretrain.learning_rate", "finite"]),
    ("presets:", "presets: 5\nx:", ["presets must map"]),
    ("short: {pretrain: {steps: 20}}", "short: 5", ["presets must map"]),
    ("name: good", "name: good\npreset: [short]", ["unknown preset"]),
    ("name: good", "name: good\ndata: &loop {root: *loop}", ["not valid YAML"]),
    (GOOD, "- a\n- b\n", ["a YAML mapping"]),
    (GOOD, "a: [b\n", ["not valid YAML"]),
]


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[str(m[2][0]) for m in MISTAKES])
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: list[str]
) -> None:
    monkeypatch.setattr("sleepsweep.spec.sections.find_spec", lambda name: None)  # no extras
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        read_study(SweepSpec, path)
    message = str(caught.value)
    assert all(text in message for text in said), message
    assert str(path) in message


def test_a_default_that_cannot_be_made_is_no_mistake_to_mend(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("name: good", "name: good\nsplit: {folds: 1}"))
    with pytest.raises(UserError) as caught:
        read_study(SweepSpec, path)
    assert "line 2, split.folds" in str(caught.value)
    assert "more to mend" not in str(caught.value)


def test_a_mistake_of_the_command_line_is_said_to_be_one(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    with pytest.raises(UserError, match=r"pretrain.steps \(given on the command line\)"):
        read_study(SweepSpec, path, overrides={"pretrain.steps": "many"})
    with pytest.raises(UserError, match="give KEY=VALUE"):
        read_settings(["pretrain.steps"])
    assert read_settings(["a.b=[1, 2]", "c=x=y"]) == {"a.b": [1, 2], "c": "x=y"}


def test_a_missing_file_is_named_with_its_nearest_neighbour(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(UserError, match=r"no such file. Did you mean .*space.yaml"):
        read_study(SweepSpec, tmp_path / "spase.yaml")


def test_other_data_are_detected(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such"):
        read_study(SweepSpec, write(tmp_path, GOOD), data=tmp_path / "nothing")
