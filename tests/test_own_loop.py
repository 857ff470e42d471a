"""What docs/own-loop.md shows runs as it stands, and does what it says of draws."""

import math
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from sleepsweep.plan import Plan
from sleepsweep.policyexport import PolicyExport

PAGE = (Path(__file__).parents[1] / "docs" / "own-loop.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def policy(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exported policy of an anchor, importable; it mixes, flips, shifts and permutes."""
    trial = next(s.trial for s in reversed(plan.slots) if s.kind == "anchor" and s.trial)
    PolicyExport.of(trial, plan.store, "From a test.").write(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "policy", raising=False)


def run(blocks: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "own_loop"}
    module = type(sys)("own_loop")
    monkeypatch.setitem(sys.modules, "own_loop", module)
    for block in blocks:
        exec(compile(block, "own-loop.md", "exec"), names)
    module.__dict__.update(names)
    return names


def test_the_examples_run(policy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skorch")
    assert len(BLOCKS) == 3
    names = run(BLOCKS, monkeypatch)
    net, epochs = names["net"], names["epochs"]
    assert all(math.isfinite(row["train_loss"]) for row in net.history)
    assert len(net.history) == 2
    # Told from epochs as they are: twice the same, which views would not give.
    assert (net.predict_proba(epochs) == names["probabilities"]).all()
    assert not torch.equal(names["transform"](epochs), epochs)


def test_no_two_workers_and_no_two_passes_draw_the_same(
    policy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = run(BLOCKS[:1], monkeypatch)
    exec(BLOCKS[1].split("in_workers")[0], names)
    same = TensorDataset(torch.randn(1, 1, 3000).expand(32, 1, 3000))
    # Two batches, one a worker.
    loader = DataLoader(same, batch_size=16, num_workers=2, collate_fn=names["two_views"])

    def passes() -> list[torch.Tensor]:
        torch.manual_seed(3)
        return [view for _ in range(2) for pair in loader for view in pair]

    drawn = passes()
    for place, view in enumerate(drawn):
        assert not any(torch.equal(view, other) for other in drawn[:place])
    for one, two in zip(drawn, passes(), strict=True):
        assert torch.equal(one, two)
