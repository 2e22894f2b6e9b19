"""The commands: quick help, an example that runs at the end of each, one line for each wrong call."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

import glove_cli
from glove_cli.cli.main import _COMMANDS, main
from glove_cli.version import __version__

ROOT = Path(__file__).parents[1]
PACKAGE_ROOT = Path(glove_cli.__file__).parents[1]


def helps() -> dict[str, str]:
    results = {name: CliRunner().invoke(main, [name, "-h"], terminal_width=100) for name in _COMMANDS}
    assert {name: result.stderr for name, result in results.items() if result.exit_code} == {}
    return {name: result.stdout for name, result in results.items()}


def examples(text: str) -> list[str]:
    return [line.strip() for line in text.partition("Example:\n")[2].splitlines()]


def test_every_command_has_help_that_ends_with_an_example() -> None:
    assert examples(CliRunner().invoke(main, ["-h"]).stdout)
    for name, text in helps().items():
        assert examples(text), name
        assert all(f"glove {name}" in line for line in examples(text))


def test_every_option_and_command_is_explained() -> None:
    assert isinstance(main, click.Group)
    for name in _COMMANDS:
        command = main.commands[name]
        assert command.name == name
        assert command.get_short_help_str()
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or parameter.help, (name, parameter.name)


def test_the_examples_run_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    shutil.copy(ROOT / "corpora" / "sample.txt", tmp_path / "corpus.txt")
    shutil.copy(ROOT / "corpora" / "sample.txt", tmp_path / "plain")
    subprocess.run(["xz", "-k", "corpus.txt"], cwd=tmp_path, check=True) if shutil.which("xz") else None
    (tmp_path / "pretrained").mkdir()
    (tmp_path / "pretrained" / "vocab.txt").write_bytes(b"the 3\ncat 1\n")
    np.ones((4, 3)).tofile(tmp_path / "pretrained" / "vectors.bin")
    glove = f"{sys.executable} -m glove_cli"
    env = {key: value for key, value in os.environ.items() if key != "GLOVE_RUN"}
    env["PYTHONPATH"] = str(PACKAGE_ROOT)
    every = helps()
    for name, text in every.items():
        for number, line in enumerate(examples(text)):
            if "xzcat" in line and not shutil.which("xzcat"):
                continue
            again = " --force" if number and name in ("build-cooc", "train") else ""
            if set(line) & set("|<>$'"):  # a shell's work, as is the process that it starts
                shell = re.sub(r"\bglove (?=[a-z])", f"{glove} ", line) + again
                done = subprocess.run(
                    ["bash", "-c", shell], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
                )
                code, said, out = done.returncode, done.stderr, done.stdout
            else:  # in this process, which has loaded what it needs
                result = CliRunner().invoke(main, shlex.split(line + again)[1:])
                code, said, out = result.exit_code, (result.stderr, result.exception), result.stdout
            assert code == 0, (line + again, said)
            assert out, line


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], ["--version"], ["train", "--help"]])
def test_help_goes_to_standard_output_with_exit_0(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout


def test_the_version_is_the_packages() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout == f"glove {__version__}\n"


def test_no_command_shows_the_help_and_is_wrong() -> None:
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "No such command 'trian'. Did you mean 'train'? See glove -h."),
        (["--nonsense"], "--nonsense: no such option. See glove -h."),
        (["train", "--dmi", "5"], "--dmi: no such option. Did you mean --dim or --eig? See glove train -h."),
        (["train", "--dim", "many"], "--dim: 'many' is not a valid integer. See glove train -h."),
        (["train", "--eta", "x"], "--eta: 'x' is not a valid float. See glove train -h."),
        (["train", "--dim"], "--dim: requires an argument. See its help with -h."),
        (["train", "extra"], "Got unexpected extra argument (extra) See glove train -h."),
        (["build-cooc"], "CORPUS...: is missing. See glove build-cooc -h."),
        (["build-cooc", "a", "--window", "1.5"], "--window: '1.5' is not a valid integer. See glove build-cooc -h."),
        (["build-cooc", "a", "--context", "both"], "--context: 'both' is not one of 'symmetric', 'left', 'right'. "),
        (["export"], "OUT: is missing. See glove export -h."),
        (["export", "a", "--vectors", "all"], "--vectors: 'all' is not one of "),
        (["analogy", "a", "b"], "C: is missing. See glove analogy -h."),
        (["nearest"], "WORD...: is missing. See glove nearest -h."),
        (["nearest", "a", "-n", "x"], "--topn: 'x' is not a valid integer. See glove nearest -h."),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {message}")
    assert result.stderr.count("\n") == 1


def test_the_library_names_all_that_it_says() -> None:
    for name in glove_cli.__all__:
        assert getattr(glove_cli, name) is not None
    assert set(glove_cli.__all__) <= set(dir(glove_cli))
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        glove_cli.nonsense  # noqa: B018


@pytest.mark.parametrize(
    "arguments",
    ["--help", "--version", "train --help", "build-cooc -h", "export -h", "info -h", "nearest -h", "analogy -h"],
)
def test_no_help_loads_numba_or_scipy(arguments: str) -> None:
    code = (
        "import sys\nfrom contextlib import suppress\nfrom glove_cli.cli.main import main\n"
        f"with suppress(SystemExit): main({arguments.split()!r})\n"
        "sys.exit(', '.join({'numba', 'scipy', 'tqdm'} & set(sys.modules)) or 0)"
    )
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_looking_at_a_model_loads_no_numba(tmp_path: Path) -> None:
    from test_vectors_export import make_model

    make_model().save(tmp_path / "run" / "model")
    code = (
        "import sys\nfrom contextlib import suppress\nfrom glove_cli.cli.main import main\n"
        f"with suppress(SystemExit): main(['nearest', 'w1', '--run', {str(tmp_path / 'run')!r}])\n"
        "sys.exit(', '.join({'numba', 'scipy'} & set(sys.modules)) or 0)"
    )
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "nearest to w1" in done.stdout


def test_no_empty_name_is_taken_for_the_folder_one_is_in() -> None:
    tried = 0
    for name in _COMMANDS:
        for parameter in main.commands[name].params:
            if isinstance(parameter.type, click.Path):
                given = [parameter.opts[-1], ""] if isinstance(parameter, click.Option) else [""]
                done = CliRunner().invoke(main, [name, *given])
                assert done.exit_code == 2, (name, given, done.output)
                assert "is empty. Give the name of a file or folder" in done.stderr or "Missing argument" in done.stderr
                tried += "is empty" in done.stderr
    assert tried > 30
