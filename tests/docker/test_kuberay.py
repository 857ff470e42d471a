"""kuberay.yaml, as far as it can be judged without Kubernetes: shapes, names, options."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PARTS: dict[str, dict[str, Any]] = {
    part["kind"]: part
    for part in yaml.safe_load_all((ROOT / "docker" / "kuberay.yaml").read_text())
}
CLUSTER = PARTS["RayCluster"]["spec"]
GROUPS = [CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]]
TEMPLATES = [*(group["template"] for group in GROUPS), PARTS["Job"]["spec"]["template"]]
CONTAINERS = [template["spec"]["containers"][0] for template in TEMPLATES]
LAUNCH = CONTAINERS[-1]["command"][-1]


@pytest.mark.parametrize("kind", ["PersistentVolumeClaim", "Job", "PodTemplate"])
def test_what_kubernetes_itself_defines_has_its_shape(kind: str) -> None:
    validate = pytest.importorskip("kubernetes_validate").validate
    about = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "a"}}
    parts = [{**about, "template": template} for template in TEMPLATES]
    for part in parts if kind == "PodTemplate" else [PARTS[kind]]:
        validate(part, "1.34", strict=True)


def test_the_cluster_has_the_keys_of_kuberay_and_its_versions_are_those_of_the_image() -> None:
    assert set(CLUSTER) == {"rayVersion", "headGroupSpec", "workerGroupSpecs"}
    assert set(GROUPS[0]) == {"rayStartParams", "template"}
    keys = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
    assert all(set(group) == keys for group in GROUPS[1:])
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert f"ray=={CLUSTER['rayVersion']}" in {pin.partition(" ")[0] for pin in pins}
    compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
    image = compose["services"]["mlflow"]["image"]
    assert {container["image"] for container in CONTAINERS} == {image}


def test_ray_is_started_with_options_that_it_has() -> None:
    ray = Path(sys.executable).parent / "ray"
    said = subprocess.run([ray, "start", "--help"], capture_output=True, text=True).stdout
    for group in GROUPS:
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        assert all(f"--{option} " in said for option in group["rayStartParams"])


def test_all_see_the_same_folders_and_let_in_by_the_token_of_the_secret() -> None:
    for container in CONTAINERS:
        paths = {mount["mountPath"]: mount["subPath"] for mount in container["volumeMounts"]}
        assert paths == {"/study/runs": "runs", "/study/cache": "cache"}
        token = {entry["name"]: entry for entry in container["env"]}
        assert token["RAY_AUTH_MODE"]["value"] == "token"
        assert token["RAY_AUTH_TOKEN"]["valueFrom"]["secretKeyRef"]["name"] == "sleepsweep-ray"
    claim = PARTS["PersistentVolumeClaim"]["metadata"]["name"]
    for template in TEMPLATES:
        volumes = template["spec"]["volumes"]
        assert [each["persistentVolumeClaim"]["claimName"] for each in volumes] == [claim]
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True


def test_the_job_asks_for_the_clusters_head() -> None:
    """KubeRay calls the service of a cluster's head by the cluster's name and ``-head-svc``."""
    head = f"{PARTS['RayCluster']['metadata']['name']}-head-svc:6379"
    assert set(re.findall(r"[\w-]+-head-svc:\d+", LAUNCH)) == {head}
    assert f"--cluster {head}" in LAUNCH
