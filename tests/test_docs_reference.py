"""The page for users of the original tools, and the page on how it works: options, defaults and commands are real."""

from __future__ import annotations

import filecmp
import re
import shutil
from pathlib import Path

import click
import numpy as np
import pytest
from test_readme import ROOT, blocks, commands, run, run_here

from glove_cli.cli.main import main

PAGE = ROOT / "docs" / "from-the-reference.md"
HOW = ROOT / "docs" / "how-it-works.md"
NONE = ""
# What the tools' usage prints (version of July 2025), and the defaults in their source; evaluate.py's from its parser.
THEIRS = {
    "vocab_count": {"-verbose": "2", "-max-vocab": "0", "-min-count": "1"},
    "cooccur": {
        "-verbose": "2",
        "-symmetric": "1",
        "-window-size": "15",
        "-vocab-file": "vocab.txt",
        "-memory": "3",
        "-max-product": "by `-memory`",
        "-overflow-length": "by `-memory`",
        "-overflow-file": "overflow",
        "-distance-weighting": "1",
    },
    "shuffle": {
        "-verbose": "2",
        "-memory": "2",
        "-array-size": "by `-memory`",
        "-temp-file": "temp_shuffle",
        "-seed": "0",
    },
    "glove": {
        "-verbose": "2",
        "-write-header": "0",
        "-vector-size": "50",
        "-threads": "8",
        "-iter": "25",
        "-eta": "0.05",
        "-alpha": "0.75",
        "-x-max": "100",
        "-grad-clip": "100",
        "-binary": "0",
        "-model": "2",
        "-input-file": "cooccurrence.shuf.bin",
        "-vocab-file": "vocab.txt",
        "-save-file": "vectors",
        "-gradsq-file": "gradsq",
        "-save-gradsq": "0",
        "-checkpoint-every": "0",
        "-load-init-param": "0",
        "-save-init-param": "0",
        "-init-param-file": "vectors.000.bin",
        "-load-init-gradsq": "0",
        "-init-gradsq-file": "gradsq.000.bin",
        "-seed": "0",
    },
    "evaluate.py": {"--vocab_file": "vocab.txt", "--vectors_file": "vectors.txt"},
}


