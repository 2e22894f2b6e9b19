"""The reference's four tools, run and measured one by one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from common import Run, measure, measuring

MEMORY = "4.0"  # what its demo gives cooccur and shuffle, in GB


@dataclass(frozen=True)
class Reference:
    """The reference's tools in `tools`, working in `work` with its demo's settings."""

    tools: Path
    work: Path
    corpus: Path
    min_count: int = 5
    window: int = 15
    memory: str = MEMORY

    @property
    def vocab(self) -> Path:
        """Its vocabulary file."""
        return self.work / "reference.vocab.txt"

    @property
    def matrix(self) -> Path:
        """Its co-occurrence file."""
        return self.work / "reference.cooccurrence.bin"

    @property
    def shuffled(self) -> Path:
        """Its shuffled co-occurrence file."""
        return self.work / "reference.cooccurrence.shuf.bin"

    def vocab_count(self) -> Run:
        """Count words."""
        command = [self.tools / "vocab_count", "-min-count", str(self.min_count), "-verbose", "0"]
        return measure(command, stdin=self.corpus, stdout=self.vocab)

    def cooccur(self) -> Run:
        """Count pairs."""
        command = [self.tools / "cooccur", "-memory", self.memory, "-vocab-file", self.vocab, "-verbose", "0"]
        command += ["-window-size", str(self.window), "-overflow-file", self.work / "overflow"]
        return measure(command, stdin=self.corpus, stdout=self.matrix)

    def shuffle(self) -> Run:
        """Shuffle the pairs."""
        command = [self.tools / "shuffle", "-memory", self.memory, "-verbose", "0", "-temp-file", self.work / "shuffle"]
        part = self.shuffled.with_suffix(".part")
        run = measure(command, stdin=self.matrix, stdout=part)
        part.rename(self.shuffled)
        return run

    def train_command(
        self, *, dim: int, epochs: int, x_max: float, threads: int, binary: int, seed: int | None = None
    ) -> list[str]:
        """Return the command that trains."""
        options = {
            "-save-file": self.work / "reference.vectors",
            "-input-file": self.shuffled,
            "-vocab-file": self.vocab,
            "-vector-size": dim,
            "-iter": epochs,
            "-x-max": x_max,
            "-threads": threads,
            "-binary": binary,
            "-verbose": 2,
        }
        if seed is not None:
            options["-seed"] = seed
        return [str(self.tools / "glove"), *(str(item) for pair in options.items() for item in pair)]

    def make_shuffled(self) -> None:
        """Make the shuffled file unless it is there already."""
        if not self.shuffled.exists():
            self.vocab_count()
            self.cooccur()
            self.shuffle()


@dataclass(frozen=True)
class Training:
    """A training of the reference as a whole, and the seconds and the cost of each epoch."""

    run: Run
    seconds: list[float]
    costs: list[float]


def train_epochs(command: list[str]) -> tuple[list[float], list[float]]:
    """Run the reference's training; return the seconds and the cost of each epoch."""
    training = measure_training(command)
    return training.seconds, training.costs


def measure_training(command: list[str]) -> Training:
    """Run and measure the reference's training.

    Its lines come when an epoch ends, and `alpha:` when the first begins; each is dated as it arrives, so that neither
    start-up nor saving is counted.
    """
    seconds, costs = [], []
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        os.sync()
        measured = measuring([report, os.devnull, os.devnull, ""], command)
        with subprocess.Popen(measured, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            before = time.perf_counter()
            for line in process.stderr:
                now = time.perf_counter()
                if line.startswith(b"alpha:"):
                    before = now
                found = re.search(rb"iter: \d+, cost: (\S+)", line)
                if found:
                    seconds.append(now - before)
                    costs.append(float(found[1]))
                    before = now
        result = json.loads(report.read_text()) if report.exists() else {"code": process.returncode}
    if result["code"] != 0 or not costs:
        raise SystemExit(f"{' '.join(command)}: ended with {result['code']}")
    return Training(Run(result["seconds"], result["peak"], ""), seconds, costs)
