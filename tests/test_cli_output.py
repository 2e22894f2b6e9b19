"""What the command line prints: tables, amounts, progress, and the word about compiling."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli_build_cooc import fails, glove
from test_cli_help import PACKAGE_ROOT
from test_vectors_export import make_model

from glove_cli.cli import progress as progress_module
from glove_cli.cli.caching import check_compiler_settings, find_room_for_compiled_code, place_of_compiled_code
from glove_cli.cli.progress import Progress
from glove_cli.cli.tables import amount, duration, pairs, shown, size, table


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_times_are_readable(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456, "123 kB"), (1_144_291_556, "1.1 GB"), (5e15, "5000 TB")],
)
def test_sizes_are_readable(number: float, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (1, "entry", "1 entry"),
        (12, "token", "12 tokens"),
        (45_100_000, "entry", "45.1 M entries"),
        (2_500, "row", "2.5 k rows"),
        (3e9, "B", "3.0 GB"),
    ],
)
def test_amounts_are_readable(number: float, unit: str, text: str) -> None:
    assert amount(number, unit) == text


def test_columns_are_aligned_also_for_wide_and_combining_characters() -> None:
    text = table(("word", "cosine"), [("a", "0.1"), ("日本", "0.25"), ("e\u0301te", "1")])
    assert text.splitlines() == ["word  cosine", "a        0.1", "日本    0.25", "e\u0301te        1"]
    assert pairs([("a", "1"), ("long", "2")]) == "a     1\nlong  2"


@pytest.mark.parametrize(
    ("word", "text"), [("paris", "paris"), ("caf\udcff", "caf\\xff"), ("a\x1b[2J", "a\\x1b[2J"), ("\u2028", "\\u2028")]
)
def test_words_are_printed_without_doing_harm(word: str, text: str) -> None:
    assert shown(word) == text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    return clock


def test_without_a_terminal_a_line_comes_now_and_then(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        for second in range(41):
            clock.now = 100.0 + second
            progress("reading", second * 1_000_000, 100_000_000, "B")
        progress("counting", 0, None, "token")
        clock.now += 10
        progress("counting", 7, None, "token")
    assert capsys.readouterr().err.splitlines() == [
        "reading: 10.0 MB of 100 MB (10%), 1 min 30 s left",
        "reading: 20.0 MB of 100 MB (20%), 1 min 20 s left",
        "reading: 30.0 MB of 100 MB (30%), 1 min 10 s left",
        "reading: 40.0 MB of 100 MB (40%), 1 min 0 s left",
        "counting: 7 tokens",
    ]


def test_a_quick_job_shows_no_progress(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        for done in range(100):
            progress("reading", done, 100, "B")
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_and_lines_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress() as progress:
        progress("training", 0, 1000, "entry")
        progress("training", 500, 1000, "entry")
        progress.note("epoch 1/2")
        progress("training", 1000, 1000, "entry")
    text = terminal.getvalue()
    assert "training:   0%|" in text
    assert "| 500/1.00k [" in text
    assert "epoch 1/2\n" in text
    assert text.rstrip(" ").endswith("\r")


def test_what_follows_a_bar_begins_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress() as progress:
        for _ in range(2):  # as with several models
            progress("training", 0, 1000, "entry")
            progress("training", 500, 1000, "entry")
            progress.close()
            terminal.write("words  7\n")
    for before in terminal.getvalue().split("words  7\n")[:2]:
        assert "training:   0%|" in before
        assert before.endswith("\r")


@pytest.mark.parametrize(
    ("command", "closed", "code", "said"),
    [
        ("build-cooc -", "<&-", 1, "Error: standard input: is closed. Name a text file.\n"),
        ("build-cooc corpus.txt --min-count 1", "2>&-", 0, ""),
        ("export -", ">&-", 1, "Error: standard output: is closed. Name a file.\n"),
        ("export v.txt", ">&- 2>&-", 0, ""),
        ("nearest nothing", "2>&-", 1, ""),
    ],
)
def test_closed_standard_streams(tmp_path: Path, command: str, closed: str, code: int, said: str) -> None:
    (tmp_path / "corpus.txt").write_text("the cat sat on the mat\n")
    make_model().save(tmp_path / "glove-run" / "model")
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}
    shell = ["bash", "-c", f"{shlex.quote(sys.executable)} -m glove_cli {command} {closed}"]
    done = subprocess.run(shell, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, said)


@pytest.fixture(scope="module")
def compiling_and_not(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, subprocess.CompletedProcess]]:
    """Give what commands said in a first run, with nothing compiled, and in a second; on stdout last what they did."""
    folder = tmp_path_factory.mktemp("compiling")
    (folder / "corpus.txt").write_text("a b c a b\n" * 9)
    code = (
        "import sys; from glove_cli.cli.main import main; main(sys.argv[1:], standalone_mode=False); "
        "print('compiles' if 'numba.np.arraymath' in sys.modules else 'loads')"
    )
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT), "NUMBA_CACHE_DIR": str(folder / "cache")}
    done: dict[str, dict[str, subprocess.CompletedProcess]] = {"first": {}, "second": {}}
    for run, said in done.items():
        for command in ("build-cooc corpus.txt", "train --dim 4 --epochs 1", f"export {run}.txt"):
            line = [sys.executable, "-c", code, *command.split(), "--run", run]
            said[command.split()[0]] = subprocess.run(
                line, cwd=folder, env=env, capture_output=True, text=True, check=True
            )
    return done


def test_compiling_is_said_once_and_only_when_it_is_done(compiling_and_not: dict) -> None:
    for run, commands in compiling_and_not.items():
        for command, done in commands.items():
            said = done.stderr.count("Compiling for this machine: some seconds, once after an install.\n")
            assert said == (run == "first"), command


def test_compiled_code_is_loaded_without_what_compiling_needs(compiling_and_not: dict) -> None:
    for run, expected in (("first", "compiles"), ("second", "loads")):
        assert compiling_and_not[run]["build-cooc"].stdout.split()[-1] == expected


def test_compiled_code_finds_room_where_neither_package_nor_home_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    find_room_for_compiled_code()
    assert "NUMBA_CACHE_DIR" not in os.environ
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    room = tmp_path / f"glove-compiled-{os.getuid()}"
    room.mkdir()
    room.chmod(0o777)  # anybody could have put something there
    find_room_for_compiled_code()
    other = Path(os.environ["NUMBA_CACHE_DIR"])
    assert (other.parent, other.stat().st_mode & 0o777) == (tmp_path, 0o700)
    assert other != room
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    room.rmdir()
    find_room_for_compiled_code()
    assert os.environ["NUMBA_CACHE_DIR"] == str(room)
    assert room.stat().st_mode & 0o777 == 0o700
    assert place_of_compiled_code() == room
    monkeypatch.setattr("glove_cli.cli.caching._found", [])


def test_settings_with_which_libraries_cannot_be_loaded_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("4", "x"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", value)
        check_compiler_settings()
    monkeypatch.setenv("NUMBA_NUM_THREADS", "0")
    fails(glove("vocab", "text.txt"), 2, "NUMBA_NUM_THREADS: '0' is not a positive number. Unset it")
    check = "from glove_cli.plots.figure import check_drawing; check_drawing('a.svg')"
    done = subprocess.run(
        [sys.executable, "-c", check],
        env=os.environ | {"MPLBACKEND": "x"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "OutputError: a.svg: matplotlib can't be loaded: Key backend: 'x'" in done.stderr
