"""The neural language model of Bengio et al. (2003), in PyTorch: K words before a word say which one it is.

PyTorch is an extra: `pip install 'glove-cli[lm]'`. A network is trained by one thread, so its numbers don't depend on
how many networks are trained side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError, TrainingError
from glove_cli.language.config import LanguageConfig
from glove_cli.language.ngrams import marked, perplexity
from glove_cli.language.text import Text
from glove_cli.memory import allowed_memory, in_words, used_memory

RANDOM, FROZEN, TUNED = "random", "frozen", "tuned"
STARTS = (RANDOM, FROZEN, TUNED)
SCALE = 0.3  # root mean square of the numbers of all vectors at the beginning
_HIDDEN_SHARE = 0.02  # of the learning rate, for the hidden layer, whose optimizer is Adam
_ROWS = 256  # scored at once: their scores of all words stay in the cache
_Tensors = dict[str, Any]


class StoppedError(Exception):
    """Training was asked to stop."""


@dataclass(eq=False)
class Network:
    """A network and how its training went.

    Attributes
    ----------
    V : int
        Words; the network predicts V + 2 outcomes, as in `Text`.
    context : int
        Words K that it sees.
    tensors : dict of torch tensors, float32
        E (V + 1, d): the words' vectors, and zeros. E2 (4, d): zeros, and the vectors of the end of a line, of <unk>,
        and of the mark before a line. H (h, K d), d (h,): hidden layer. U (V + 2, h), b (V + 2, 1): output. D
        (V + 2, K d), if there are direct connections.
    perplexities : list of float
        Of the validation text after each pass.

    Notes
    -----
    With x the vectors of the K words before a word, side by side (Bengio et al. 2003, section 2, equation 1):

    p = softmax(b + U tanh(d + H x) + D x)
    """

    V: int
    context: int
    tensors: _Tensors
    perplexities: list[float] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """The pass whose numbers the network has, from 1."""
        return int(np.argmin(self.perplexities)) + 1

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The words' vectors as they are after training, float32 (V, d), scaled."""
        found: NDArray[np.float32] = self.tensors["E"][: self.V].detach().numpy().copy()
        return found

    def probabilities(self, text: Text) -> NDArray[np.float64]:
        """Return the probability of each token of a text, given those before it in its piece.

        Parameters
        ----------
        text : Text
            Of the same vocabulary.

        Returns
        -------
        float64 array (N,)
        """
        import torch

        windows = _Windows(text, self.context)
        p = np.empty(len(windows.places))
        with _one_thread(), torch.no_grad():
            for begin in range(0, len(p), _ROWS):
                contexts, targets = windows.batch(slice(begin, begin + _ROWS))
                features = _features(self.tensors, contexts, self.V)
                scores = _scores(self.tensors, features, slice(None))
                logs = scores.gather(1, targets[:, None])[:, 0] - scores.logsumexp(1)
                p[begin : begin + _ROWS] = np.exp(logs.numpy().astype(np.float64))
        return p


def require_torch(option: str) -> None:
    """Refuse, before any work, a network where PyTorch is not installed.

    Parameters
    ----------
    option : str
        What the error names.

    Raises
    ------
    TrainingError
    """
    try:
        import torch  # noqa: F401
    except ImportError:
        raise TrainingError(
            f"{option}: needs the package torch. Install it with: pip install 'glove-cli[lm]'."
        ) from None


def check_memory(V: int, d: int, config: LanguageConfig, networks: int) -> None:
    """Refuse networks that take more memory than there is.

    Parameters
    ----------
    V, d : int
        Words, and numbers of a vector.
    config : LanguageConfig
    networks : int
        How many learn side by side.

    Raises
    ------
    OptionError
    """
    K, h = config.context, config.hidden
    numbers = (V + 5) * d + h * (K * d + 1) + (V + 2) * (h + 1) + (V + 2) * K * d * config.direct
    # Numbers, sums of squared gradients and the best numbers, float32; beside these the next best, or scores of rows.
    needed = networks * (12 * numbers + max(4 * numbers, 8 * _ROWS * (V + 2)))
    allowed = max(0, allowed_memory() - used_memory())
    if needed > allowed:
        raise OptionError(
            f"--lm-vocab: {networks} network{'s' if networks > 1 else ''} with {config.hidden:,} units for {V:,} words "
            f"take {in_words(needed)} of memory, there are {in_words(allowed)}. Lower it, --lm-hidden or --threads, or "
            "leave out --lm-direct."
        )


