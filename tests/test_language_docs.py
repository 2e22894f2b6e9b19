"""What docs/language-models.md shows is run, and the numbers it gives of the options are theirs."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from test_cli_build_cooc import glove
from test_readme import ROOT, blocks

from glove_cli.language import network, prepare, text
from glove_cli.language.config import LanguageConfig

DOCUMENT = ROOT / "docs" / "language-models.md"
TEXT = " ".join(DOCUMENT.read_text(encoding="utf-8").split())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "corpora" / "sample.txt", tmp_path / "corpus.txt")
    return tmp_path


def test_the_python_shown_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks(DOCUMENT, "python")
    exec(compile(code, str(DOCUMENT), "exec"), {})
    assert capsys.readouterr().out.count(",") == 2


def test_the_sample_shown_runs(folder: Path) -> None:
    (line,) = [
        line for block in blocks(DOCUMENT, "") for line in block.splitlines() if line.startswith("glove sample c")
    ]
    assert glove(*shlex.split(line)[1:]).stdout.startswith("1-gram\n")


def test_the_numbers_of_the_page_are_the_defaults() -> None:
    config = LanguageConfig()
    for said in (
        f"(`--lm-vocab`, {config.max_vocab:,})",
        f"K is {config.context} (`--lm-context`), the hidden layer has {config.hidden} units",
        f"{config.batch:,} tokens a step",
        f"and {config.negatives} more, drawn by frequency",
        f"(`--lm-seed`, {','.join(map(str, config.seeds))})",
        f"at most {config.most_tokens / 1_000_000:g} million tokens",
        f"at most {prepare.MOST_CUT['test']:,} tokens for the test",
        f"{prepare.MOST_CUT['valid']:,} for the validation",
        f"more than {text.PIECE_TOKENS:,} tokens is cut",
    ):
        assert said in TEXT, said
    assert [f"1/{round(1 / share)}" for share in config.shares[1:]] == ["1/2", "1/10", "1/100"]
    assert config.direct is False
    assert set(network.STARTS) == {"random", "frozen", "tuned"}
