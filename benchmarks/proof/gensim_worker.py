"""Train a model of gensim on a text as its users do, write the vectors as text, and the time of each stage as JSON.

A process of its own, so that its time and memory can be measured from outside.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path


def main() -> None:
    """Read the order from the command line: a JSON object."""
    order = json.loads(sys.argv[1])
    begin = time.perf_counter()
    warnings.simplefilter("ignore")
    from gensim.models import FastText, Word2Vec

    kind = {"Word2Vec": Word2Vec, "FastText": FastText}[order["class"]]
    imported = time.perf_counter()
    model = kind(**order["arguments"])
    # A file of lines goes to threads that need no lock; an iterable of sentences would keep Python's.
    model.build_vocab(corpus_file=order["corpus"])
    scanned = time.perf_counter()
    counts = {"total_examples": model.corpus_count, "total_words": model.corpus_total_words}
    model.train(corpus_file=order["corpus"], epochs=model.epochs, **counts)
    trained = time.perf_counter()
    model.wv.save_word2vec_format(order["out"])
    saved = time.perf_counter()
    report = {
        "import": imported - begin,
        "scan": scanned - imported,
        "train": trained - scanned,
        "save": saved - trained,
        "words": len(model.wv),
        "corpus_words": model.corpus_total_words,
    }
    Path(order["report"]).write_text(json.dumps(report))


if __name__ == "__main__":
    main()
