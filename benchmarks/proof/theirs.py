"""The reference's tools, measured one by one, with what they left on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference import MEMORY, Reference, measure_training

from proof.context import Context
from proof.ours import numbers

# A table that holds all pairs in memory writes an empty overflow file, and then the reference counts its first record
# twice; so small texts get little memory.
SMALL, SMALL_MEMORY = 20_000_000, "0.1"


@dataclass(frozen=True)
class Theirs:
    """The reference on a text."""

    context: Context
    corpus: Path
    tools: Reference

    @classmethod
    def on(cls, context: Context, corpus: Path | None = None, suffix: str = "") -> Theirs:
        """Return the reference's side for a text, the whole corpus unless named; `suffix` names another folder."""
        text, options = corpus or context.corpus, context.options
        folder = context.work / f"reference-{text.stem}-{context.counting}{suffix}"
        folder.mkdir(exist_ok=True)
        memory = SMALL_MEMORY if text.stat().st_size < SMALL else MEMORY
        tools = Reference(options.reference.resolve(), folder, text, options.min_count, options.window, memory)
        return cls(context, text, tools)

    @property
    def vectors(self) -> Path:
        """The file of vectors written last."""
        return self.tools.work / "reference.vectors.txt"

    def build(self) -> dict[str, Any]:
        """Count words and pairs, and shuffle."""
        tools = self.tools
        vocab, cooccur = tools.vocab_count(), tools.cooccur()
        shuffle = tools.shuffle()
        return {
            "vocab_count": {**numbers(vocab), "disk": tools.vocab.stat().st_size},
            "cooccur": {**numbers(cooccur), "disk": tools.matrix.stat().st_size},
            "shuffle": {**numbers(shuffle), "disk": tools.shuffled.stat().st_size},
            "nnz": tools.matrix.stat().st_size // 16,
            "words": tools.vocab.read_bytes().count(b"\n"),
        }

    def built(self) -> dict[str, Any]:
        """Return what counting and shuffling took, doing both unless that was done."""
        tools = self.tools
        key = f"{tools.work.name}: counting and shuffling"
        return self.context.store.once(key, self.build, [tools.vocab, tools.matrix, tools.shuffled])

    def train(self, *, dim: int, epochs: int, threads: int, seed: int = 1) -> dict[str, Any]:
        """Train, and write the vectors as text."""
        x_max = self.context.options.x_max
        done = measure_training(
            self.tools.train_command(dim=dim, epochs=epochs, x_max=x_max, threads=threads, binary=0, seed=seed)
        )
        return {
            **numbers(done.run),
            "epochs": done.seconds,
            "costs": done.costs,
            "disk": self.vectors.stat().st_size,
        }
