"""Slow, plain, float64 versions of everything the package computes, to compare it with.

Nothing of the package is imported here, so the two can't share a mistake. Each function is the shortest
code that follows the definition; none is fast. The reference is stanfordnlp/GloVe, its files' layouts are written
down where they are read.

Dimension letters: V words, d dimensions, n entries.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

UNIT = 2.0**-24  # weights are whole multiples of this, so that their sums are exact in float64


# --- text -----------------------------------------------------------------------------------------------------------


def tokenize(data: bytes, *, lowercase: bool = False) -> list[list[bytes]]:
    """Split a text into documents (at line feeds) of tokens (at spaces and tabs); carriage returns are deleted."""
    documents = []
    for line in data.replace(b"\r", b"").split(b"\n"):
        tokens = [token for token in line.replace(b"\t", b" ").split(b" ") if token]
        if lowercase:
            tokens = [t.decode("utf-8", "surrogateescape").lower().encode("utf-8", "surrogateescape") for t in tokens]
        if tokens:
            documents.append(tokens)
    return documents


def vocabulary(
    documents: list[list[bytes]], min_count: int = 1, max_vocab: int | None = None
) -> list[tuple[bytes, int]]:
    """Count words; order them by count descending, then by bytes ascending; cut."""
    counts = Counter(token for document in documents for token in document)
    kept = [(word, n) for word, n in counts.items() if n >= min_count]
    kept.sort(key=lambda pair: (-pair[1], pair[0]))
    return kept[:max_vocab]


def signed_bytes(word: bytes) -> tuple[int, ...]:
    """Return the key by which the reference orders words of equal count on x86, where a `char` is signed."""
    return tuple(byte - 256 if byte > 127 else byte for byte in word)


# --- counting -------------------------------------------------------------------------------------------------------


def weight_units(distance: int, weighting: str) -> int:
    """Return the weight of a pair in units of 2^-24: 1/distance rounded to the nearest, or 1."""
    if weighting == "flat":
        return 2**24
    assert weighting == "harmonic"
    return (2 * 2**24 + distance) // (2 * distance)


def cooccurrence(
    documents: list[list[bytes]],
    words: list[bytes],
    *,
    window: int = 15,
    context: str = "symmetric",
    weighting: str = "harmonic",
) -> dict[tuple[int, int], float]:
    """Count pairs by the double loop over positions; give {(row, column): x}.

    Words outside the vocabulary are removed before distances are measured. `left`: row is the left word of the pair,
    as in the reference's asymmetric file. `right`: its transpose. `symmetric`: both, so that a pair of the same word
    counts twice.
    """
    ids = {word: i for i, word in enumerate(words)}
    units: dict[tuple[int, int], int] = defaultdict(int)
    for document in documents:
        kept = [ids[token] for token in document if token in ids]
        for right in range(len(kept)):
            for left in range(max(0, right - window), right):
                weight = weight_units(right - left, weighting)
                if context in ("symmetric", "left"):
                    units[kept[left], kept[right]] += weight
                if context in ("symmetric", "right"):
                    units[kept[right], kept[left]] += weight
    return {pair: n * UNIT for pair, n in units.items()}


def total_weight(
    documents: list[list[bytes]], words: list[bytes], *, window: int, context: str, weighting: str
) -> float:
    """Return the sum of all window weights from the documents' lengths alone: L - k pairs at distance k."""
    known = set(words)
    total = 0
    for document in documents:
        length = sum(token in known for token in document)
        total += sum((length - k) * weight_units(k, weighting) for k in range(1, min(window, length - 1) + 1))
    return total * UNIT * (2 if context == "symmetric" else 1)


# --- the reference's files ------------------------------------------------------------------------------------------


def read_reference_vocab(path: Path) -> list[tuple[bytes, int]]:
    """Read `word SP count LF` lines."""
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    return [(word, int(count)) for word, count in (line.split(b" ") for line in lines)]


