"""gensim's models, each trained by a process of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common import Run, measure

from proof.context import Context
from proof.ours import numbers, python
from proof.settings import GENSIM, GENSIM_DIM, GENSIM_LINE, GENSIM_WINDOW
from proof.texts import cut_lines


def vectors_of(context: Context, name: str) -> Path:
    """Return the file of vectors that a model of this name wrote last."""
    return context.work / f"gensim-{name}.vectors.txt"


def train(
    context: Context, name: str, *, epochs: int, dim: int = GENSIM_DIM, corpus: Path | None = None
) -> dict[str, Any]:
    """Train, from text to vectors; lines longer than gensim likes are cut before, and that isn't counted."""
    out = vectors_of(context, name)
    done, report = run(
        name, corpus or context.corpus, out, context.work,
        epochs=epochs, threads=context.threads, dim=dim, min_count=context.options.min_count,
    )  # fmt: skip
    return {**numbers(done), **report, "disk": out.stat().st_size}


def run(
    name: str, corpus: Path, out: Path, work: Path, *, epochs: int, threads: int, dim: int, min_count: int
) -> tuple[Run, dict[str, Any]]:
    """Train the model of this name on a text, write its vectors as text, and return the run and its report."""
    kind, extra = GENSIM[name]
    report = work / "gensim.json"
    arguments = {
        "vector_size": dim,
        "window": GENSIM_WINDOW,
        "min_count": min_count,
        "epochs": epochs,
        "workers": threads,
        "seed": 1,
        **extra,
    }
    text = cut_lines(corpus, GENSIM_LINE, work)
    order = {"class": kind, "arguments": arguments, "corpus": str(text), "out": str(out), "report": str(report)}
    return measure(python("gensim_worker.py", json.dumps(order))), json.loads(report.read_text())
