"""Short forms of the campaign in `reliability/`: a few faults, damages and kills of commands that stand for all."""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from glove_cli.cli.main import main
from glove_cli.errors import GloveError

FOLDER = Path(__file__).parents[1] / "reliability"
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")


def campaign(program: str, *arguments: str) -> dict[str, list[str]]:
    """Run a program of the campaign; return the rows of its tables by their first cell."""
    command = [sys.executable, str(FOLDER / program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=FOLDER.parent)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    rows = [[cell.strip() for cell in line.split("|")] for line in re.findall(r"^\| (.*) \|$", done.stdout, re.M)]
    return {row[0]: row[1:] for row in rows}


@LINUX
@pytest.mark.skipif(not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="needs a C compiler")
@pytest.mark.parametrize("command", ["build-cooc of two files", "train --force", "export kv"])
def test_a_call_that_fails_ends_a_command_in_one_line_and_costs_nothing(command: str) -> None:
    rows = campaign("faults.py", "--most", "2", "-k", command)
    points, refused, succeeded, complete, findings = (int(cell) for cell in rows["all"])
    assert points == refused + succeeded + complete
    assert refused > 10
    assert succeeded > 3
    assert findings == 0
    assert int(rows["write: ENOSPC"][1]) > 0  # and is refused


@LINUX
@pytest.mark.parametrize("command", ["train on a matrix", "nearest from the cache"])
def test_damaged_files_are_refused_by_name_or_do_no_harm(command: str) -> None:
    rows = campaign("corruption.py", "--most", "12", "-k", command)
    damages, refused, harmless, other, findings = (int(cell) for cell in rows["all"][1:])
    assert damages == refused + harmless
    assert (other, findings) == (0, 0)


@LINUX
@pytest.mark.parametrize("command", ["train from disk", "export --force"])
def test_what_was_killed_is_gone_on_with_to_the_same_bytes(command: str) -> None:
    for seed in ("1", "2", "3"):  # on a machine whose speed changes, all signals of a seed may come too late
        rows = campaign("kills.py", "--times", "4", "-k", command, "--seed", seed)
        assert rows["all"][-1] == "0"
        if sum(map(int, rows["all"][2:5])):
            return
    pytest.fail("no signal came while the command ran")


@LINUX
def test_calls_with_random_options_end_well_or_in_one_line() -> None:
    rows = campaign("options.py", "--calls", "60")
    well, refused = (int(cell) for cell in rows["all"])
    assert well + refused == 60
    assert min(well, refused) > 10


def test_readers_take_or_refuse_damaged_files_of_every_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setenv("GLOVE_CACHE_SIZE", "0")
    monkeypatch.chdir(tmp_path)
    import fuzz_all
    from fuzz_targets import TARGETS

    chance = random.Random(1)
    taken = refused = 0
    inputs = list(fuzz_all.seeds(tmp_path / "seeds"))
    assert {target for target, _ in inputs} == set(TARGETS)
    for target, data in inputs:
        for damaged in (data, *(fuzz_all.damage(data, chance) for _ in range(8))):
            try:
                TARGETS[target](damaged)
                taken += 1
            except GloveError:
                refused += 1
    assert min(taken, refused) > len(inputs)


def test_a_folder_that_cannot_be_looked_at_is_not_taken_for_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    real = os.stat

    def failing(path: Any, **options: Any) -> os.stat_result:
        if path == model:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return real(path, **options)

    monkeypatch.setattr(os, "stat", failing)
    result = CliRunner().invoke(main, ["export", str(tmp_path / "out.txt"), "--model", str(model)])
    assert (result.exit_code, result.stderr) == (
        1, f"Error: {model}: Input/output error. Look whether its disk and folder are sound.\n"
    )  # fmt: skip
    assert not (tmp_path / "out.txt").exists()
