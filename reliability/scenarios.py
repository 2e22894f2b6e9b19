"""The commands that are disturbed, each with what it finds when it begins."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO, TextIOWrapper
from pathlib import Path

# Files that hold the time at which they were made.
TIMED = ("meta.json", "history.jsonl")
# Libraries that start threads as they are loaded would not survive a fork.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "GLOVE_CACHE_SIZE": "0"}
CUT = {"_block_bytes": 700, "_chunk_tokens": 600, "_spool_memory": 900, "_segment_bytes": 5000}
COUNT = ("build-cooc", "text.txt", "--min-count", "2", "--window", "4", "--threads", "2")
TRAIN = ("train", "--dim", "6", "--epochs", "3", "--x-max", "10", "--threads", "2")


def call(arguments: Sequence[str]) -> int:
    """Run a command of glove as a user would, and return its exit code."""
    from glove_cli.cli.main import main

    try:
        main(list(arguments))
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    return 0


def call_well(arguments: Sequence[str]) -> None:
    """Run a command in silence; fail with what it said if it fails."""
    said = TextIOWrapper(BytesIO(), "utf-8", write_through=True)
    with redirect_stderr(said), redirect_stdout(said):
        code = call(arguments)
    assert code == 0, f"{arguments}: {said.buffer.getvalue().decode()}"  # type: ignore[attr-defined]


def in_chunks() -> None:
    """Cut the text into so many pieces that counting and merging have several steps."""
    from glove_cli.cooc import build, merge

    merge.MAX_PARTS = 3
    if not isinstance(build.build_cooc, partial):
        build.build_cooc = partial(build.build_cooc, **CUT)


def from_disk() -> None:
    """Train on tiles that are read from disk."""
    from glove_cli.training import plan

    plan.Plan.streamed = property(lambda self: True)  # type: ignore[assignment]


def with_cache() -> None:
    """Keep vector files as arrays, within the folder that is looked at."""
    os.environ |= {"GLOVE_CACHE_SIZE": "1G", "GLOVE_CACHE_DIR": str(Path("cache").absolute())}
    from glove_cli.vectors import cache

    cache._SMALLEST_FILE, cache._YOUNGEST = 0, 0.0
    cache._state_of = lambda source: "state"  # the real one would be another after each copying of the folder


def nothing() -> None:
    """Leave everything as it is."""


@dataclass(frozen=True)
class Scenario:
    """A command.

    Attributes
    ----------
    name : str
    arguments : sequence of str
    before : sequence of commands and functions
        What is done first, undisturbed.
    prepare_child : callable
        What is changed in the program's settings.
    resumes : bool
        Whether a failed run may leave what it finished beside its result; trainings always may.
    keeps : str
        A result that is finished before others, and stays.
    """

    name: str
    arguments: Sequence[str]
    before: Sequence[Sequence[str] | Callable[[], None]] = ()
    prepare_child: Callable[[], None] = nothing
    resumes: bool = False
    keeps: str = ""

    def prepare(self, folder: Path) -> None:
        """Make the folder in which the command is called."""
        folder.mkdir()
        write_texts(folder)
        here = Path.cwd()
        os.chdir(folder)
        try:
            for arguments in self.before:
                if callable(arguments):
                    arguments()
                    continue
                call_well(arguments)
        finally:
            os.chdir(here)

    def again(self, complete: bool) -> Scenario:
        """Return the command that must work afterwards.

        The same, with --force if the result is there already, with --resume if what a training did is kept for that.
        """
        if not self.makes or {"--force", "--resume"} & set(self.arguments):
            return self
        more = ["--force"] if complete else ["--resume"] if self.resumable else []
        return replace(self, arguments=[*self.arguments, *more])

    @property
    def resumable(self) -> bool:
        """Whether what the command finished may be kept for --resume."""
        return self.arguments[0] == "train" and "--method" not in self.arguments

    @property
    def makes(self) -> bool:
        """Whether the command makes a result."""
        return (
            self.arguments[0] not in ("info", "similarity", "nearest", "evaluate", "uncertainty", "sample")
            or "--answers" in self.arguments
        )

    def without_work(self, files: dict[str, str]) -> dict[str, str]:
        """Leave out what may stay for --resume, and tiles and caches, which the next run uses."""
        resumes = self.resumes or self.arguments[0] == "train"

        def may_stay(name: str) -> bool:
            parts = Path(name).parts
            return any(part in ("tiles", "cache", self.keeps) or (resumes and part.endswith(".work")) for part in parts)

        rest = {name: digest for name, digest in files.items() if not may_stay(name)}
        left = {str(parent) for name in set(files) - set(rest) for parent in Path(name).parents}
        full = {str(parent) for name in rest for parent in Path(name).parents}
        return {name: digest for name, digest in rest.items() if name not in left - full}


def write_texts(folder: Path) -> None:
    """Write small texts, questions and word pairs."""
    chance = random.Random(1)
    words = [f"w{i}" for i in range(120)]
    weights = [1 / (i + 1) for i in range(120)]
    lines = [" ".join(chance.choices(words, weights, k=chance.randrange(3, 15))) for _ in range(300)]
    text = ("\n".join(lines) + "\n").encode()
    (folder / "text.txt").write_bytes(text)
    with (folder / "more.txt.gz").open("wb") as file:
        file.write(gzip.compress(text[:4000], mtime=0))
    lines = [json.dumps({"text": line, "number": number}) for number, line in enumerate(lines)]
    (folder / "texts.jsonl").write_text("\n".join(lines))
    (folder / "questions.txt").write_text(": some\nw1 w2 w3 w4\nw2 w3 w5 w6\nw9 w8 w7 w6\n")
    (folder / "pairs.txt").write_text("w1 w2 7\nw3 w4 3\nw5 w9 1\n")


MATRIX = [*COUNT, "--run", "old"]
MODEL = [*TRAIN, "--run", "old"]
VECTORS = ["export", "vectors.txt", "--run", "old"]
REFERENCE = ["export", "reference", "--format", "reference", "--run", "old"]
SHARDS = [
    ["vocab", "text.txt", "--min-count", "2", "-o", "both.txt"],
    ["build-cooc", "text.txt", "--vocab", "both.txt", "--shard", "1/2", "-o", "half1"],
    ["build-cooc", "text.txt", "--vocab", "both.txt", "--shard", "2/2", "-o", "half2"],
]
EXPORTS = (
    "txt",
    "txt.gz",
    "txt.xz",
    "vec",
    "bin",
    "kv",
    "npy",
    "safetensors",
    "parquet",
    "spacy",
    "projector",
    "reference",
)


def _export(ending: str) -> Scenario:
    folder = ending in ("spacy", "projector", "reference")
    name = ["out", "--format", ending] if folder else [f"out.{ending}"]
    return Scenario(f"export {ending}", ["export", *name, "--run", "old"], [MATRIX, MODEL])


SCENARIOS: list[Scenario] = [
    Scenario("build-cooc", [*COUNT, "--run", "new"]),
    Scenario("build-cooc of two files", [*COUNT, "more.txt.gz", "--run", "new"]),
    Scenario("build-cooc in chunks", [*COUNT, "--run", "new"], prepare_child=in_chunks),
    Scenario("build-cooc --force", [*COUNT, "--run", "old", "--force"], [MATRIX]),
    Scenario("build-cooc --resume", [*COUNT, "--run", "new", "--resume"], prepare_child=in_chunks, resumes=True),
    Scenario("vocab", ["vocab", "text.txt", "-o", "vocab.txt"]),
    Scenario("merge-vocab", ["merge-vocab", "both.txt", "more.txt", "-o", "sum.txt"],
             [SHARDS[0], ["vocab", "more.txt.gz", "-o", "more.txt"]]),
    Scenario("merge-cooc", ["merge-cooc", "half1", "half2", "-o", "sum"], SHARDS),
    *(Scenario(f"export-cooc {ending}", ["export-cooc", f"out.{ending}", "--run", "old"], [MATRIX])
      for ending in ("bin", "npz", "mtx")),
    *(Scenario(f"import-cooc {ending}", ["import-cooc", f"in.{ending}", "-o", "new"],
               [MATRIX, ["export-cooc", f"in.{ending}", "--run", "old"]]) for ending in ("bin", "npz", "mtx")),
    Scenario("train", [*MODEL], [MATRIX]),
    Scenario("train from disk", [*MODEL], [MATRIX], prepare_child=from_disk),
    Scenario("train --force", [*MODEL, "--force"], [MATRIX, MODEL]),
    Scenario("train --resume", [*MODEL, "--resume", "--checkpoint-every", "1 epochs"], [MATRIX], resumes=True),
    Scenario("train more epochs", [*MODEL, "--epochs", "5", "--resume", "--checkpoint-every", "1 epochs"],
             [MATRIX, MODEL], resumes=True),
    Scenario("train --init", [*MODEL, "--init", "vectors.txt", "-o", "further"], [MATRIX, MODEL, VECTORS]),
    Scenario("train two", [*MODEL, "--seed", "1,2", "-o", "several"], [MATRIX], keeps="several-s1"),
    Scenario("train --method", ["train", "--method", "ppmi-svd", "--dim", "6", "--run", "old"], [MATRIX]),
    *map(_export, EXPORTS),
    Scenario("export --force", [*VECTORS, "--force"], [MATRIX, MODEL, VECTORS]),
    Scenario("import-model", ["import-model", "reference/vectors.bin", "--vocab", "reference/vocab.txt", "-o", "new"],
             [MATRIX, MODEL, REFERENCE]),
    *(Scenario(f"nearest in {ending}", ["nearest", "w1", "--model", f"in.{ending}"],
               [MATRIX, MODEL, ["export", f"in.{ending}", "--run", "old"]])
      for ending in ("txt", "txt.gz", "vec", "bin", "kv", "npy", "safetensors", "parquet")),
    Scenario("nearest with a cache", ["nearest", "w1", "--model", "vectors.txt"], [MATRIX, MODEL, VECTORS],
             prepare_child=with_cache),
    Scenario("nearest --index", ["nearest", "w1", "--run", "old", "--index", "index", "--threads", "1"],
             [MATRIX, MODEL]),
    Scenario("evaluate", ["evaluate", "old", "--analogies", "questions.txt", "--similarity", "pairs.txt", "--answers",
                          "answers.txt"], [MATRIX, MODEL]),
    Scenario("uncertainty", ["uncertainty", "w1", "w2", "--run", "old"], [MATRIX, MODEL]),
    Scenario("compare", ["compare", "old", "further", "-k", "10", "--min-count", "1", "--errors", "--plot",
                         "change.svg"],
             [MATRIX, MODEL, [*MODEL, "--seed", "2", "-o", "further"]]),
    Scenario("sample", ["sample", "text.txt"]),
    Scenario("plot", ["plot", "map.svg", "-n", "20", "--method", "pca", "--run", "old"], [MATRIX, MODEL]),
    Scenario("explore", ["explore", "page.html", "-n", "20", "--method", "pca", "--run", "old"], [MATRIX, MODEL]),
    Scenario("history --plot", ["history", "old", "--plot", "cost.svg"], [MATRIX, MODEL]),
    Scenario("info", ["info", "old"], [MATRIX, MODEL]),
]  # fmt: skip


def warm(scenario: Scenario, work: Path) -> None:
    """Run a command once in this process, so that its children have everything loaded.

    That of an interrupted one is left to its children, which go on with other settings.
    """
    from glove_cli.cli.main import main

    assert all(main.commands[name] for name in main.commands)  # each is loaded when it is asked for
    if any(callable(arguments) for arguments in scenario.before):
        return
    folder = work / "warm"
    scenario.prepare(folder)
    here = Path.cwd()
    os.chdir(folder)
    try:
        call_well(scenario.arguments)
    finally:
        os.chdir(here)
    shutil.rmtree(folder)
