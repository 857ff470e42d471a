from pathlib import Path
from typing import Any

import pytest

from sleepsweep.cluster.slurm.options import SlurmOptions, read_options
from sleepsweep.errors import UserError


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The site's profile, which is not there unless a test writes it."""
    path = tmp_path / "slurm.yaml"
    monkeypatch.setenv("SLEEPSWEEP_SLURM", str(path))
    return path


def test_options_win_over_the_sites_profile(profile: Path) -> None:
    profile.write_text("partition: cpu\nnodes: 4\nsbatch: {constraint: a100, reservation: lab}\n")
    options = read_options({"nodes": 2, "partition": None}, ["constraint=h100"])
    assert (options.nodes, options.partition) == (2, "cpu")
    assert options.sbatch == {"constraint": "h100", "reservation": "lab"}


def test_without_a_profile_the_defaults_hold() -> None:
    assert read_options({}, []) == SlurmOptions()


def test_directives_are_what_was_asked_for_and_no_more() -> None:
    options = SlurmOptions(gpus_per_node=2, mail="a@b.org", sbatch={"nice": "10"})
    assert options.directives == {
        "mail-user": "a@b.org", "mail-type": "END,FAIL,REQUEUE", "gpus-per-node": "2",
        "nice": "10",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "settings", "said"),
    [
        ({"time": "1:00\n#SBATCH --uid=0"}, [], "--time"),
        ({"partition": "a b"}, [], "--partition"),
        ({"account": "$(id)"}, [], "--account"),
        ({"qos": "`id`"}, [], "--qos"),
        ({"mail": "a@b; rm -rf /"}, [], "--mail"),
        ({"qos": "a'b"}, [], "--qos"),
        ({"qos": 'a"b'}, [], "--qos"),
        ({"qos": "a\\b"}, [], "--qos"),
        ({"qos": "a#b"}, [], "--qos"),
        ({"nodes": 0}, [], "--nodes"),
        ({"env_setup": ["a\nb"]}, [], "--env-setup"),
        ({"container": ""}, [], "--container"),
        ({}, ["constraint"], "give KEY=VALUE"),
        ({}, ["constraint=a b"], "--sbatch constraint"),
        ({}, ["a b=c"], "--sbatch a b"),
        ({}, ["signal=USR2"], "set by the script itself"),
        ({}, ["--output=x"], "set by the script itself"),
    ],
)
def test_a_mistake_names_the_option(given: dict[str, Any], settings: list[str], said: str) -> None:
    with pytest.raises(UserError) as caught:
        read_options(given, settings)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("partitoin: cpu", "unknown key; allowed: nodes"),
        ("nodes: many", "nodes"),
        ("- a", "a YAML mapping"),
        ("a: [", "cannot be read as YAML"),
        ("sbatch: {signal: x}", "set by the script itself"),
        ("time: 12:00:00", 'time: YAML reads 43200; put it in quotes, as `time: "12:00:00"`'),
        ("sbatch: {nice: 10}", "YAML reads 10; put it in quotes"),
    ],
)
def test_a_mistake_in_the_profile_names_the_file(profile: Path, text: str, said: str) -> None:
    profile.write_text(text)
    with pytest.raises(UserError) as caught:
        read_options({}, [])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "wanted", ["a100|h100", "[rack1|rack2]&avx512", "(a100|h100)&nvme*2", "node?"]
)
def test_what_slurm_itself_reads_may_stand_in_an_option(wanted: str) -> None:
    assert read_options({}, [f"constraint={wanted}"]).directives == {"constraint": wanted}


def test_an_empty_profile_is_none(profile: Path) -> None:
    profile.write_text("# nothing yet\n")
    assert read_options({}, []) == SlurmOptions()
