"""The commands whose files are damaged, and which files these are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios import (
    COUNT,
    MATRIX,
    MODEL,
    REFERENCE,
    SHARDS,
    TRAIN,
    VECTORS,
    Scenario,
    call,
    in_chunks,
    nothing,
    with_cache,
)


@dataclass(frozen=True)
class Reader:
    """A command and the files that it reads.

    Attributes
    ----------
    scenario : Scenario
    files : sequence of str
        Patterns of what is damaged.
    checked : bool
        Whether any damage can be found: the files are our own, with checksums.
    """

    scenario: Scenario
    files: Sequence[str]
    checked: bool = True

    def prepare(self, folder: Path) -> None:
        """Make the folder in which the command is called."""
        self.scenario.prepare(folder)

    def names(self, damaged: str) -> list[str]:
        """Return what an error may call a damaged file: its name, or that of its result."""
        path = Path(damaged)
        parents = [str(parent) for parent in path.parents if str(parent) != "."]
        return [
            path.name,
            path.name.removesuffix(".vectors.npy"),  # which gensim keeps beside the file that is named
            *parents,
            *(["the vocabulary"] if "vocab" in path.name else []),
            *(str(Path(parent).name).removeprefix(".").removesuffix(".work") for parent in parents),
        ]

    def visible(self, said: str) -> str:
        """Return what a command said, unless it is how it made its result."""
        return "" if self.scenario.makes else said


def killed(arguments: Sequence[str], prepare_child: Callable[[], None], share: float) -> Callable[[], None]:
    """Return what leaves the state of a command killed when so much of its work was done."""

    def leave() -> None:
        here = Path.cwd()
        copy = here.with_name(f"{here.name}-whole")
        shutil.copytree(here, copy)
        moments = _run_and_die(copy, arguments, prepare_child, -1)
        shutil.rmtree(copy)
        _run_and_die(here, arguments, prepare_child, round(share * moments))

    return leave


def _run_and_die(folder: Path, arguments: Sequence[str], prepare_child: Callable[[], None], moment: int) -> int:
    """Run a command in a child that dies at a moment; return the number of moments.

    A moment is a call by which a file or folder is made, renamed, removed or seen to the disk.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        count = 0

        def counting(function: Callable[..., Any]) -> Callable[..., Any]:
            def wrapper(*given: Any, **options: Any) -> Any:
                nonlocal count
                if count == moment:
                    os._exit(9)
                count += 1
                return function(*given, **options)

            return wrapper

        os.chdir(folder)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        prepare_child()
        for name in ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir"):
            setattr(os, name, counting(getattr(os, name)))
        call(arguments)
        os.write(writer, str(count).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        found = pipe.read()
    os.waitpid(child, 0)
    return int(found or 0)


def fill_cache() -> None:
    """Have a vector file kept as arrays."""
    _run_and_die(Path.cwd(), ["nearest", "w1", "--model", "vectors.txt"], with_cache, -1)


def _reader(name: str, arguments: Sequence[str], before: Sequence[Any], *files: str, **more: Any) -> Reader:
    checked = more.pop("checked", True)
    return Reader(Scenario(name, arguments, before, **more), files, checked)


RESUMED_COUNT = [*COUNT, "--run", "new", "--resume"]
RESUMED_TRAIN = [*TRAIN, "--run", "old", "--resume", "--checkpoint-every", "1 epochs"]
ASK = ["nearest", "w1", "--json", "--model"]
READERS = [
    _reader("train on a matrix", MODEL, [MATRIX], "old/cooc/*"),
    _reader("train on tiles", [*MODEL, "-o", "second"], [MATRIX, MODEL], "old/tiles/*"),
    _reader("train --resume", RESUMED_TRAIN, [MATRIX, killed(RESUMED_TRAIN, nothing, 0.7)], "old/.model.work/**/*"),
    _reader("train more epochs", [*RESUMED_TRAIN, "--epochs", "5"], [MATRIX, MODEL], "old/model/*"),
    _reader("train --init", [*MODEL, "--init", "old/model", "-o", "further"], [MATRIX, MODEL], "old/model/*"),
    _reader("build-cooc --resume", RESUMED_COUNT, [killed(RESUMED_COUNT, in_chunks, 0.6)], "new/.cooc.work/**/*",
            prepare_child=in_chunks),
    _reader("build-cooc --resume early", RESUMED_COUNT, [killed(RESUMED_COUNT, in_chunks, 0.15)],
            "new/.cooc.work/*", prepare_child=in_chunks),
    _reader("merge-cooc", ["merge-cooc", "half1", "half2", "-o", "sum"], SHARDS, "half1/*"),
    _reader("export-cooc", ["export-cooc", "out.bin", "--run", "old"], [MATRIX], "old/cooc/*"),
    _reader("nearest", [*ASK, "old"], [MATRIX, MODEL], "old/model/*"),
    _reader("export", ["export", "out.txt", "--run", "old"], [MATRIX, MODEL], "old/model/*"),
    _reader("nearest --index", ["nearest", "w1", "--json", "--run", "old", "--index", "index"],
            [MATRIX, MODEL, ["nearest", "w1", "--run", "old", "--index", "index", "--threads", "1"]], "index/*"),
    _reader("nearest from the cache", [*ASK, "vectors.txt"],
            [MATRIX, MODEL, VECTORS, fill_cache], "cache/vectors/*/*", prepare_child=with_cache),
    _reader("history", ["history", "old", "--json"], [MATRIX, MODEL], "old/model/history.jsonl", "old/model/meta.json"),
    _reader("info", ["info", "old", "--verify"], [MATRIX, MODEL], "old/*/*"),
    *(_reader(f"nearest in {ending}", [*ASK, f"in.{ending}"],
              [MATRIX, MODEL, ["export", f"in.{ending}", "--run", "old"]],
              f"in.{ending}*", checked=False)
      for ending in ("txt", "txt.gz", "txt.bz2", "txt.xz", "vec", "bin", "kv", "npy", "safetensors", "parquet")),
    _reader("import-model", ["import-model", "reference/vectors.bin", "--vocab", "reference/vocab.txt", "-o", "new"],
            [MATRIX, MODEL, REFERENCE], "reference/*", checked=False),
    *(_reader(f"import-cooc {ending}", ["import-cooc", f"in.{ending}", "-o", "new"],
              [MATRIX, ["export-cooc", f"in.{ending}", "--run", "old"]], f"in.{ending}", "vocab.txt", checked=False)
      for ending in ("bin", "npz", "mtx")),
    _reader("build-cooc", [*COUNT, "more.txt.gz", "--run", "new"], [], "text.txt", "more.txt.gz", checked=False),
    _reader("build-cooc --vocab", ["build-cooc", "text.txt", "--vocab", "both.txt", "-o", "new"], SHARDS[:1],
            "both.txt", checked=False),
    _reader("build-cooc of JSON Lines", ["build-cooc", "texts.jsonl", "--json-field", "text", "-o", "new"], [],
            "texts.jsonl", checked=False),
    _reader("evaluate", ["evaluate", "old", "--analogies", "questions.txt", "--similarity", "pairs.txt", "--json"],
            [MATRIX, MODEL], "questions.txt", "pairs.txt", checked=False),
]  # fmt: skip
