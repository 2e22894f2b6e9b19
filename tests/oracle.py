"""Slow, plain, float64 versions of everything the package computes, to compare it with.

Nothing of the package is imported here, so the two can't share a mistake. Each function is the shortest
code that follows the definition; none is fast. The reference is stanfordnlp/GloVe, its files' layouts are written
down where they are read.

Dimension letters: V words, d dimensions, n entries.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

UNIT = 2.0**-24  # weights are whole multiples of this, so that their sums are exact in float64


# --- text -----------------------------------------------------------------------------------------------------------


def tokenize(
    data: bytes | list[bytes],
    *,
    lowercase: bool = False,
    normalize: str | None = None,
    find: Callable[[str], list[str]] | None = None,
    document: str = "line",
    encoding_errors: str = "keep",
) -> list[list[bytes]]:
    """Split texts into documents of tokens, which stand between spaces, tabs and line feeds; CRs are deleted.

    `find` gives the tokens in what stands between blanks. Tokens that are not UTF-8 are an error of Python with
    "strict". A line of blanks parts two paragraphs.
    """
    documents: list[list[bytes]] = [[]]
    for text in [data] if isinstance(data, bytes) else data:
        for line in text.replace(b"\r", b"").split(b"\n"):
            stretches = _blanks_apart(line)
            if document == "line" or (document == "paragraph" and not stretches):
                documents.append([])
            for stretch in stretches:
                documents[-1] += _tokens(stretch, lowercase, normalize, find, encoding_errors)
        if document != "none":
            documents.append([])
    return [tokens for tokens in documents if tokens]


def _blanks_apart(line: bytes) -> list[bytes]:
    return [stretch for stretch in line.replace(b"\t", b" ").split(b" ") if stretch]


def _tokens(
    stretch: bytes, lowercase: bool, normalize: str | None, find: Callable[[str], list[str]] | None, errors: str
) -> list[bytes]:
    """Return the tokens of what stands between two blanks."""
    if errors == "skip-token" and not is_utf8(stretch):
        return []
    string = stretch.decode("utf-8", {"keep": "surrogateescape", "replace": "replace"}.get(errors, "strict"))
    tokens = []
    # A normal form can make spaces of some characters.
    for piece in (unicodedata.normalize(normalize, string) if normalize else string).split(" "):
        lowered = piece.lower() if lowercase else piece
        tokens += find(lowered) if find else [lowered]
    return [token.encode("utf-8", "surrogateescape") for token in tokens if token]


def is_utf8(data: bytes) -> bool:
    """Tell whether Python reads it as UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def words(text: str) -> list[str]:
    """Find the words in a text, character by character.

    A word begins with a letter or digit, goes on with these and marks, and ends with the last of them. Within it may
    stand connectors (_); joiners; an apostrophe or a middle dot between letters (or a letter's mark and a letter); a
    quotation mark, geresh or gershayim between Hebrew letters; a point or comma between decimal digits. Joiners after a
    mark may end it. Soft hyphens count for nothing.
    """
    text = text.replace("\u00ad", "") + " "
    kinds = [unicodedata.category(character) for character in text]
    hebrew = [unicodedata.name(character, "").startswith("HEBREW") for character in text]
    joiner = [character in "\u200c\u200d" for character in text]
    found = []
    k = 0
    while k < len(text):
        begin = k
        if kinds[k][0] not in "LN":
            k += 1
            continue
        while True:
            while kinds[k][0] in "LNM":
                k += 1
            after = k  # where the next piece of the word would begin
            letters = kinds[k - 1][0] in "LM" and kinds[k + 1 : k + 2] and kinds[k + 1][0] == "L"
            digits = kinds[k - 1] == "Nd" and kinds[k + 1 : k + 2] == ["Nd"]
            if kinds[k] == "Pc":
                while kinds[after] == "Pc":
                    after += 1
            elif joiner[k]:
                while joiner[after]:
                    after += 1
            elif (
                (text[k] in "'\u2018\u2019\uff07\u00b7\u0387\u2027" and letters)
                or (text[k] in '"\u05f3\u05f4' and hebrew[k - 1] and hebrew[k + 1])
                or (text[k] in ".,\uff0e\uff0c\u066b\u066c" and digits)
            ):
                after += 1
            if after == k or kinds[after][0] not in "LNM":
                break
            k = after
        if kinds[k - 1][0] == "M":
            while joiner[k]:
                k += 1
        found.append(text[begin:k])
    return found


