"""Train for a long time with checkpoints under a memory limit, and see whether memory, descriptors or threads grow.

    python reliability/long_run.py --corpus wiki8s.txt --seconds 3600 --memory 200M

Every five seconds the process is looked at (Linux, /proc). After the first tenth, which starts up, its resident memory,
its open files and its threads in the first half of the time are compared with those in the second half: the usual
number (the median), because a checkpoint that is being written has files open, and the largest amount of memory.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

PERIOD = 5.0
GROWTH = 1.02  # of memory that counts as none: the allocator's own changes


def look(process: int) -> tuple[int, int, int]:
    """Return resident bytes without mapped files, open files and threads of a process."""
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if "\t" in line
    )
    return 1024 * int(status["RssAnon"].split()[0]), len(os.listdir(f"/proc/{process}/fd")), int(status["Threads"])


def main() -> int:
    """Count, train, look, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("corpora/sample.txt"))
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--memory", default="200M")
    parser.add_argument("--dim", default="50")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--checkpoint-every", default="20s")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glove-long-") as folder:
        glove = [sys.executable, "-m", "glove_cli"]
        run = ["--run", folder]
        subprocess.run([*glove, "build-cooc", options.corpus, *run], check=True)
        command = [
            *glove, "train", *run, "--epochs", "10000000", "--x-max", "10", "--eta", "0.01", "--dim", options.dim,
            "--memory", options.memory, "--threads", options.threads, "--checkpoint-every", options.checkpoint_every,
        ]  # fmt: skip
        seen = []
        with (Path(folder) / "said.txt").open("wb") as said, subprocess.Popen(command, stderr=said) as process:
            end = time.monotonic() + options.seconds
            while time.monotonic() < end and process.poll() is None:
                time.sleep(PERIOD)
                if process.poll() is None:
                    seen.append(look(process.pid))
            process.send_signal(signal.SIGTERM)
            code = process.wait()
        lines = (Path(folder) / "said.txt").read_text().splitlines()
        epochs = sum(line.startswith("epoch") for line in lines)
        plan = [line for line in lines if "memory" in line.lower()][:2]
    seen = seen[len(seen) // 10 :]
    half = len(seen) // 2
    if code != 128 + signal.SIGTERM or half < 3:
        print(*lines[-5:], sep="\n")
        print(f"ended with {code} after {len(seen)} looks; it should have gone on until it was ended (143)")
        return 1
    print(*plan, sep="\n")
    print(f"{options.seconds:,.0f} s, {epochs:,} epochs, {len(seen)} looks; then ended: exit code {code}")
    print("| | first half | second half |")
    print("|---|---|---|")
    good = True
    columns = list(zip(*seen, strict=True))
    for name, column, of, unit, most in (
        ("resident memory, largest, MiB", columns[0], max, 1 << 20, GROWTH),
        ("resident memory, usual, MiB", columns[0], median, 1 << 20, GROWTH),
        ("open files, usual", columns[1], median, 1, 1.0),
        ("threads, usual", columns[2], median, 1, 1.0),
    ):
        first, second = of(column[:half]), of(column[half:])
        grown = second > first * most
        good &= not grown
        print(f"| {name} | {first / unit:,.0f} | {second / unit:,.0f}{' (grows)' if grown else ''} |")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