def read_reference_cooccurrence(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read records of int32 row, int32 column, float64 value; ids become 0-based."""
    records = np.fromfile(path, dtype=np.dtype([("row", "<i4"), ("col", "<i4"), ("x", "<f8")]))
    return records["row"] - 1, records["col"] - 1, records["x"].copy()


def read_reference_parameters(path: Path, V: int, d: int) -> Parameters:
    """Read 2·V·(d+1) float64: a word's d values and its bias, V times; then the same of the contexts."""
    both = np.fromfile(path, dtype="<f8").reshape(2, V, d + 1)
    return Parameters(both[0, :, :d].copy(), both[1, :, :d].copy(), both[0, :, d].copy(), both[1, :, d].copy())


# --- training -------------------------------------------------------------------------------------------------------


class Parameters:
    """W, C (V, d) and b_w, b_c (V,), float64; the squared-gradient sums have the same shape."""

    names = ("W", "C", "b_w", "b_c")

    def __init__(self, W: np.ndarray, C: np.ndarray, b_w: np.ndarray, b_c: np.ndarray) -> None:
        self.W, self.C, self.b_w, self.b_c = W, C, b_w, b_c

    def copy(self) -> Parameters:
        """Return a copy that shares nothing."""
        return Parameters(*(getattr(self, name).copy() for name in self.names))

    @classmethod
    def ones(cls, V: int, d: int) -> Parameters:
        """Return the squared-gradient sums before the first update."""
        return cls(np.ones((V, d)), np.ones((V, d)), np.ones(V), np.ones(V))


def entry_weight(x: float, x_max: float, alpha: float) -> float:
    """Return f(x) of equation 9: (x / x_max)^alpha below x_max, 1 from there on."""
    return (x / x_max) ** alpha if x < x_max else 1.0


def prepared_entries(
    row: np.ndarray, col: np.ndarray, x: np.ndarray, *, x_max: float, alpha: float
) -> list[tuple[int, int, float, float]]:
    """Return (row, column, log x, f(x)) of each entry."""
    listed = zip(row.tolist(), col.tolist(), x.tolist(), strict=True)
    return [(i, j, math.log(value), entry_weight(value, x_max, alpha)) for i, j, value in listed]


def adagrad_pass(
    theta: Parameters,
    gradsq: Parameters,
    row: np.ndarray,
    col: np.ndarray,
    x: np.ndarray,
    *,
    x_max: float,
    alpha: float,
    eta: float,
    bias_eta: float,
    grad_clip: float,
) -> float:
    """Update `theta` and `gradsq` in place by one pass over the entries in the given order; return the mean cost.

    For each entry, with f = f(x):

        diff  = w . c + b_w + b_c - log x
        cost += 1/2 f diff^2
        s_w   = eta clip(f diff c)     w -= s_w / sqrt(G_w)     G_w += s_w^2     (s_c alike, from the w of before)
        s_b   = bias_eta f diff        b -= s_b / sqrt(G_b)     G_b += s_b^2     (not clipped; both biases)

    The reference's rule is the one with bias_eta = 1.
    """
    cost = 0.0
    log_x = [math.log(value) for value in x.tolist()]
    weights = [entry_weight(value, x_max, alpha) for value in x.tolist()]
    for i, j, log_value, f in zip(row.tolist(), col.tolist(), log_x, weights, strict=True):
        w, c = theta.W[i], theta.C[j]
        diff = float(w @ c) + float(theta.b_w[i]) + float(theta.b_c[j]) - log_value
        fdiff = f * diff
        cost += 0.5 * fdiff * diff
        step_w = eta * np.minimum(np.maximum(fdiff * c, -grad_clip), grad_clip)
        step_c = eta * np.minimum(np.maximum(fdiff * w, -grad_clip), grad_clip)
        w -= step_w / np.sqrt(gradsq.W[i])
        c -= step_c / np.sqrt(gradsq.C[j])
        gradsq.W[i] += step_w * step_w
        gradsq.C[j] += step_c * step_c
        step = bias_eta * fdiff
        theta.b_w[i] -= step / math.sqrt(gradsq.b_w[i])
        theta.b_c[j] -= step / math.sqrt(gradsq.b_c[j])
        gradsq.b_w[i] += step * step
        gradsq.b_c[j] += step * step
    return cost / len(x)


def objective(
    theta: Parameters, row: np.ndarray, col: np.ndarray, x: np.ndarray, *, x_max: float, alpha: float
) -> float:
    """Return J of equation 8: the sum of f(x) (w . c + b_w + b_c - log x)^2 (without a half)."""
    total = 0.0
    for i, j, value in zip(row.tolist(), col.tolist(), x.tolist(), strict=True):
        dot = sum(a * b for a, b in zip(theta.W[i].tolist(), theta.C[j].tolist(), strict=True))
        diff = dot + theta.b_w[i] + theta.b_c[j] - math.log(value)
        total += entry_weight(value, x_max, alpha) * diff * diff
    return float(total)


def gradient(
    theta: Parameters, row: np.ndarray, col: np.ndarray, x: np.ndarray, *, x_max: float, alpha: float
) -> Parameters:
    """Return the gradient of J entry by entry: dJ/dw_i += 2 f diff c_j and so on."""
    V, d = theta.W.shape
    out = Parameters(np.zeros((V, d)), np.zeros((V, d)), np.zeros(V), np.zeros(V))
    for i, j, value in zip(row.tolist(), col.tolist(), x.tolist(), strict=True):
        diff = float(theta.W[i] @ theta.C[j]) + theta.b_w[i] + theta.b_c[j] - math.log(value)
        g = 2.0 * entry_weight(value, x_max, alpha) * diff
        out.W[i] += g * theta.C[j]
        out.C[j] += g * theta.W[i]
        out.b_w[i] += g
        out.b_c[j] += g
    return out


# --- evaluation -----------------------------------------------------------------------------------------------------


def analogy_answer(vectors: np.ndarray, a: int, b: int, c: int) -> int:
    """Answer `a is to b as c is to ?` by 3CosAdd on unit rows; the three given words are never the answer."""
    unit = [[value / math.sqrt(sum(v * v for v in row)) for value in row] for row in vectors.tolist()]
    target = [unit[b][k] - unit[a][k] + unit[c][k] for k in range(len(unit[0]))]
    best, answer = -math.inf, -1
    for word, row in enumerate(unit):
        score = sum(p * q for p, q in zip(row, target, strict=True))
        if word not in (a, b, c) and score > best:
            best, answer = score, word
    return answer


def average_ranks(values: list[float]) -> list[float]:
    """Return the rank of each value, from 1; equal values share the mean of their ranks."""
    return [sum(v < value for v in values) + (sum(v == value for v in values) + 1) / 2 for value in values]


def spearman(a: list[float], b: list[float]) -> float:
    """Return Spearman's rho: Pearson's r of the average ranks."""
    p, q = average_ranks(a), average_ranks(b)
    mean_p, mean_q = sum(p) / len(p), sum(q) / len(q)
    cross = sum((u - mean_p) * (v - mean_q) for u, v in zip(p, q, strict=True))
    return cross / math.sqrt(sum((u - mean_p) ** 2 for u in p) * sum((v - mean_q) ** 2 for v in q))