def train_network(
    train: Text,
    valid: Text,
    vectors: NDArray[Any],
    *,
    start: str,
    seed: int,
    config: LanguageConfig | None = None,
    on_tokens: Callable[[int], None] = lambda tokens: None,
    stop: threading.Event | None = None,
) -> Network:
    """Train a network until it no longer gets better on the validation text, and keep the best pass's numbers.

    Parameters
    ----------
    train, valid : Text
        Of the same vocabulary of V words.
    vectors : float array (V, d)
        Of the words; scaled as a whole so that the root mean square of their numbers is 0.3.
    start : {"random", "frozen", "tuned"}
        Begin with random vectors of the same size and scale and train them; with the given ones and leave them as they
        are; with the given ones and train them.
    seed : int
        Draws what is random: the same seed gives the same numbers, bit for bit, on the same machine.
    config : LanguageConfig, optional
    on_tokens : callable
        Called with the number of tokens of each batch.
    stop : threading.Event, optional
        Set it to stop; StoppedError is raised then.

    Returns
    -------
    Network

    Raises
    ------
    TrainingError
        If PyTorch is not installed, the vectors are zeros or not finite, or the perplexity is no number.

    Notes
    -----
    Steps are AdaGrad's (Duchi et al. 2011) for what has a row for each word, Adam's for the hidden layer. While a
    network learns, the words of the batch and `negatives` more, drawn by how frequent they are, stand for the whole
    vocabulary: with log of the probability that a word is among them taken off its score, the softmax over them is an
    estimate of that over all words (Bengio and Senecal 2003; Jean et al. 2015). Perplexities are always of the softmax
    over all words.
    """
    require_torch("--lm")
    import torch

    config = config if config is not None else LanguageConfig()
    rng = np.random.default_rng((seed, STARTS.index(start)))
    network = Network(train.V, config.context, _begin(train, np.asarray(vectors), start, rng, config))
    tensors = network.tensors
    tables = [tensors[name] for name in ("E", "E2", "U", "b", "D") if name in tensors and tensors[name].requires_grad]
    windows, learner = _Windows(train, config.context), _Learner(train, config, rng)
    best: _Tensors = {}
    with _one_thread():
        optimizers = [
            torch.optim.Adagrad(tables, lr=config.eta, initial_accumulator_value=1.0, foreach=False),
            torch.optim.Adam([tensors["H"], tensors["d"]], lr=_HIDDEN_SHARE * config.eta),
        ]
        for _ in range(config.passes(len(train))):
            order = rng.permutation(len(windows.places))
            for begin in range(0, len(order), config.batch):
                if stop is not None and stop.is_set():
                    raise StoppedError
                contexts, targets = windows.batch(torch.from_numpy(order[begin : begin + config.batch]))
                loss = learner.loss(tensors, contexts, targets)
                for optimizer in optimizers:
                    optimizer.zero_grad()
                loss.backward()
                for optimizer in optimizers:
                    optimizer.step()
                on_tokens(len(targets))
            network.perplexities.append(perplexity(network.probabilities(valid)))
            if not np.isfinite(network.perplexities[-1]):
                raise TrainingError(
                    f"--lm: the perplexity of the validation text is {network.perplexities[-1]} after "
                    f"{len(network.perplexities)} passes. Lower eta, {config.eta:g}."
                )
            if network.best_epoch == len(network.perplexities):
                best = {name: tensor.detach().clone() for name, tensor in tensors.items()}
            elif len(network.perplexities) - network.best_epoch >= config.patience:
                break
    network.tensors = best
    return network


class _Windows:
    """The tokens of a text and the K ids before each; the mark stands for what would be before a piece."""

    def __init__(self, text: Text, K: int) -> None:
        import torch

        ids, begins = marked(text)
        self.ids, self.begins = torch.from_numpy(ids), torch.from_numpy(begins)
        self.places = torch.from_numpy(np.flatnonzero(ids != text.V + 2))
        self.back = torch.arange(K, 0, -1)

    def batch(self, which: Any) -> tuple[Any, Any]:
        """Return contexts (B, K) and targets (B,) of some tokens."""
        places = self.places[which]
        before = (places[:, None] - self.back).maximum(self.begins[places][:, None])
        return self.ids[before], self.ids[places]


