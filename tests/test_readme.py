"""What the documents show is run: the Python examples, the commands, and the worked example of the file formats."""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_cli_build_cooc import glove

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
CORPORA = ROOT / "corpora" / "README.md"
EXAMPLES = ROOT / "examples" / "README.md"
FIRST = 4  # so many commands, those that a reader tries first, are each a process of its own; it starts for a second
DOCUMENTS = [
    README,
    CORPORA,
    EXAMPLES,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


def blocks(path: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.M | re.S)
    return [text for name, text in fences if name == language]


def commands(path: Path) -> list[list[str]]:
    """Return the arguments of every `glove` command that stands on a line of its own in a block."""
    lines = [line.split(" | ")[-1].split(" > ")[0] for block in blocks(path, "") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("glove ")]


def run(*arguments: str, cwd: Path) -> str:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "GLOVE_RUN": ""}
    del env["GLOVE_RUN"]
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_here(arguments: list[str]) -> None:
    """Run a command in this process, which has loaded what it needs; the folder one is in is the command's."""
    done = glove(*arguments)
    assert done.exit_code == 0, (arguments, done.stderr, done.exception)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that holds what the examples need of a checkout."""
    (tmp_path / "corpora").mkdir()
    shutil.copy(ROOT / "corpora" / "sample.txt", tmp_path / "corpora")
    shutil.copy(ROOT / "corpora" / "sample.txt", tmp_path / "corpus.txt")
    (tmp_path / "tiny.txt").write_text("the cat saw the dog\n")
    return tmp_path


@pytest.mark.parametrize("number", range(len(blocks(README, "python"))))
def test_a_python_example_of_the_readme_runs(number: int, checkout: Path) -> None:
    assert run("-c", blocks(README, "python")[number], cwd=checkout)


def test_the_commands_of_the_readme_run_in_their_order(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    shown = commands(README)
    assert len(shown) > 8
    for arguments in shown[:FIRST]:
        run("-m", "glove_cli", *arguments, cwd=checkout)
    for arguments in shown[FIRST:]:
        run_here(arguments)
    tiny = checkout / "tiny"
    table = re.findall(r"^\| `(\w+)\.npy` \|.*\| `([\d. ]+)` \|$", README.read_text(encoding="utf-8"), re.M)
    assert [name for name, _ in table] == ["indptr", "indices", "data"]
    for name, values in table:
        assert np.load(tiny / "cooc" / f"{name}.npy").tolist() == [float(v) for v in values.split()]
    assert (tiny / "cooc" / "vocab.txt").read_text() == "the 2\ncat 1\ndog 1\nsaw 1\n"
    meta = json.loads((tiny / "cooc" / "meta.json").read_text())
    assert (meta["V"], meta["nnz"], meta["stored"], meta["symmetric"]) == (4, 10, 5, True)
    assert np.load(tiny / "model" / "W.npy").shape == (4, 2)
    lines = [line.split(" ") for line in (checkout / "tiny.vectors.txt").read_text().splitlines()]
    assert [line[0] for line in lines] == ["the", "cat", "dog", "saw", "<unk>"]
    assert {len(line) for line in lines} == {3}


def test_every_command_in_the_other_documents_can_be_parsed() -> None:
    import click

    from glove_cli.cli.main import main

    assert isinstance(main, click.Group)
    shown = [arguments for path in DOCUMENTS[1:] for arguments in commands(path)]
    assert shown
    for name, *rest in shown:
        command = main.commands[name]
        assert command.make_context(name, rest, parent=click.Context(main, **main.context_settings))


def test_every_command_stands_in_the_readme() -> None:
    from glove_cli.cli.main import main

    table = re.findall(r"^\| `glove ([\w-]+)", README.read_text(encoding="utf-8"), re.M)
    assert sorted(table) == sorted(main.commands)


def test_links_between_documents_lead_somewhere() -> None:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_wikipedia_script_writes_an_article_a_line(tmp_path: Path) -> None:
    articles = [
        {"section_texts": ["'''Owls''' are birds.\n", "They don't sleep at night!"]},
        {"section_texts": ["An owl\u2019s head turns."]},
    ]
    with gzip.open(tmp_path / "enwiki.json.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(article) + "\n" for article in articles)
    (script,) = blocks(CORPORA, "python")
    run("-X", "utf8", "-c", script, cwd=tmp_path)
    assert (tmp_path / "enwiki.txt").read_text(encoding="utf-8").splitlines() == [
        "owls are birds . they don't sleep at night !",
        "an owl\u2019s head turns .",
    ]