def vocabulary(
    documents: list[list[bytes]],
    min_count: int = 1,
    max_vocab: int | None = None,
    max_doc_share: float | None = None,
) -> list[tuple[bytes, int]]:
    """Count words; leave out those of too many documents; order by count descending, then by bytes; cut."""
    counts = Counter(token for document in documents for token in document)
    in_documents = Counter(token for document in documents for token in set(document))
    most = len(documents) if max_doc_share is None else max_doc_share * len(documents)
    kept = [(word, n) for word, n in counts.items() if n >= min_count and in_documents[word] <= most]
    kept.sort(key=lambda pair: (-pair[1], pair[0]))
    return kept[:max_vocab]


def signed_bytes(word: bytes) -> tuple[int, ...]:
    """Return the key by which the reference orders words of equal count on x86, where a `char` is signed."""
    return tuple(byte - 256 if byte > 127 else byte for byte in word)


# --- counting -------------------------------------------------------------------------------------------------------


def weight_units(distance: int, weighting: str, window: int = 15) -> int:
    """Return the weight of a pair in units of 2^-24, rounded to the nearest (half to even)."""
    if weighting == "flat":
        return 2**24
    if weighting == "harmonic":
        return (2 * 2**24 + distance) // (2 * distance)
    if weighting == "linear":
        return round(Fraction(2**24 * (window + 1 - distance), window))
    return round(Fraction(weighting.split(",")[distance - 1]) * 2**24)


def subsample(documents: list[list[int | None]], counts: list[int], share: float, seed: int) -> list[list[int | None]]:
    """Leave out tokens of frequent words: one with the share f of all counts stays with probability sqrt(share / f).

    The chance comes from splitmix64's last steps, over the ids of the document so far; a token of no word (None) stays
    and takes no part.
    """
    mask = 2**64 - 1
    total = sum(counts)
    result = []
    for document in documents:
        state, kept = seed, []
        for word in document:
            if word is None:
                kept.append(word)
                continue
            z = ((state ^ word) + 0x9E3779B97F4A7C15) & mask
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
            state = z ^ (z >> 31)
            if (state >> 32) < math.ceil(min(1.0, math.sqrt(share * (total / counts[word]))) * 2.0**32):
                kept.append(word)
        result.append(kept)
    return result


def cooccurrence(
    documents: list[list[bytes]],
    words: list[bytes],
    *,
    window: int = 15,
    context: str = "symmetric",
    weighting: str = "harmonic",
    oov: str = "skip",
    counts: list[int] | None = None,
    share: float = 0.0,
    seed: int = 1,
) -> dict[tuple[int, int], float]:
    """Count pairs by the double loop over positions; give {(row, column): x}.

    Words outside the vocabulary are removed before distances are measured, unless they are to hold their places.
    `left`: row is the left word of the pair, as in the reference's asymmetric file. `right`: its transpose.
    `symmetric`: both, so that a pair of the same word counts twice.
    """
    ids = {word: i for i, word in enumerate(words)}
    units: dict[tuple[int, int], int] = defaultdict(int)  # of the left word's row and the right word's column
    placed = [[ids.get(token) for token in document if token in ids or oov == "hold"] for document in documents]
    if share:
        assert counts is not None
        placed = subsample(placed, counts, share, seed)
    weights = [0, *(weight_units(distance, weighting, window) for distance in range(1, window + 1))]
    for kept in placed:
        for right, b in enumerate(kept):
            if b is None:
                continue
            for left in range(max(0, right - window), right):
                a = kept[left]
                if a is not None:
                    units[a, b] += weights[right - left]
    if context == "right":
        units = {(b, a): n for (a, b), n in units.items()}
    elif context == "symmetric":
        for (a, b), n in units.copy().items():
            units[b, a] += n  # which counts a pair of the same word twice
    return {pair: n * UNIT for pair, n in units.items()}


