"""What a shell makes of the script: it is read by bash itself, and by shellcheck where that is."""

import shutil
import subprocess
from pathlib import Path

import pytest

from sleepsweep.cluster.slurm.options import SlurmOptions
from sleepsweep.cluster.slurm.script import render

HOSTILE = ["it's", 'a "b"', "$(touch exploded)", "`touch exploded`", "a\nb", "; touch exploded #",
           "--flag", "", "ü", "\\", "{% raw %}", "{{ 7 * 7 }}"]  # fmt: skip


def script(launch: list[str] | None = None, **options: object) -> str:
    made = SlurmOptions.model_validate(options)
    return render(made, "name", launch or ["sleepsweep", "launch", "a.yaml"], Path("/a/%j.log"))


def test_directives_stand_before_the_first_command() -> None:
    lines = script(nodes=3, time="1:00", sbatch={"constraint": "a100"}).splitlines()
    first = next(n for n, line in enumerate(lines) if line and not line.startswith("#"))
    directives = [line for line in lines if line.startswith("#SBATCH")]
    assert lines.index(directives[-1]) < first
    for wanted in ("--nodes=3", "--time=1:00", "--constraint=a100", "--output=/a/%j.log",
                   "--requeue", "--signal=B:USR1@120"):  # fmt: skip
        assert f"#SBATCH {wanted}" in directives


@pytest.mark.parametrize("word", HOSTILE)
def test_words_of_the_launch_reach_it_as_they_are(word: str, tmp_path: Path) -> None:
    text = script(["printf", "<%s>", word])
    assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0
    start = text.index('"${inside[@]}" printf')
    line = text[start : text.index(" --cluster", start)].replace('"${inside[@]}" ', "")
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == f"<{word}>"
    assert list(tmp_path.iterdir()) == []


def test_the_environment_is_set_up_before_ray_and_the_container_is_around_it() -> None:
    text = script(env_setup=["module load cuda"], container="apptainer exec --nv 'a b.sif'")
    assert text.index("module load cuda") < text.index("ray start")
    assert "inside=(apptainer exec --nv 'a b.sif')" in text


def test_the_token_is_made_in_the_job_and_stands_in_no_command() -> None:
    lines = [line for line in script().splitlines() if "RAY_AUTH_TOKEN" in line]
    assert lines[0].startswith("RAY_AUTH_TOKEN=$(od ")
    assert lines[1:] == ["export RAY_AUTH_MODE=token RAY_AUTH_TOKEN"]


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize(
    "options", [{}, {"container": "apptainer exec a.sif", "env_setup": ["true"]}]
)
def test_shellcheck_finds_nothing(options: dict[str, object]) -> None:
    launch = ["sleepsweep", "launch", *HOSTILE]
    done = subprocess.run(
        ["shellcheck", "-s", "bash", "-"], input=script(launch, **options), capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
