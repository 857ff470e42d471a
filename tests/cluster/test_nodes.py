import subprocess
import sys
from pathlib import Path

import pytest

from sleepsweep.cluster import nodes
from sleepsweep.cluster.nodes import _probe, join_cluster
from sleepsweep.errors import UserError
from sleepsweep.spec.sections import ResourcesSpec


def test_an_address_where_nobody_listens_is_refused_at_once() -> None:
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9: cannot be joined"):
        join_cluster("127.0.0.1:9", {})


@pytest.mark.parametrize("address", ["auto", "10.0.0.1:6379", "head.cluster:6379", None])
def test_addresses_of_clusters(address: str | None) -> None:
    assert ResourcesSpec(cluster=address).cluster == address


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "head:port", "a b:1", "-x:1$(id)"])
def test_what_is_no_address_says_what_is(address: str) -> None:
    with pytest.raises(ValueError, match=r"host:port"):
        ResourcesSpec(cluster=address)


def test_a_node_tells_what_it_lacks(tmp_path: Path) -> None:
    import sleepsweep

    assert _probe(sleepsweep.__version__, [str(tmp_path)])() == ""
    missing = str(tmp_path / "nowhere")
    assert _probe(sleepsweep.__version__, [missing])() == f"does not see {missing}"
    assert "this is 99.0" in _probe("99.0", [])()


def test_a_node_without_sleepsweep_can_be_asked(tmp_path: Path) -> None:
    """The question travels as code: a node that lacks the package answers all the same."""
    import cloudpickle

    asked = tmp_path / "asked.pkl"
    asked.write_bytes(cloudpickle.dumps(_probe("1", [])))
    code = (
        "import pickle, sys; sys.modules['sleepsweep'] = None\n"
        "print(pickle.load(open(sys.argv[1], 'rb'))())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(asked)], capture_output=True, text=True)
    assert done.stdout.strip() == "has no sleepsweep", done.stderr


@pytest.mark.parametrize(("there", "asked"), [([1, 1, 2], 3), ([2], 1)])
def test_ray_is_waited_for_on_all_nodes_of_a_job(
    there: list[int],
    asked: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers = iter(there)
    calls = []

    def alive() -> list[dict[str, object]]:
        calls.append(1)
        return [{}] * next(answers)

    monkeypatch.setattr(nodes, "_alive", alive)
    monkeypatch.setattr("time.sleep", lambda _: None)
    nodes._await_nodes(2)
    assert len(calls) == asked
    assert capsys.readouterr().err == ""


def test_a_node_that_never_comes_is_missed_but_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(nodes, "_alive", lambda: [{}])
    monkeypatch.setattr(nodes, "JOINING_S", 0.0)
    nodes._await_nodes(2)
    assert "only 1 of the job's 2 nodes joined" in capsys.readouterr().err


def test_nodes_are_named_in_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = {"node2": True, "node3": False, "node1": True}
    listed = [{"NodeManagerHostname": host, "Alive": alive} for host, alive in hosts.items()]
    monkeypatch.setattr("ray.nodes", lambda: listed)
    assert [node["NodeManagerHostname"] for node in nodes._alive()] == ["node1", "node2"]
