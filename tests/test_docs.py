"""Documentation that is checked: docstrings fit the code, the changelog fits the version, texts stay short."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from glove_cli.version import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "glove_cli"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def public(path: Path) -> Iterator[tuple[str, Function | ast.ClassDef, ast.ClassDef | None]]:
    """Yield name, node and class of the public functions, classes and methods of a file."""
    for node in ast.parse(path.read_bytes()).body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or node.name.startswith("_"):
            continue
        yield node.name, node, None
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)) and not member.name.startswith("_"):
                    yield f"{node.name}.{member.name}", member, node


MODULES = sorted(p for p in PACKAGE.rglob("*.py") if not p.name.startswith("_") or p.name == "__init__.py")
PUBLIC = [
    pytest.param(node, owner, id=f"{path.relative_to(PACKAGE)}:{name}")
    for path in MODULES
    for name, node, owner in public(path)
]


def section(docstring: str, title: str) -> list[str] | None:
    """Return the names that a numpydoc section documents, without the stars, or None where there is none."""
    match = re.search(rf"^{title}\n-{{{len(title)}}}\n(.*?)(?=^\S[^\n]*\n-{{3,}}\n|\Z)", docstring, re.M | re.S)
    if match is None:
        return None
    heads = [line.split(" : ")[0] for line in match[1].splitlines() if line and not line.startswith(" ")]
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def parameters(function: Function, owner: ast.ClassDef | None) -> list[str]:
    """Return the names of the parameters a caller may give; those that begin with _ are for tests."""
    a = function.args
    every = [*a.posonlyargs, *a.args, *([a.vararg] if a.vararg else []), *a.kwonlyargs, *([a.kwarg] if a.kwarg else [])]
    static = any(getattr(d, "id", "") == "staticmethod" for d in function.decorator_list)
    names = [argument.arg for argument in every]
    return [name for name in names[owner is not None and not static :] if not name.startswith("_")]


def fields(node: ast.ClassDef) -> list[str]:
    """Return the names of a dataclass's public fields."""
    targets = [member.target for member in node.body if isinstance(member, ast.AnnAssign)]
    return [target.id for target in targets if isinstance(target, ast.Name) and not target.id.startswith("_")]


def attributes(node: ast.ClassDef) -> set[str]:
    """Return the names of all attributes of a class: fields, properties, and what its methods assign to self."""
    members = {member.name for member in node.body if isinstance(member, ast.FunctionDef)}
    assigned = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    return members | assigned | set(fields(node))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_bytes()))


@pytest.mark.parametrize(("node", "owner"), PUBLIC)
def test_everything_public_has_a_docstring(node: Function | ast.ClassDef, owner: ast.ClassDef | None) -> None:
    docstring = ast.get_docstring(node)
    assert docstring
    assert docstring.split("\n")[0].endswith((".", ":")), "the first line is a sentence"


@pytest.mark.parametrize(("node", "owner"), PUBLIC)
def test_documented_parameters_are_the_actual_ones(node: Function | ast.ClassDef, owner: ast.ClassDef | None) -> None:
    docstring = ast.get_docstring(node) or ""
    if isinstance(node, ast.ClassDef):
        assert set(section(docstring, "Attributes") or ()) <= attributes(node)
        if "Parameters\n---" in docstring and fields(node):
            assert section(docstring, "Parameters") == fields(node)
        return
    documented = section(docstring, "Parameters")
    if documented is not None:
        assert documented == parameters(node, owner)


def test_a_section_that_does_not_fit_is_seen() -> None:
    docstring = (
        "Do it.\n\nParameters\n----------\na, b : int\n    Two.\n**rest : str\n    More.\n\nReturns\n-------\nint"
    )
    assert section(docstring, "Parameters") == ["a", "b", "rest"]
    assert section(docstring, "Raises") is None
    owner = ast.parse("class A:\n    def f(self, a, *, b, _hidden=1, **rest): pass").body[0]
    assert isinstance(owner, ast.ClassDef)
    function = owner.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert parameters(function, owner) == ["a", "b", "rest"]
    assert parameters(function, None) == ["self", "a", "b", "rest"]


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert headings[0] == __version__


def test_development_needs_are_the_same_as_extra_and_as_group() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["optional-dependencies"]["dev"] == project["dependency-groups"]["dev"]


def test_the_notes_for_contributors_are_short() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) < 60


def test_decisions_are_numbered_and_dated() -> None:
    headings = re.findall(r"^## (.*)", (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8"), re.M)
    for number, heading in enumerate(headings, 1):
        assert re.fullmatch(rf"{number}\. .+ \(\d{{4}}-\d\d-\d\d\)", heading)