def total_weight(
    documents: list[list[bytes]], words: list[bytes], *, window: int, context: str, weighting: str
) -> float:
    """Return the sum of all window weights from the documents' lengths alone: L - k pairs at distance k."""
    known = set(words)
    total = 0
    for document in documents:
        length = sum(token in known for token in document)
        last = min(window, length - 1)
        total += sum((length - k) * weight_units(k, weighting, window) for k in range(1, last + 1))
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


def is_met(i: int, j: int, f: float, min_weight: float, key: int) -> bool:
    """Tell whether an entry is met in an epoch: if the first 24 bits of a hash are less than f / min_weight of them.

    The hash is splitmix64's of key + i * 0x9E3779B97F4A7C15 + j * 0xD1B54A32D192ED03, modulo 2^64.
    """
    state = (key + i * 0x9E3779B97F4A7C15 + j * 0xD1B54A32D192ED03) % 2**64
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    state = (state ^ state >> 27) * 0x94D049BB133111EB % 2**64
    return (state >> 40) < f / min_weight * 2**24


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


def neighbour_overlap(A: np.ndarray, B: np.ndarray, k: int) -> list[float]:
    """Return for each word the share of its k nearest neighbours (cosine; of equal ones the first) in A and in B."""
    return [len(set(_nearest(A, word, k)) & set(_nearest(B, word, k))) / k for word in range(len(A))]


def _nearest(vectors: np.ndarray, word: int, k: int) -> list[int]:
    unit = [[value / math.sqrt(sum(v * v for v in row)) for value in row] for row in vectors.tolist()]
    cosine = [sum(p * q for p, q in zip(unit[word], row, strict=True)) for row in unit]
    return sorted((other for other in range(len(unit)) if other != word), key=lambda other: (-cosine[other], other))[:k]


