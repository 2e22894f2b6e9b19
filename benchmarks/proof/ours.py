"""Our commands, measured one by one as whole processes, with compiled code in the cache."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import common
from common import GLOVE, Run, measure

from glove_cli.cooc.store import load_cooc
from proof.context import Context
from proof.settings import Recipe


@dataclass(frozen=True)
class Ours:
    """Our commands on a text, with a recipe; files go into the context's folder, named by `label`."""

    context: Context
    recipe: Recipe
    corpus: Path
    label: str

    @classmethod
    def on(cls, context: Context, recipe: Recipe, corpus: Path | None = None, suffix: str = "") -> Ours:
        """Return our side for a text, the whole corpus unless named; `suffix` names other files."""
        text = corpus or context.corpus
        return cls(context, recipe, text, f"{recipe.label}-{text.stem}-{context.counting}{suffix}")

    @property
    def matrix(self) -> Path:
        """The folder of the matrix."""
        return self.context.work / f"{self.label}.cooc"

    @property
    def model(self) -> Path:
        """The folder of the model trained last."""
        return self.context.work / f"{self.label}.model"

    @property
    def tiles(self) -> Path:
        """The folder of the prepared matrix."""
        return self.context.work / f"{self.label}.tiles"

    @property
    def vectors(self) -> Path:
        """The file of vectors written last."""
        return self.context.work / f"{self.label}.vectors.txt"

    def count_words(self, threads: int) -> dict[str, Any]:
        """Count words alone."""
        out = self.context.work / f"{self.label}.vocab.txt"
        command = [*GLOVE, "vocab", self.corpus, "-o", out, "--force", "--threads", str(threads)]
        run = measure([*command, "--min-count", str(self.context.options.min_count)])
        return {**numbers(run), "disk": out.stat().st_size}

    def build(self, threads: int) -> dict[str, Any]:
        """Count pairs."""
        options = self.context.options
        shutil.rmtree(self.matrix, ignore_errors=True)
        command = [*GLOVE, "build-cooc", self.corpus, "-o", self.matrix, "--threads", str(threads)]
        command += ["--min-count", str(options.min_count), "--window", str(options.window), *self.recipe.build]
        run = measure(command)
        cooc = load_cooc(self.matrix)
        about = {
            "nnz": cooc.nnz,
            "words": cooc.V,
            "tokens": cooc.meta["tokens"],
            "kept_tokens": cooc.meta["kept_tokens"],
        }
        return {**numbers(run), "disk": size_of(self.matrix), **about}

    def train(self, *, dim: int, epochs: int, threads: int, seed: int = 1, fresh: bool = True) -> dict[str, Any]:
        """Train; `fresh` prepares the matrix anew, as the first training after counting does."""
        if fresh:
            shutil.rmtree(self.tiles, ignore_errors=True)
        shutil.rmtree(self.model, ignore_errors=True)
        command = [*GLOVE, "train", "--cooc", self.matrix, "-o", self.model, "--tiles", self.tiles]
        command += ["--dim", str(dim), "--epochs", str(epochs), "--x-max", f"{self.context.options.x_max:g}"]
        run = measure([*command, "--threads", str(threads), "--seed", str(seed), *self.recipe.train])
        history = [json.loads(line) for line in (self.model / "history.jsonl").read_text().splitlines()]
        epochs_run = {"epochs": [e["seconds"] for e in history], "costs": [e["cost"] for e in history]}
        return {**numbers(run), **epochs_run, "disk": size_of(self.model) + size_of(self.tiles)}

    def export(self) -> dict[str, Any]:
        """Write the vectors as text."""
        process = ["--process", self.recipe.process] if self.recipe.process else []
        run = measure([*GLOVE, "export", self.vectors, "--model", self.model, "--force", *process])
        return {**numbers(run), "disk": self.vectors.stat().st_size}

    def built(self, threads: int) -> dict[str, Any]:
        """Return what counting took, counting unless that was done."""
        key = f"{self.label}: build-cooc, threads {threads}"
        return self.context.store.once(key, lambda: self.build(threads), [self.matrix])

    def remove(self, *, matrix: bool = False) -> None:
        """Remove what takes room and isn't needed any more: model, prepared matrix, and perhaps the matrix."""
        for folder in (self.model, self.tiles, *([self.matrix] if matrix else [])):
            shutil.rmtree(folder, ignore_errors=True)


START = "start of our commands: a text of 80 words"


def warm_up(context: Context) -> None:
    """Run all commands on a few words, so that compiling isn't measured."""
    _start(context)


def start_seconds(context: Context) -> dict[str, float]:
    """Return what the start of each of our commands takes, in seconds."""
    return context.store.once(START, lambda: _start(context))


def _start(context: Context) -> dict[str, Any]:
    text = context.work / "warm-up.txt"
    text.write_text("a b c d e f g h\n" * 10)
    ours = Ours.on(context, Recipe("warm-up"), text)
    times = {"vocab": ours.count_words(context.threads), "build": ours.build(context.threads)}
    times["train"] = ours.train(dim=8, epochs=1, threads=context.threads)
    times["export"] = ours.export()
    return {name: run["seconds"] for name, run in times.items()}


def numbers(run: Run) -> dict[str, Any]:
    """Return seconds and peak bytes."""
    return {"seconds": run.seconds, "peak": run.peak}


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def python(script: str, *arguments: object) -> list[str]:
    """Return the command that runs a script of this folder."""
    return [common.GLOVE[0], str(Path(__file__).with_name(script)), *map(str, arguments)]
