"""Ctrl-C and SIGTERM: what was finished stays, nothing is left half-written, no temporary file remains."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import file_hashes
from test_cli_build_cooc import glove
from test_cli_help import PACKAGE_ROOT
from test_vectors_export import make_model

from glove_cli.cli.errors import Terminated, exit_code_of
from glove_cli.cli.main import main

ROOT = Path(__file__).parents[1]
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
SECONDS = 60.0  # far more than it takes, even where everything must be compiled first


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a finished run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    shutil.copy(ROOT / "corpora" / "sample.txt", tmp_path / "corpus.txt")
    assert glove("build-cooc", "corpus.txt", "--min-count", "2").exit_code == 0
    make_model().save("glove-run/model")
    return tmp_path


@contextlib.contextmanager
def running(*arguments: str, shell: str = "") -> Iterator[subprocess.Popen]:
    """Start a command, in a shell that first runs `shell`; it is killed at the end if it still runs."""
    command = [sys.executable, "-m", "glove_cli", *arguments]
    if shell:
        command = ["bash", "-c", f"{shell}; exec {shlex.join(command)}"]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: object) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def wait_for_an_epoch(process: subprocess.Popen) -> None:
    """Read what a training says up to its next epoch; fail with all of it if the training ends before."""
    said = []
    while line := process.stderr.readline():
        said.append(line)
        if line.startswith(b"epoch"):
            return
    pytest.fail(f"training ended (exit code {process.wait(SECONDS)}) after saying {b''.join(said).decode()!r}")


def hashes(folder: Path) -> dict[str, dict[str, str]]:
    return {name: file_hashes(folder / "glove-run" / name, leave_out=()) for name in ("cooc", "model")}


def names(folder: Path) -> set[str]:
    return set(os.listdir(folder / "glove-run"))


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_counting_is_interrupted(folder: Path, number: int, code: int) -> None:
    before = hashes(folder)
    with running("build-cooc", "-", "--min-count", "1", "--force") as process:

        def feed() -> None:
            with contextlib.suppress(OSError):  # the reader goes away
                while True:
                    process.stdin.write(b"word after word after word and no end\n" * 10_000)

        feeder = threading.Thread(target=feed)
        feeder.start()
        wait_until(lambda: names(folder) > {"cooc", "model"})
        time.sleep(0.3)
        process.send_signal(number)
        assert process.wait(SECONDS) == code
        assert process.stderr.read() == b"Interrupted. Nothing was left half-written.\n"
        assert process.stdout.read() == b""
        feeder.join()
        with contextlib.suppress(OSError):
            process.stdin.close()
    assert names(folder) == {"cooc", "model"}
    assert hashes(folder) == before


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_training_is_interrupted_and_gone_on_with(folder: Path, number: int, code: int) -> None:
    before = hashes(folder)
    options = ("--dim", "50", "--x-max", "1", "--force")
    with running("train", *options, "--epochs", "1000000") as process:
        wait_for_an_epoch(process)
        process.send_signal(number)
        _, said = process.communicate(timeout=SECONDS)
        assert process.returncode == code
        assert said.endswith(b"Interrupted. Nothing was left half-written.\n")
        assert b"Traceback" not in said
    assert names(folder) - {".model.work"} == {"cooc", "model", "tiles"}
    assert hashes(folder) == before
    found = re.search(rb"Interrupted in epoch (\d+); go on from there with --resume\.\n", said)
    if found is None:  # it came when there was nothing to write down
        assert names(folder) == {"cooc", "model", "tiles"}
        return
    epochs = found[1].decode()
    assert glove("train", "--dim", "50", "--x-max", "1", "--epochs", epochs, "-o", "straight").exit_code == 0
    (folder / "glove-run" / "model").rename("old")
    result = glove("train", "--dim", "50", "--x-max", "1", "--epochs", epochs, "--resume")
    assert result.exit_code == 0, result.stderr
    assert "Going on with an interrupted run: a checkpoint after" in result.stderr
    timed = ("meta.json", "history.jsonl")
    resumed = file_hashes(folder / "glove-run" / "model", leave_out=timed)
    assert resumed == file_hashes(folder / "straight", leave_out=timed)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_exporting_is_interrupted(folder: Path, number: int, code: int) -> None:
    # A pipe that nobody empties keeps the export waiting.
    make_model(20_000, 20).save("big")
    with running("export", "-", "--model", "big") as process:
        assert process.stdout.readline().startswith(b"w0 ")
        process.send_signal(number)
        _, said = process.communicate(timeout=SECONDS)
        assert process.returncode == code
        assert b"Traceback" not in said
        assert said.endswith(b"Interrupted. Nothing was left half-written.\n")


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_pattern_that_takes_for_ever_is_interrupted(folder: Path, number: int, code: int) -> None:
    (folder / "a.txt").write_text("a" * 60 + "!\n")
    with running("vocab", "a.txt", "-o", "new.txt", "--token-pattern", "(a+)+$") as process:
        time.sleep(3)  # to begin with it; if it has not, it is interrupted all the same
        process.send_signal(number)
        _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == code
    assert said.endswith(b"Interrupted. Nothing was left half-written.\n")
    assert not (folder / "new.txt").exists()


def test_a_second_signal_does_not_disturb_the_tidying(folder: Path) -> None:
    with running("train", "--dim", "50", "--epochs", "1000000", "--force", "--x-max", "1") as process:
        wait_for_an_epoch(process)
        for _ in range(20):
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
        _, said = process.communicate(timeout=SECONDS)
        assert process.returncode == 130
        assert b"Traceback" not in said
    assert names(folder) - {".model.work"} == {"cooc", "model", "tiles"}


def test_an_ignored_signal_stays_ignored(folder: Path) -> None:
    training = ["train", "--dim", "50", "--epochs", "1000000", "--force", "--x-max", "1"]
    with running(*training, shell="trap '' HUP") as process:
        wait_for_an_epoch(process)
        process.send_signal(signal.SIGHUP)
        wait_for_an_epoch(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SECONDS)
        assert process.returncode == 130


def test_the_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number, _ in SIGNALS]
    glove("--version")
    assert [signal.getsignal(number) for number, _ in SIGNALS] == before


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_while_options_are_read_ends_as_any_other(
    number: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "parse_args", lambda *_: os.kill(os.getpid(), number) or time.sleep(9))
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with pytest.raises(SystemExit) as ended:
            main(["info"])
    finally:
        for each, handler in before.items():  # ignored since: the process was to end
            signal.signal(each, handler)
    assert ended.value.code == code
    assert capsys.readouterr().err.strip() == "Interrupted. Nothing was left half-written."


def test_an_interruption_that_python_wraps_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    error = SystemError("<function> returned a result with an exception set")
    error.__cause__ = Terminated()
    assert exit_code_of(error) == 143
    assert capsys.readouterr().err.strip() == "Interrupted. Nothing was left half-written."
    with pytest.raises(SystemError):
        exit_code_of(SystemError("a bug"))