class _Learner:
    """The loss of a batch, over the whole vocabulary or over words drawn for it."""

    def __init__(self, train: Text, config: LanguageConfig, rng: np.random.Generator) -> None:
        import torch

        shares = _shares(train)
        drawn = config.negatives + config.batch
        self.V, self.rng, self.negatives = train.V, rng, config.negatives
        self.sums = np.cumsum(shares)
        self.log_included = torch.from_numpy(np.log(-np.expm1(drawn * np.log1p(-shares))).astype(np.float32))

    def loss(self, tensors: _Tensors, contexts: Any, targets: Any) -> Any:
        """Return the sum of -log p over a batch."""
        import torch

        features = _features(tensors, contexts, self.V)
        if not self.negatives:
            return torch.nn.functional.cross_entropy(_scores(tensors, features, slice(None)), targets, reduction="sum")
        at = self.rng.random(self.negatives) * self.sums[-1]
        drawn = torch.from_numpy(np.searchsorted(self.sums, at, side="right"))
        words, places = torch.unique(torch.cat((targets, drawn)), return_inverse=True)
        scores = _scores(tensors, features, words) - self.log_included[words]
        return torch.nn.functional.cross_entropy(scores, places[: len(targets)], reduction="sum")


def _begin(
    train: Text, vectors: NDArray[Any], start: str, rng: np.random.Generator, config: LanguageConfig
) -> _Tensors:
    """Return the numbers that a network begins with."""
    import torch

    V, d = vectors.shape
    size = np.sqrt(np.mean(np.square(vectors, dtype=np.float64)))
    if not np.isfinite(size) or not size:
        raise TrainingError("--lm: the vectors of the text's words are zeros or not finite. Give others.")
    K, h = config.context, config.hidden
    arrays = {
        "E": np.zeros((V + 1, d)),
        "E2": rng.normal(0, SCALE, (4, d)),
        "H": rng.uniform(-1, 1, (h, K * d)) / np.sqrt(K * d),
        "d": np.zeros(h),
        "U": np.zeros((V + 2, h)),
        "b": np.log(_shares(train))[:, None],
    }
    arrays["E"][:V] = vectors * (SCALE / size) if start != RANDOM else rng.normal(0, SCALE, (V, d))
    arrays["E2"][0] = 0
    if config.direct:
        arrays["D"] = np.zeros((V + 2, K * d))
    tensors = {name: torch.from_numpy(np.asarray(array, np.float32)) for name, array in arrays.items()}
    for name, tensor in tensors.items():
        tensor.requires_grad_(name != "E" or start != FROZEN)
    return tensors


def _shares(text: Text) -> NDArray[np.float64]:
    """Return the share of each outcome in a text, with one more of each."""
    counts = np.bincount(text.ids, minlength=text.V + 2) + 1.0
    return counts / counts.sum()


def _features(tensors: _Tensors, contexts: Any, V: int) -> tuple[Any, Any]:
    """Return x (B, K d) and the hidden layer (B, h) for contexts (B, K)."""
    import torch
    from torch.nn.functional import embedding

    words = embedding(contexts.clamp(max=V), tensors["E"], padding_idx=V, sparse=True)
    marks = embedding((contexts - (V - 1)).clamp(min=0), tensors["E2"], padding_idx=0)
    x = (words + marks).reshape(len(contexts), -1)
    return x, torch.tanh(torch.nn.functional.linear(x, tensors["H"], tensors["d"]))


def _scores(tensors: _Tensors, features: tuple[Any, Any], words: Any) -> Any:
    """Return the scores (B, n) of n outcomes: those of an index, or of a slice of all."""
    from torch.nn.functional import embedding

    def rows(name: str) -> Any:
        table = tensors[name]
        return table[words] if isinstance(words, slice) else embedding(words, table, sparse=True)

    x, hidden = features
    scores = hidden @ rows("U").T + rows("b").T
    return scores + x @ rows("D").T if "D" in tensors else scores


class _OneThread:
    """Has PyTorch compute with one thread, and in the same order each time, while any `with` block is open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = 0
        self._before: tuple[int, bool] = (1, False)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        import torch

        with self._lock:
            if not self._open:
                self._before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
            self._open += 1
            torch.set_num_threads(1)  # of this thread, too
            torch.use_deterministic_algorithms(True)
        try:
            with torch.sparse.check_sparse_tensor_invariants(enable=False):  # said, or PyTorch warns
                yield
        finally:
            with self._lock:
                self._open -= 1
                if not self._open:
                    torch.use_deterministic_algorithms(self._before[1])
                    torch.set_num_threads(self._before[0])


_one_thread = _OneThread()