def chance(kept: float, frequency: int, control: list[tuple[int, float]], similar: int) -> float:
    """Return the share of words of similar frequency in a control that kept as little, as a p-value.

    The control has (frequency, kept) of each word. `similar` of them count: as many rarer as not, where they are there.
    """
    ordered = sorted(control, key=lambda word: word[0])
    rarer = sum(word[0] < frequency for word in ordered)
    first = max(0, min(rarer - similar // 2, len(ordered) - similar))
    chosen = ordered[first : first + similar]
    return (1 + sum(word[1] <= kept for word in chosen)) / (1 + len(chosen))


def average_ranks(values: list[float]) -> list[float]:
    """Return the rank of each value, from 1; equal values share the mean of their ranks."""
    return [sum(v < value for v in values) + (sum(v == value for v in values) + 1) / 2 for value in values]


def spearman(a: list[float], b: list[float]) -> float:
    """Return Spearman's rho: Pearson's r of the average ranks."""
    p, q = average_ranks(a), average_ranks(b)
    mean_p, mean_q = sum(p) / len(p), sum(q) / len(q)
    cross = sum((u - mean_p) * (v - mean_q) for u, v in zip(p, q, strict=True))
    return cross / math.sqrt(sum((u - mean_p) ** 2 for u in p) * sum((v - mean_q) ** 2 for v in q))


# --- uncertainty ----------------------------------------------------------------------------------------------------


def joint_covariance(
    X: np.ndarray, parameters: Parameters, i: int, x_max: float, alpha: float, *, symmetric: bool
) -> np.ndarray:
    """Return the covariance of (w_i, c_i), 2d x 2d, entry by entry: errors are sums of f M e, M the gain of an entry.

    Each side is a weighted least-squares problem with all else fixed. With a symmetric X both have the same entries,
    whose two residuals have one covariance S; else they have entries of their own.
    """
    W, C, b_w, b_c = (getattr(parameters, name) for name in ("W", "C", "b_w", "b_c"))
    d = W.shape[1]

    def side(x: np.ndarray, own: np.ndarray, others: np.ndarray, bias: float, biases: np.ndarray):
        ids = np.flatnonzero(x)
        f = np.array([entry_weight(value, x_max, alpha) for value in x[ids]])
        residuals = np.log(x[ids]) - bias - biases[ids] - others[ids] @ own
        gains = np.linalg.inv(sum(f[k] * np.outer(others[j], others[j]) for k, j in enumerate(ids))) @ others[ids].T
        return f, residuals, gains

    f, e, gains = side(X[i], W[i], C, b_w[i], b_c)
    f_c, e_c, gains_c = side(X[:, i], C[i], W, b_c[i], b_w)
    result = np.zeros((2 * d, 2 * d))
    if symmetric:
        S = sum(f[k] * np.outer((e[k], e_c[k]), (e[k], e_c[k])) for k in range(len(f))) / (len(f) - d)
        for k in range(len(f)):
            M = np.zeros((2 * d, 2))
            M[:d, 0], M[d:, 1] = gains[:, k], gains_c[:, k]
            result += f[k] * M @ S @ M.T
        return result
    for part, weights, errors, gain in ((slice(d), f, e, gains), (slice(d, None), f_c, e_c, gains_c)):
        variance = sum(weights * errors**2) / (len(errors) - d)
        result[part, part] = sum(weights[k] * variance * np.outer(gain[:, k], gain[:, k]) for k in range(len(weights)))
    return result


# --- language models ------------------------------------------------------------------------------------------------


def kneser_ney(lines: list[list[int]], V: int, order: int) -> Callable[[list[int], int], Fraction]:
    """Return p(w | h) of interpolated Kneser-Ney smoothing, one discount for each order (Chen and Goodman 1999).

    Lines hold ids below V + 2; h is all of a line before w. An n-gram that begins a line has no word before it, and
    is counted as often as it occurs. A discount of which n1 or n2 is 0 is 1/2.
    """
    raw = [Counter[tuple[object, ...]]() for _ in range(order + 1)]
    before: list[dict[tuple[object, ...], set[object]]] = [defaultdict(set) for _ in range(order + 1)]
    for line in lines:
        padded = ["begin", *line]
        for end in range(1, len(padded)):
            for m in range(1, min(order, end + 1) + 1):
                gram = tuple(padded[end - m + 1 : end + 1])
                raw[m][gram] += 1
                if end - m >= 0:
                    before[m][gram].add(padded[end - m])
    counts = []
    for m in range(1, order + 1):
        lower = {gram: n if gram[0] == "begin" else len(before[m][gram]) for gram, n in raw[m].items()}
        counts.append(dict(raw[m]) if m == order else lower)
    discounts = []
    for table in counts:
        once, twice = (list(table.values()).count(n) for n in (1, 2))
        discounts.append(Fraction(once, once + 2 * twice) if once and twice else Fraction(1, 2))

    def p(history: list[int], word: int) -> Fraction:
        padded = ["begin", *history]
        result = Fraction(1, V + 2)
        for m in range(1, min(order, len(padded) + 1) + 1):
            context = tuple(padded[len(padded) - m + 1 :])
            after = [n for gram, n in counts[m - 1].items() if gram[:-1] == context]
            if not after:
                break
            own = max(counts[m - 1].get((*context, word), 0) - discounts[m - 1], 0)
            result = (own + discounts[m - 1] * len(after) * result) / sum(after)
        return result

    return p
