"""What docs/evaluation.md shows is run, and what it says of the package's own questions is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from test_cli_build_cooc import glove
from test_readme import blocks

from glove_cli.evaluation.groups import read_categories, read_outliers
from glove_cli.evaluation.own_questions import own_pairs, own_questions
from glove_cli.evaluation.own_questions.make import read_relation
from glove_cli.evaluation.questions import read_pairs, read_questions

DOCUMENT = Path(__file__).parents[1] / "docs" / "evaluation.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with the files that the document shows, and vectors for their words."""
    monkeypatch.chdir(tmp_path)
    names = re.findall(r"`(\w+\.txt)`:\n\n```text\n", TEXT)
    assert names == ["questions.txt", "pairs.txt", "kinds.txt", "months.txt"]
    for name, text in zip(names, blocks(DOCUMENT, "text"), strict=True):
        (tmp_path / name).write_text(text)
    own = [line.split()[0] for line in (own_questions() / "capitals.txt").read_text().splitlines() if line[0] != "#"]
    words = sorted({*re.findall(r"[a-z]+", " ".join(blocks(DOCUMENT, "text"))), *own, "zagreb", "tehran"})
    rows = np.random.default_rng(0).normal(size=(len(words), 3)).tolist()
    lines = [f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, rows, strict=True)]
    (tmp_path / "vectors.txt").write_text("".join(lines))
    return tmp_path


def test_the_commands_shown_run(shown: Path) -> None:
    commands = [line for block in blocks(DOCUMENT, "") for line in block.splitlines()]
    assert len(commands) == 4
    for command in commands:
        result = glove(*shlex.split(command)[1:])
        assert result.exit_code == 0, result.output
        assert result.stdout


def test_the_files_shown_are_read(shown: Path) -> None:
    assert [(name, len(asked)) for name, asked in read_questions("questions.txt")] == [
        ("rivers", 2),
        ("gram-plurals", 1),
    ]
    assert [score for _, _, score in read_pairs("pairs.txt")] == [8.5, 3, 0.5]
    assert len(read_categories("kinds.txt")) == 4
    assert [len(part) for part in read_outliers("months.txt")] == [3, 2]


def test_the_python_shown_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks(DOCUMENT, "python")
    exec(compile(code, str(DOCUMENT), "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert {word for line in lines for word in line.split()} >= {"albania", "albanian", "china"}


def test_the_numbers_of_own_questions_are_right() -> None:
    sections = read_questions(own_questions())
    pairs = [pair for path in own_pairs().glob("*.txt") for pair in read_relation(path)[1]]
    questions = sum(len(asked) for _, asked in sections)
    assert f"{questions:,} questions in {len(sections)} sections, made of {len(pairs)} pairs" in TEXT
    assert questions == 2645
    assert sum(name.startswith("gram") for name, _ in sections) == 9
    package = (own_questions().parent / "__init__.py").read_text(encoding="utf-8")
    assert f"{questions:,} in {len(sections)} sections" in package


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (DOCUMENT.parent / target).exists()
