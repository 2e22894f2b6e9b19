"""Use the vectors in scikit-learn: classify texts by the mean of their words' vectors. Needs scikit-learn.

    python examples/feed_sklearn.py                      # sentences and vectors of corpora/sample.txt
    python examples/feed_sklearn.py texts.tsv --vectors vectors.txt     # a label, a tab and a text a line

Each word's vector is weighted by the word's TF-IDF, so that frequent words count less; words without a vector count for
nothing. All steps are one Pipeline, so that cross-validation fits each of them to the training part only. Beside it
stand the same words without vectors, and guessing the most frequent label: vectors of a small text, as here, say less
than the words themselves.

Without a file, the sentences are those about food, places or weather, as a few words tell. Those words are taken out,
and the rest has to do. The vectors, which are of these very sentences, know the words but not the labels.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from glove_cli import GloveError, WordVectors, build_cooc, load_vectors, train

SAMPLE = Path(__file__).resolve().parents[1] / "corpora" / "sample.txt"
TOPICS = {
    "food": "bread milk cheese fruit soup fish sugar eat drinks butter salt cake",
    "places": "city village capital house river road street castle bridge train school",
    "weather": "rain snow wind winter summer storm cold warm hot spring autumn sun",
}


def labelled_sample() -> list[tuple[str, str]]:
    """Return each sentence that has words of one topic alone: the topic, and the other words."""
    topic_of = {word: topic for topic, words in TOPICS.items() for word in words.split()}
    found = []
    for words in map(str.split, SAMPLE.read_text(encoding="utf-8").splitlines()):
        topics = {topic_of[word] for word in words if word in topic_of}
        if len(topics) == 1:
            found.append((topics.pop(), " ".join(word for word in words if word not in topic_of)))
    return found


def sample_vectors() -> WordVectors:
    """Train vectors on the sample."""
    with tempfile.TemporaryDirectory() as folder:
        cooc = build_cooc(SAMPLE, f"{folder}/cooc", min_count=2, window=10)
        model = train(cooc, dim=50, epochs=50, x_max=10, seed=1)
    return WordVectors(model.vocab.words, (model.W + model.C).astype(np.float32))


def mean_vectors(weights: Any, matrix: Any) -> Any:
    """Return for each text the mean of the vectors by the weights of its words: (texts, V) times (V, d)."""
    return weights @ matrix / np.maximum(np.asarray(weights.sum(axis=1)).reshape(-1, 1), 1e-9)


def main() -> None:
    """Classify texts with and without vectors."""
    parser = argparse.ArgumentParser(description="Classify texts by word vectors in scikit-learn.")
    parser.add_argument("texts", nargs="?", type=Path, metavar="TSV", help="lines of a label, a tab and a text")
    parser.add_argument("--vectors", help="a file of vectors, a model or a run")
    options = parser.parse_args()
    try:
        lines = options.texts.read_text(encoding="utf-8").splitlines() if options.texts else []
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"Error: {options.texts}: can't be read: {error}. Name a text in UTF-8.")
    if bad := [number for number, line in enumerate(lines, 1) if "\t" not in line]:
        sys.exit(f"Error: {options.texts}: line {bad[0]} has no tab. Give a label, a tab and a text a line.")
    pairs = [line.split("\t", 1) for line in lines] if options.texts else labelled_sample()
    labels, texts = [label for label, _ in pairs], [text for _, text in pairs]
    counts = Counter(labels)
    if len(counts) < 2 or min(counts.values()) < 5:
        sys.exit(f"Error: {options.texts}: has {len(texts)} texts. Give two labels or more, with 5 texts each or more.")
    try:
        from sklearn.dummy import DummyClassifier
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold, cross_val_score
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer, StandardScaler
    except ImportError:
        sys.exit("Error: scikit-learn: is not installed. Install it with: pip install scikit-learn")
    try:
        vectors = load_vectors(options.vectors) if options.vectors else sample_vectors()
    except GloveError as error:
        sys.exit(f"Error: {error}")

    def words() -> Any:
        return TfidfVectorizer(vocabulary=list(vectors.words), token_pattern=r"\w+", lowercase=True)

    mean = FunctionTransformer(mean_vectors, kw_args={"matrix": vectors.matrix})
    pipelines = {
        "mean of word vectors": make_pipeline(words(), mean, StandardScaler(), LogisticRegression()),
        "words alone": make_pipeline(words(), LogisticRegression(C=10)),
        "most frequent label": make_pipeline(words(), DummyClassifier()),
    }
    print(f"{len(texts)} texts: " + ", ".join(f"{count} {label}" for label, count in counts.most_common()))
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    for name, pipeline in pipelines.items():
        print(f"{name:22}  {cross_val_score(pipeline, texts, labels, cv=folds).mean():6.1%} right")


if __name__ == "__main__":
    main()
