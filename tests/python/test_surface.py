"""What the package shows: names, types, documentation, and what is in the wheel."""

import importlib
import inspect
import logging
import pkgutil
import subprocess
import sys
from importlib import metadata, resources

import pytest

import bayplan
from bayplan import _native

PUBLIC = [
    "bayplan",
    "bayplan.decisions",
    "bayplan.exceptions",
    "bayplan.scheduling",
    "bayplan.trace",
    "bayplan.types",
    "bayplan.vxlan",
]


def test_the_native_names_are_those_of_the_stub() -> None:
    names = {name for name in dir(_native) if not name.startswith("__")}
    assert names == {
        *("Cluster", "Decisions", "Scheduler", "SEMANTICS"),
        *("VxlanCapture", "VxlanDecoder", "VxlanEncap"),
        *("vxlan_columns", "vxlan_faults", "vxlan_layers"),
        *("vxlan_decode", "vxlan_encode", "vxlan_decode_headers", "vxlan_encode_headers"),
        *("workload", "workload_names", "workloads", "write_workload"),
    }
    assert _native.__version__ == bayplan.__version__ == metadata.version("bayplan") == "0.1.0"
    assert bayplan.Scheduler().semantics == _native.SEMANTICS


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_exists_and_is_documented(module: str) -> None:
    loaded = importlib.import_module(module)
    assert loaded.__doc__
    for name in loaded.__all__:
        value = getattr(loaded, name)
        if inspect.isclass(value) and value.__module__.startswith("bayplan"):
            assert value.__doc__, name
            for member, attribute in vars(value).items():
                if not member.startswith("_") and (
                    inspect.isroutine(attribute) or isinstance(attribute, property)
                ):
                    assert inspect.getdoc(getattr(value, member)), f"{name}.{member}"


def test_all_is_sorted_and_whole() -> None:
    assert bayplan.__all__ == sorted(bayplan.__all__)
    public = {n for n in vars(bayplan) if not n.startswith("_")}
    modules = {module.name for module in pkgutil.iter_modules(bayplan.__path__)} | {"logging"}
    assert public - modules == set(bayplan.__all__) - {"__version__"}


def test_the_package_carries_its_types_schemas_and_example() -> None:
    files = {path.name for path in resources.files("bayplan").iterdir()}
    assert {"py.typed", "_native.pyi", "schema", "example"} <= files
    assert not [path for path in metadata.files("bayplan") or [] if "tests" in path.parts]


def test_importing_does_not_import_numpy() -> None:
    code = "import bayplan, sys; assert 'numpy' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_says_nothing_unless_logging_is_set_up() -> None:
    assert any(isinstance(h, logging.NullHandler) for h in logging.getLogger("bayplan").handlers)


@pytest.mark.parametrize("cls", [_native.Cluster, _native.Decisions])
def test_native_objects_come_only_from_calls(cls: type) -> None:
    with pytest.raises(TypeError):
        cls()


@pytest.mark.parametrize("value", [None, 1, "text", object(), [], {}])
def test_wrong_arguments_to_the_native_side_are_type_errors(value: object) -> None:
    scheduler = _native.Scheduler()
    with pytest.raises((TypeError, ValueError)):
        scheduler.filter(value, "x")  # type: ignore[arg-type]
    with pytest.raises((TypeError, ValueError)):
        _native.Cluster.load([value])  # type: ignore[list-item]
