"""What a shell makes of the script: it is read by bash itself, and by shellcheck where that is."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from sleepsweep.cluster.slurm.options import SlurmOptions
from sleepsweep.cluster.slurm.script import ranges, render_plain, render_ray

HOSTILE = ["it's", 'a "b"', "$(touch exploded)", "`touch exploded`", "a\nb", "; touch exploded #",
           "--flag", "", "ü", "\\", "{% raw %}", "{{ 7 * 7 }}"]  # fmt: skip


def script(launch: list[str] | None = None, **options: object) -> str:
    made = SlurmOptions.model_validate(options)
    return render_ray(
        made, Path("/a/name"), launch or ["sleepsweep", "launch", "a.yaml"], Path("/a/%j.log")
    )


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


def test_lines_of_the_site_may_use_what_is_not_set(tmp_path: Path) -> None:
    lines = ['export HERE="/a:$NOT_SET"', "echo $PS1"]
    words = ["bash", "-c", 'echo "$HERE"']
    done = exit_of(plain(words, [], env_setup=lines), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "/a:\n" in done.stdout


def test_the_token_is_made_in_the_job_and_stands_in_no_command() -> None:
    lines = [line for line in script().splitlines() if "RAY_AUTH_TOKEN" in line]
    assert lines[0].startswith("RAY_AUTH_TOKEN=$(od ")
    assert lines[1:] == ["export RAY_AUTH_MODE=token RAY_AUTH_TOKEN"]


def plain(words: list[str], orders: list[int], **options: object) -> str:
    made = SlurmOptions.model_validate(options)
    return render_plain(made, Path("/a/name"), words, Path("/a/%A_%a.log"), orders)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], ""), ([4], "4"), ([0, 1, 2], "0-2"), ([7, 0, 1, 3, 9, 8], "0-1,3,7-9")],
)
def test_numbers_of_tasks_are_written_as_ranges(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def test_an_array_has_a_task_for_each_order_and_starts_no_ray() -> None:
    text = plain(["sleepsweep", "slurm", "task", "out"], [0, 1, 5])
    assert "#SBATCH --array=0-1,5\n" in text
    assert "#SBATCH --nodes=1\n" in text
    # The number of the array itself would queue all of its tasks again.
    assert "me=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" in text
    assert "ray start" not in text
    assert "--array" not in plain(["sleepsweep"], [])


def test_a_start_without_any_rung_is_not_repeated_for_ever(tmp_path: Path) -> None:
    told = ["bash", "-c", "trap '' USR1; kill -USR1 $PPID; sleep 0.2; exit 3"]
    done = exit_of(plain(told, []), tmp_path, SLURM_RESTART_COUNT="1")
    assert done.returncode == 3
    assert "give a longer --time" in done.stdout
    assert "scontrol" not in done.stderr


def exit_of(script: str, tmp_path: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a script as Slurm would, with a requeue that only says so."""
    stub(tmp_path, "scontrol", "echo scontrol $* >&2\nexit 1")
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "7", **more}
    script = script.replace("export PATH=", ": ")
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=variables)


def stub(folder: Path, command: str, lines: str) -> None:
    path = folder / command
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("getent", "head"),
    [("echo 10.0.0.5 STREAM node1", "10.0.0.5"), ("echo 127.0.1.1 STREAM node1", "10.0.0.9"),
     ("exit 2", "10.0.0.9")],
)  # fmt: skip
def test_rays_head_is_where_the_other_nodes_can_reach_it(
    getent: str, head: str, tmp_path: Path
) -> None:
    stub(tmp_path, "getent", getent)
    stub(tmp_path, "hostname", "echo '10.0.0.9 fd00::2 '")
    text = script(nodes=2)
    begin, end = text.index("mapfile"), text.index("# Jobs may share")
    done = exit_of(text[begin:end] + 'echo "$head"', tmp_path, SLURM_JOB_NODELIST="node1")
    assert done.stdout.strip() == head, done.stderr


def on_a_node(tmp_path: Path, *ray: str) -> subprocess.CompletedProcess[str]:
    """What a job's node does with a command in the place of Ray's."""
    text = script(scratch="/scratch").replace("/scratch", str(tmp_path))
    begin, end = text.index("export folder="), text.index("# Jobs may share")
    line = f"{text[begin:end]}bash -c 'on_node \"$@\"' _ {shlex.join(ray)}"
    return exit_of(line, tmp_path)


def test_rays_folder_is_the_jobs_own_and_goes_with_it(tmp_path: Path) -> None:
    done = on_a_node(tmp_path, "bash", "-c", 'mkdir "$folder/r"; stat -c "%a %n" "$folder"; exit 5')
    assert done.stdout == f"700 {tmp_path}/ray-7\n"
    assert (done.returncode, done.stderr) == (5, "")
    assert not (tmp_path / "ray-7").exists()


def test_rays_folder_goes_also_when_the_node_is_told_to_end(tmp_path: Path) -> None:
    """Slurm may tell its own child alone, which is the shell around Ray."""
    ray = "trap 'sleep 0.2; touch \"$folder/late\"; exit 6' TERM; kill -TERM $PPID; "
    done = on_a_node(tmp_path, "bash", "-c", ray + "while sleep 0.1; do :; done")
    assert (done.returncode, done.stderr) == (6, "")
    assert not (tmp_path / "ray-7").exists()


def test_what_an_earlier_start_of_the_job_left_is_used_but_not_what_somebody_else_made(
    tmp_path: Path,
) -> None:
    (tmp_path / "ray-7").mkdir()
    assert on_a_node(tmp_path, "true").returncode == 0
    (tmp_path / "ray-7").symlink_to(tmp_path / "nowhere")
    assert on_a_node(tmp_path, "true").returncode == 1
    assert (tmp_path / "ray-7").is_symlink()


@pytest.mark.parametrize("status", [0, 2, 3, 4])
def test_the_job_ends_as_its_command_does_unless_it_was_told_to(
    status: int, tmp_path: Path
) -> None:
    done = exit_of(plain(["bash", "-c", f"exit {status}"], []), tmp_path)
    assert done.returncode == status, done.stderr
    assert "scontrol" not in done.stderr
    told = plain(["bash", "-c", f"trap '' USR1; kill -USR1 $PPID; sleep 0.2; exit {status}"], [])
    done = exit_of(told, tmp_path)
    assert ("scontrol requeue 7" in done.stderr) == (status == 3)
    assert done.returncode == (1 if status == 3 else status)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize(
    "options", [{}, {"container": "apptainer exec a.sif", "env_setup": ["true"]}, {"nodes": 3}]
)
def test_shellcheck_finds_nothing(options: dict[str, object]) -> None:
    launch = ["sleepsweep", "launch", *HOSTILE]
    for text in (script(launch, **options), plain(launch, [1, 2], **options), plain(launch, [])):
        done = subprocess.run(
            ["shellcheck", "-s", "bash", "-"], input=text, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
