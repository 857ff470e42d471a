"""What is written beside the page: readable, escaped, versioned, and all of it or nothing."""

import json
import shutil
import subprocess
from dataclasses import replace

import pandas as pd
import plotly.io
import pytest

from sleepsweep.results import ResultsTable
from sleepsweep_analysis.report import write
from sleepsweep_analysis.report.columns import count, signed, text
from sleepsweep_analysis.report.files import write_all
from sleepsweep_analysis.report.section import Table
from sleepsweep_analysis.report.textable import latex, latex_text, markdown

HOSTILE = '50% of a_b & c#d $x$ {y} ~z^2 \\input{/etc/passwd} 中 é µ\n% [1ex] "q" <b>|−±'


def a_table(name: str = HOSTILE) -> Table:
    frame = pd.DataFrame({"name": [name, "[b]"], "n": [3000, 2], "effect": [-1.25, float("nan")]})
    columns = (text("name", "Name & co"), count("n", "n"), signed("effect", "Effect (±)"))
    return Table("hostile", f"All of {name}", frame, columns, note="100 % sure\nof it")


def test_tables_are_written_in_three_forms(filled, table, tmp_path):
    write(filled(table), tmp_path)
    for name in ("effects", "categories", "size_curve", "interactions", "leaderboard"):
        frame = pd.read_csv(tmp_path / "tables" / f"{name}.csv")
        assert len(frame)
        assert (tmp_path / "tables" / f"{name}.md").read_text().count("\n|") >= len(frame) + 1
        assert r"\toprule" in (tmp_path / "tables" / f"{name}.tex").read_text()
    effects = pd.read_csv(tmp_path / "tables" / "effects.csv")
    pd.testing.assert_frame_equal(effects, filled(table).effects, rtol=1e-5, check_dtype=False)


def test_the_tables_of_the_sweep_are_copied(filled, table, tmp_path):
    write(filled(table), tmp_path)
    again = ResultsTable.read(tmp_path)
    pd.testing.assert_frame_equal(again.trials, table.trials)
    pd.testing.assert_frame_equal(again.subjects, table.subjects)


def test_figures_are_files_that_plotly_reads(filled, table, tmp_path):
    write(filled(table), tmp_path)
    paths = sorted((tmp_path / "figures").glob("*.json"))
    assert {"augmentations.json", "sizes.json", "confusions-3.json"} <= {p.name for p in paths}
    for path in paths:
        figure = plotly.io.read_json(path)
        assert figure.layout.meta["finding"]
        assert '"@' not in path.read_text()


def test_results_are_versioned_and_hold_the_headline_numbers(filled, table, tmp_path):
    analysis = filled(table)
    write(analysis, tmp_path)
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["schema"] == "sleepsweep.results"
    assert found["schema_version"] == 1
    assert found["refused"] == {"best": analysis.checks[1].effect}
    assert found["warnings"] == {"ONE_SPLIT": "red", "WINNER": "amber", "PLACEBO": "green"}
    assert found["counts"]["trials"] == 60
    top = found["tables"]["effects"][0]
    assert top["augmentation"] == analysis.effects["augmentation"].iloc[0]
    assert top["effect"] == pytest.approx(analysis.effects["effect"].iloc[0], rel=1e-5)
    assert found["tables"]["variance"][2]["sd"] is None
    checks = json.loads((tmp_path / "checks.json").read_text())
    assert [check["code"] for check in checks] == ["ONE_SPLIT", "WINNER", "PLACEBO"]
    assert checks[1]["refuses"] == ["best"]


def test_a_second_report_replaces_the_first_byte_by_byte(filled, table, tmp_path):
    first = write(filled(table), tmp_path).read_bytes()
    assert write(filled(table), tmp_path).read_bytes() == first
    assert not [path for path in tmp_path.rglob("*") if "partial" in path.name]


def test_a_report_that_fails_leaves_the_old_one(filled, table, tmp_path):
    page = write(filled(table), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    broken = filled(table, effects=filled(table).effects.drop(columns="verdict"))
    with pytest.raises(KeyError, match="verdict"):
        write(broken, tmp_path)

    def full(folder):
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_all(tmp_path, {"index.html": "half", "tables/effects.csv": ""}, full)
    assert page.read_bytes() == before[page]
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_markdown_is_escaped():
    lines = markdown(a_table()).splitlines()
    assert lines[2:4] == ["| Name & co | n | Effect (±) |", "| :-- | --: | --: |"]
    assert lines[4].endswith("| 3,000 | −1.2 |")
    assert r"a\_b" in lines[4]
    assert r"\<b\>\|" in lines[4]
    assert len(lines) == 8


def test_latex_is_escaped():
    made = latex(a_table())
    assert r"50\% of a\_b \& c\#d \$x\$ \{y\}" in made
    assert r"\textbackslash{}input\{/etc/passwd\}" in made
    assert "{[}U+4E2D{]} é $\\mu$" in made
    assert "$-$1.2" in made
    assert made.splitlines()[0].startswith("% All of 50")
    assert latex_text("−±–\u00a0") == r"$-$$\pm$--~"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(filled, table, tmp_path):
    study = replace(table.study, name=HOSTILE)
    write(filled(replace(table, study=study)), tmp_path)
    (tmp_path / "tables" / "hostile.tex").write_text(latex(a_table()))
    inputs = "\n\n".join(rf"\input{{tables/{p.stem}}}" for p in (tmp_path / "tables").glob("*.tex"))
    head, end = r"\documentclass{article}\usepackage{booktabs}\begin{document}", r"\end{document}"
    (tmp_path / "all.tex").write_text(f"{head}{inputs}{end}")
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-2000:]
    assert (tmp_path / "all.pdf").stat().st_size > 10_000
