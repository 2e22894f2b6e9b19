"""Completion at Tab: what is offered, what it costs, and the three shells themselves."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_cli_help import PACKAGE_ROOT

from glove_cli.cli.main import _COMMANDS, main

WORDS = ["the", "paris", "parish", "don't", "a*", "$pa", "pa:r", "-pa", "caf\udcff", "café", "naïve", "Paris", "日本"]
SECONDS = 60  # until a shell that says nothing is given up


def write_words(model: Path, words: list[str]) -> None:
    """Make as much of a model as completion looks at."""
    model.mkdir(parents=True)
    lines = [f"{word} {len(words) - k}\n" for k, word in enumerate(words)]
    (model / "vocab.txt").write_text("".join(lines), "utf-8", "surrogateescape")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a run, a text, and a `glove` that shells can find."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    write_words(tmp_path / "glove-run" / "model", WORDS)
    (tmp_path / "corpus.txt").write_text("a b\n")
    program = tmp_path / "bin" / "glove"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m glove_cli "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE_ROOT))
    return tmp_path


def shell(name: str) -> str:
    """Return the path of a shell, or skip the test."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("GLOVE_REQUIRE_SHELLS") == "1":
            pytest.fail(f"GLOVE_REQUIRE_SHELLS=1, but there is no {name}")
        pytest.skip(f"no {name} is installed")
    return found


def offered(line: str) -> list[str]:
    """Return what `glove` answers to the script of bash, which asks about the last word of a line."""
    words = line.split(" ")
    env = {"_GLOVE_COMPLETE": "bash_complete", "COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    result = CliRunner().invoke(main, [], env=env, prog_name="glove")
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.rstrip("\n").split("\n") if result.stdout.strip() else []


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("glove nea", ["plain,nearest"]),
        ("glove merge-", ["plain,merge-vocab", "plain,merge-cooc"]),
        ("glove --ver", ["plain,--version"]),
        ("glove train --dt", ["plain,--dtype"]),
        ("glove train --dtype ", ["plain,float32", "plain,float64"]),
        ("glove export out --vectors c", ["plain,context", "plain,concat"]),
        ("glove train --run x", ["file,x"]),
        ("glove build-cooc cor", ["file,cor"]),
        ("glove vocab cor", ["file,cor"]),
        ("glove export v", ["file,v"]),
        ("glove info ", ["file,"]),
        ("glove completion z", ["plain,zsh"]),
        ("glove nonsense x", []),
    ],
)
def test_commands_options_choices_and_files_are_offered(run: Path, line: str, answer: list[str]) -> None:
    assert offered(line) == answer


def test_every_command_is_offered() -> None:
    assert offered("glove ") == [f"plain,{name}" for name in _COMMANDS]


def test_words_of_the_model_are_offered_but_none_that_a_shell_would_take_apart(run: Path) -> None:
    assert offered("glove nearest pa") == ["plain,paris", "plain,parish"]
    assert offered("glove nearest the pa") == ["plain,paris", "plain,parish"]
    assert offered("glove analogy the naï") == ["plain,naïve"]
    assert offered("glove nearest ") == [
        f"plain,{w}" for w in ("the", "paris", "parish", "café", "naïve", "Paris", "日本")
    ]
    assert offered("glove nearest zz") == []


