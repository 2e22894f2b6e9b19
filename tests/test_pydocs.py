"""The corpus made from installed documentation: what is prose, what is left out, and that it is always the same."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "corpora" / "pydocs.py"


@pytest.fixture(scope="module")
def pydocs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pydocs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    package = tmp_path / "tree" / "package"
    (package / "site-packages").mkdir(parents=True)
    (package / "b.py").write_text(
        '"""Sort the rows of a table.\n\nThe order is stable."""\n'
        "# The comments of a program explain why it does what it does.\n"
        "\n"
        "# for row in rows: a = [row + row for row in rows if row] or rows\n"
        "\n"
        "# total = sum(values) + sum(others) + sum(more) + sum(of_them) + sum(all_of_it)\n"
        "\n"
        "# too short to keep\n"
        "text = '''\n# This looks like a comment, but it stands inside a string that is data.\n'''\n"
        "def f():\n    '''Return the first element that fits.'''\n"
        "name = 1\n'''An attribute may have a docstring, too.'''\n"
    )
    (package / "a.py").write_text("def f():\n    'Return the first element that fits.'\n")
    (package / "broken.py").write_text("def (:\n")
    (package / "topics.py").write_text("topics = {'if': 'The statement is used for conditional execution.'}\n")
    (package / "new.py").write_text("add_newdoc('numpy', 'sum', 'Add the elements of an array together.')\n")
    (package / "site-packages" / "c.py").write_text('"""This one is left to the other folder."""\n')
    return tmp_path / "tree"


EXPECTED = """\
return the first element that fits .
sort the rows of a table . the order is stable .
the comments of a program explain why it does what it does .
an attribute may have a docstring , too .
add the elements of an array together .
the statement is used for conditional execution .
"""


def test_a_tree_gives_exactly_this_text_each_time(tree: Path, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        done = run(tmp_path / name, "--from", tree)
        assert done.returncode == 0, done.stderr
        assert "6 documents, from 5 files (1 could not be parsed)" in done.stdout
        assert (tmp_path / name).read_text() == EXPECTED
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.txt", "tree", "two.txt"]


def test_a_comment_is_kept_when_it_is_prose(pydocs: ModuleType) -> None:
    source = b"x = 1\n# A comment may run over two lines\n# and is then one document, as it should be.\n"
    assert pydocs.texts_of(source) == ["a comment may run over two lines and is then one document , as it should be ."]


@pytest.mark.parametrize(
    ("docstring", "text"),
    [
        (
            "Don't split well-known words apart, nor e.g. 0.5; but (this) you may.",
            "don't split well-known words apart , nor e.g. 0.5 ; but ( this ) you may .",
        ),
        ("See :func:`~numpy.linalg.norm` and ``out`` of `this`.", "see norm and out of this ."),
        ("A *very* **bold** move by |someone| at https://example.org now.", "a very bold move by someone at now ."),
        ("Some words first.\n\n>>> f(1)\nthe answer is one\n\nAnd more after.", "some words first . and more after ."),
        ("This is shown so::\n\n    for each of them\n\nand then it ends.", "this is shown so : and then it ends ."),
        ("Title of all\n------------\nThe text is below.", "the text is below ."),
        ("Parameters\n----------\nx : array_like, (n,)\n    Where the sum is taken.", "where the sum is taken ."),
        (".. versionadded:: 1.2\n\n.. math::\n\n    one plus two\n\nNothing else is left.", "nothing else is left ."),
        (".. note:: This is worth knowing.", "this is worth knowing ."),
        ("=== ===\none two\n=== ===\n", ""),
        (".. [1] Author of the book,\n   title of the book.\n\nOnly this is kept.", "only this is kept ."),
        ("- the first of them\n- the second of them", "the first of them the second of them"),
        (":param size: how many there are\n:returns: all of these things", "how many there are all of these things"),
        ("x = [y[i] * 2 + (z << 3) for i in w]", ""),
    ],
)
def test_only_prose_is_left(pydocs: ModuleType, docstring: str, text: str) -> None:
    assert pydocs.prose(docstring) == text


def test_what_cannot_be_done_is_said_in_one_line(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, message in [
        ((tmp_path / "no" / "out.txt", "--from", tree), "can't be written: No such file or directory"),
        ((tmp_path / "out.txt", "--from", tmp_path / "missing"), "is not a folder"),
        ((tmp_path / "out.txt", "--from", tmp_path / "empty"), "no documentation found"),
    ]:
        done = run(*arguments)
        assert done.returncode == 1
        assert message in done.stderr
        assert done.stdout == ""
        assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "tree"]
