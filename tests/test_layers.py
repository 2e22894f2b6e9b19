"""The shape of the package: imports go one way, kernels are islands, and starting up is cheap."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from numba.core.dispatcher import Dispatcher

PACKAGE = Path(__file__).parents[1] / "glove_cli"
MODULES = sorted(PACKAGE.rglob("*.py"))
KERNELS = [path for path in MODULES if path.name.startswith("kernels")]

# Each may import only what stands before it. `training` comes after `model`, because it returns one, and after
# `vectors`, because it starts from some.
LAYERS = [
    "version",
    "recipes",
    "errors",
    "inputs",
    "temporary",
    "files",
    "shared",
    "memory",
    "workspace",
    "parallel",
    "vocab",
    "folder",
    "corpus",
    "cooc",
    "model",
    "vectors",
    "training",
    "cluster",
    "spectral",
    "uncertainty",
    "evaluation",
    "comparison",
    "language",
    "plots",
    "cli",
]
TOP = {"__init__", "__main__"}  # the package's face and its start: above all layers


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of every module that is imported anywhere in a file, also within functions."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            assert node.module is not None
            if node.module == "glove_cli":
                yield from (f"glove_cli.{alias.name}" for alias in node.names)
            else:
                yield node.module


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer_of(path) for path in MODULES} - TOP <= set(LAYERS)


@pytest.mark.parametrize("path", [path for path in MODULES if layer_of(path) not in TOP], ids=name)
def test_imports_go_one_way(path: Path) -> None:
    own = layer_of(path)
    for module in imports(path):
        if module.split(".")[0] != "glove_cli":
            continue
        imported = module.split(".")[1]
        assert imported == own or imported in LAYERS[: LAYERS.index(own)], f"{own} imports {module}"


def test_there_are_kernels() -> None:
    assert KERNELS


@pytest.mark.parametrize("path", KERNELS, ids=name)
def test_a_kernel_file_is_an_island(path: Path) -> None:
    # llvmlite is part of Numba: what its intrinsics are written with.
    assert {module.split(".")[0] for module in imports(path)} <= {"__future__", "llvmlite", "math", "numba", "numpy"}


@pytest.mark.parametrize("path", KERNELS, ids=name)
def test_kernels_are_compiled_with_their_options_spelled_out(path: Path) -> None:
    allowed = {"contract", "reassoc", "nsz", "arcp", "afn"}  # what keeps a NaN visible
    kernels = 0
    tree = ast.parse(path.read_bytes())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and [getattr(d, "id", "") for d in node.decorator_list] != ["intrinsic"]:
            assert any(isinstance(d, ast.Call) for d in node.decorator_list), f"{node.name}: no options of its own"
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "njit"):
            continue
        kernels += 1
        options = {k.arg: ast.literal_eval(k.value) for k in node.keywords if k.arg is not None}
        assert options.get("cache") is True
        assert options.get("nogil") is True
        assert options.get("fastmath", set()) != True  # noqa: E712
        assert set(options.get("fastmath", ())) <= allowed
    assert kernels


@pytest.mark.parametrize("path", KERNELS, ids=name)
def test_every_kernel_is_compiled_before_the_first_test(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
    kernels = {key: value for key, value in vars(module).items() if isinstance(value, Dispatcher) and key[0] != "_"}
    assert kernels
    assert [key for key, kernel in kernels.items() if not kernel.signatures] == []


def test_the_oracle_imports_nothing_of_ours() -> None:
    for module in imports(Path(__file__).with_name("oracle.py")):
        assert module.split(".")[0] != "glove_cli"


@pytest.mark.parametrize(
    "statement",
    [
        "import glove_cli",
        "from contextlib import suppress\nfrom glove_cli.cli.main import main\nwith suppress(SystemExit): main(['-h'])",
    ],
    ids=["import glove_cli", "glove --help"],
)
def test_starting_up_imports_neither_numba_nor_scipy(statement: str) -> None:
    code = f"import sys\n{statement}\nsys.exit(', '.join({{'numba', 'scipy'}} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
