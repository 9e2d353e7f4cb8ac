"""Small objects for tests."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


def node(
    name: str, *, cpu: str = "4", memory: str = "8Gi", pods: str = "110", **labels: str
) -> Json:
    """A node with room."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}},
        "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": pods}},
    }


def pod(
    name: str, *, cpu: str = "1", memory: str = "1Gi", namespace: str = "default", **spec: Any
) -> Json:
    """A pod that waits, unless the spec says otherwise."""
    resources = {"requests": {"cpu": cpu, "memory": memory}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app": name.partition("-")[0]},
        },
        "spec": {"containers": [{"name": "c", "image": "i", "resources": resources}], **spec},
    }


def service(name: str = "all") -> Json:
    """A service, so that no warning about missing ones comes."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": "nobody"}},
    }


def listed(*objects: Json) -> Json:
    """A List as kubectl prints it."""
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}