def tables() -> dict[str, tuple[str | None, list[list[str]]]]:
    """Return for each tool our command, if there is one, and the rows of its table."""
    parts = re.findall(r"^### (\S+): (.*?)\n(.*?)(?=^##|\Z)", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    result = {}
    for tool, heading, text in parts:
        own = re.match(r"`glove ([\w-]+)`", heading)
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
        result[tool] = own[1] if own else None, rows[2:]
    return result


def shown_default(command: str, option: str) -> str:
    """Return the default that the help of an option shows, or what stands for none."""
    assert isinstance(main, click.Group)
    context = click.Context(main.commands[command], info_name=command, **main.context_settings)
    (parameter,) = [p for p in main.commands[command].params if option in (*p.opts, *p.secondary_opts)]
    assert isinstance(parameter, click.Option)
    record = parameter.get_help_record(context)
    assert record is not None
    found = re.search(r"\[(?:env var: \w+; )?default: (.*)\]$", record[1], re.S)
    return found[1] if found else NONE


def same(cell: str, default: str) -> bool:
    """Tell whether a cell of the table says what the help shows, or what stands before a list in it."""
    try:
        return float(cell) == float(default)
    except ValueError:
        return cell == default or (cell != NONE and default.startswith(f"{cell}:"))


def test_the_page_has_a_table_for_each_tool() -> None:
    assert list(tables()) == list(THEIRS)
    assert all(len(row) == 5 for _, rows in tables().values() for row in rows)


@pytest.mark.parametrize("tool", THEIRS)
def test_every_option_of_theirs_is_in_the_table_with_its_default(tool: str) -> None:
    rows = {row[0].strip("`"): row[1] for row in tables()[tool][1] if row[0].startswith("`-")}
    assert sorted(rows) == sorted(THEIRS[tool])
    for option, default in THEIRS[tool].items():
        assert re.match(rf"{re.escape(default)}(?![\w.])", rows[option]), option


@pytest.mark.parametrize("tool", THEIRS)
def test_every_option_of_ours_exists_and_has_the_default_of_the_table(tool: str) -> None:
    own, rows = tables()[tool]
    for theirs, _, ours, default, _ in rows:
        if ours == "":
            assert default == "", theirs
            continue
        found = re.fullmatch(r"`(?:glove ([\w-]+) )?(--[\w-]+)`", ours)
        assert found, ours
        command = found[1] or own
        assert command is not None
        assert same(default, shown_default(command, found[2])), (theirs, shown_default(command, found[2]))


def test_every_option_that_the_text_names_exists() -> None:
    ours = {name for command in main.commands.values() for p in command.params for name in (*p.opts, *p.secondary_opts)}
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", PAGE.read_text(encoding="utf-8")))
    assert named - ours - {"--help"} == set(THEIRS["evaluate.py"])


def test_a_wrong_default_would_be_seen() -> None:
    assert same("100", "100.0")
    assert same("by the name", "by the name: .vec")
    assert not same("5", "50")
    assert not same("", "5")
    assert not same("5", "")
    assert shown_default("train", "--dim") == "100"
    assert shown_default("train", "--init") == NONE


def test_the_commands_for_users_of_the_original_tools_run_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    for name in ("text8", "corpus.txt"):
        shutil.copy(ROOT / "corpora" / "sample.txt", tmp_path / name)
    (tmp_path / "eval" / "question-data").mkdir(parents=True)
    (tmp_path / "eval" / "question-data" / "capital.txt").write_text("the of and in\n")
    stand_in_for_their_files(tmp_path)
    shown = commands(PAGE)
    assert len(shown) > 12
    for arguments in shown:
        run_here(arguments)
    assert (tmp_path / "vectors.txt").stat().st_size
    assert filecmp.cmp(tmp_path / "back" / "vocab.txt", tmp_path / "theirs" / "vocab.txt")
    names = {path.name for path in (tmp_path / "original").iterdir()}
    assert {"vectors.bin", "gradsq.bin", "vocab.txt"} <= names


def stand_in_for_their_files(folder: Path) -> None:
    """Make what their tools write, by ours."""
    theirs = folder / "theirs"
    for arguments in (
        ["build-cooc", "corpus.txt", "--run", "made"],
        ["train", "--dim", "20", "--epochs", "2", "--x-max", "10", "--run", "made"],
        ["export", "theirs", "--format", "reference", "--run", "made"],
        ["export", "theirs/vectors.txt", "--run", "made"],
        ["export-cooc", "cooccurrence.bin", "--run", "made"],
    ):
        run_here(arguments)
    records = np.fromfile(folder / "cooccurrence.bin", "V16")
    np.random.default_rng(1).permutation(records).tofile(theirs / "cooccurrence.shuf.bin")


def test_the_commands_of_how_it_works_give_the_same_vectors(tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    shutil.copy(ROOT / "corpora" / "sample.txt", tmp_path / "corpora")
    for arguments in commands(HOW):
        run("-m", "glove_cli", *arguments, cwd=tmp_path)
    ((first, second),) = re.findall(r"^cmp (\S+) (\S+)$", "".join(blocks(HOW, "")), re.M)
    assert filecmp.cmp(tmp_path / first, tmp_path / second, shallow=False)


def test_the_three_lines_of_how_it_works_give_the_count_that_it_says() -> None:
    lines = (ROOT / "corpora" / "sample.txt").read_text(encoding="utf-8").splitlines()
    rows = re.findall(r"^\| (.*) \| (\d+) \| 1/\d+ \|$", HOW.read_text(encoding="utf-8"), re.M)
    shown = {line.replace("**", ""): int(distance) for line, distance in rows}
    assert list(shown) == [line for line in lines if {"king", "castle"} <= set(line.split())]
    for line, distance in shown.items():
        words = line.split()
        assert abs(words.index("king") - words.index("castle")) == distance
    assert round(sum(1 / distance for distance in shown.values()), 3) == 0.667