def test_words_are_those_of_the_model_that_the_line_names(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("other/model", "bare"):
        write_words(run / name, ["parrot", "x"])
    for option in ("--run other", "--model other", "--model other/model", "--model bare", "--run=other"):
        assert offered(f"glove nearest {option} pa") == ["plain,parrot"]
    (run / "v.txt").write_text("parrot 1 2\n")
    for option in ("--model v.txt", "--model nothing", "--run nothing", "--run ~nobody-at-all"):
        assert offered(f"glove nearest {option} pa") == []
    monkeypatch.setenv("GLOVE_RUN", "other")
    assert offered("glove nearest pa") == ["plain,parrot"]
    monkeypatch.setenv("HOME", str(run))
    assert offered("glove nearest --run ~/other pa") == ["plain,parrot"]


def test_of_many_words_the_first_are_offered_and_one_that_differs_from_them_all(run: Path) -> None:
    write_words(run / "many", [f"parx{i}" for i in range(300)] + ["zero", "pa", "pb"])
    found = offered("glove nearest --model many p")
    assert found == [f"plain,parx{i}" for i in range(100)] + ["plain,pa"]


def test_completing_loads_nothing_large_and_says_nothing(run: Path) -> None:
    code = (
        "import os, sys\nfrom contextlib import suppress\nfrom glove_cli.cli.main import main\n"
        "for line in sys.argv[1:]:\n"
        "    os.environ |= {'COMP_WORDS': line, 'COMP_CWORD': str(line.count(' '))}\n"
        "    with suppress(SystemExit): main([])\n"
        "sys.exit(', '.join({'numba', 'scipy', 'tqdm'} & set(sys.modules)) or 0)"
    )
    lines = ["glove ", "glove nearest pa", *(f"glove {name} --" for name in _COMMANDS)]
    env = {**os.environ, "_GLOVE_COMPLETE": "bash_complete"}
    done = subprocess.run([sys.executable, "-c", code, *lines], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert {"plain,train", "plain,paris", "plain,--dtype", "plain,--plot"} <= set(done.stdout.splitlines())


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_is_printed_and_the_shell_can_read_it(run: Path, name: str) -> None:
    result = CliRunner().invoke(main, ["completion", name])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "_GLOVE_COMPLETE" in result.stdout
    (run / "script").write_text(result.stdout)
    subprocess.run([shell(name), "-n", "script"], check=True)


def test_another_shell_is_refused() -> None:
    result = CliRunner().invoke(main, ["completion", "tcsh"])
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: SHELL: 'tcsh' is not one of 'bash', 'zsh', 'fish'.")


class Typist:
    """A shell in a pseudo-terminal, and somebody who types."""

    def __init__(self, *command: str) -> None:
        leader, follower = pty.openpty()
        env = {**os.environ, "TERM": "dumb", "PS1": "> ", "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(
            command, stdin=follower, stdout=follower, stderr=follower, env=env, start_new_session=True
        )
        os.close(follower)
        self._leader = leader

    def __enter__(self) -> Typist:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._leader)

    def types(self, keys: str, until: str) -> str:
        """Type some keys; return what the shell has shown when the pattern `until` is seen."""
        os.write(self._leader, keys.encode())
        shown, end = "", time.monotonic() + SECONDS
        while not re.search(until, shown):
            ready, _, _ = select.select([self._leader], [], [], max(0, end - time.monotonic()))
            assert ready, f"{until!r} never came: {shown!r}"
            shown += os.read(self._leader, 1 << 16).decode("utf-8", "replace")
        return shown


PRESSED = [
    ("glove nea\t", "glove nearest"),
    ("glove train --dt\t", "glove train --dtype"),
    ("glove train --dtype float3\t", "glove train --dtype float32"),
    ("glove nearest parish naï\t", "glove nearest parish naïve"),
    ("glove build-cooc corp\t", "glove build-cooc corpus.txt"),
]


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_tab_completes_in_the_shell(run: Path, name: str) -> None:
    command = {"bash": ("--norc", "--noprofile", "-i"), "zsh": ("-f", "-i")}[name]
    begin = {"bash": "", "zsh": "autoload -Uz compinit; compinit -u -D; "}[name]
    with Typist(shell(name), *command) as typist:
        typist.types(f'{begin}eval "$(glove completion {name})"; echo re""ady\n', r"\bready\r?\n")
        for keys, completed in PRESSED:
            # After Tab, to the line's beginning, `echo :` before it, and Return: it prints itself.
            typist.types(f"{keys}\x01echo : \n", f"\n: {re.escape(completed)}")


def test_tab_completes_in_fish(run: Path) -> None:
    def completed(line: str) -> list[str]:
        code = f"glove completion fish | source; complete -C '{line}'"
        done = subprocess.run([shell("fish"), "-N", "-c", code], capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout.splitlines()

    assert completed("glove nea") == [f"nearest\t{_COMMANDS['nearest'][1]}"]
    assert completed("glove train --dtype ") == ["float32", "float64"]
    assert completed("glove nearest parish naï") == ["naïve"]
    assert completed("glove build-cooc corp") == ["corpus.txt"]


def test_completion_needs_no_command_to_be_loaded_for_their_names() -> None:
    code = (
        "import sys\nfrom contextlib import suppress\nfrom glove_cli.cli.main import main\n"
        "with suppress(SystemExit): main([])\n"
        "sys.exit('glove_cli.cli.train' in sys.modules or 'numpy' in sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT), "_GLOVE_COMPLETE": "fish_complete"}
    env |= {"COMP_WORDS": "glove tr", "COMP_CWORD": "tr"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "plain,train\tTrain word vectors on the counts.\n"
