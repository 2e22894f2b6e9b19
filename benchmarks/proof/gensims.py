"""gensim's models, each trained by a process of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common import measure

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
    kind, extra = GENSIM[name]
    report, out = context.work / "gensim.json", vectors_of(context, name)
    arguments = {
        "vector_size": dim,
        "window": GENSIM_WINDOW,
        "min_count": context.options.min_count,
        "epochs": epochs,
        "workers": context.threads,
        "seed": 1,
        **extra,
    }
    text = cut_lines(corpus or context.corpus, GENSIM_LINE, context.work)
    order = {"class": kind, "arguments": arguments, "corpus": str(text), "out": str(out), "report": str(report)}
    run = measure(python("gensim_worker.py", json.dumps(order)))
    return {**numbers(run), **json.loads(report.read_text()), "disk": out.stat().st_size}
