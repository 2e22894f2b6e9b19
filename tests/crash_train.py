"""Train again and again, each time killed at another moment, then go on: is the model the same?

A program of its own, because it forks: `python crash_train.py MATRIX FOLDER STEP RANDOM`. First killed at every STEP-th
call by which a file or folder is made, renamed, removed or seen to the disk; then by SIGKILL, RANDOM times, at any
moment.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from conftest import file_hashes
from dying import in_child, killed_at

from glove_cli.training import plan
from glove_cli.training.checkpoint import describe_checkpoints
from glove_cli.training.run import train

OPTIONS: dict[str, Any] = {
    "dim": 6, "epochs": 12, "x_max": 10.0, "holdout": 0.05, "on_divergence": "halve-eta", "eta": 40.0, "bias_eta": 7.0,
}  # fmt: skip
TIMED = ("meta.json", "history.jsonl")


def main(matrix: Path, folder: Path, step: int, times: int) -> int:
    """Print how often the job was killed in each way, and how many rounds could be skipped; fail at a difference."""

    def job(out: Path, **extra: Any) -> None:
        train(matrix, out=out, resume=True, checkpoint_every="0.001s", **OPTIONS, **extra)

    os.environ["OMP_NUM_THREADS"] = "1"
    train(matrix, out=folder / "whole", threads=1, checkpoint_every="never", **OPTIONS)
    expected = file_hashes(folder / "whole", leave_out=TIMED)
    chance = random.Random(1)
    moments = 0
    while True:
        out, tiles = folder / f"moment-{moments}", folder / f"tiles-{moments}"
        if not killed_at(moments, partial(job, out, threads=1 + moments % 3, tiles=tiles)):
            break
        job(out, threads=2, tiles=tiles)
        assert file_hashes(out, leave_out=TIMED) == expected, moments
        moments += step
    begin = time.perf_counter()
    os.waitpid(in_child(partial(job, folder / "timed", threads=2)), 0)
    whole = time.perf_counter() - begin
    kills = 0
    resumed: list[str] = []
    while kills < times:
        out = folder / f"killed-{kills}"
        soon = not resumed or chance.random() < 0.3  # how fast a machine is must not decide whether any is gone on with
        while True:
            streamed = chance.random() < 0.5
            plan.Plan.streamed = property(lambda self, streamed=streamed: streamed)  # type: ignore[assignment]
            child = in_child(partial(job, out, threads=2))
            if soon:
                while describe_checkpoints(out.with_name(f".{out.name}.work")) is None:
                    time.sleep(0.001)
            else:
                time.sleep(chance.uniform(0.2, 1.0) * whole)
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            kills += 1
            if soon or os.waitstatus_to_exitcode(status) == 0 or chance.random() < 0.4:
                break
        job(out, threads=3, note=resumed.append)
        assert file_hashes(out, leave_out=TIMED) == expected, kills
    left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    assert not left, left
    print(moments, kills, sum("Going on with" in text for text in resumed))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
