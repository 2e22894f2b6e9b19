"""Use the vectors in PyTorch, as the first layer of a network. Needs PyTorch, and the package safetensors or NumPy.

    python examples/feed_pytorch.py                      # vectors of corpora/sample.txt
    python examples/feed_pytorch.py vectors.safetensors --texts "paris is in france" "rome"
    python examples/feed_pytorch.py vectors.npy          # the words are in vectors.words.txt beside it

`glove export vectors.safetensors`, or vectors.npy, writes such a file; reading it takes nothing of glove. Row i is the
vector of word i. The last row is <unk>, the mean of the rarest words, and stands for all that have none of their own. A
row of zeros for padding comes after it, so that the others keep their numbers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLE = Path(__file__).resolve().parents[1] / "corpora" / "sample.txt"
TEXTS = ["the capital of france is old .", "rome is a large city in italy .", "she eats cheese"]


def sample_file(folder: str) -> Path:
    """Train vectors on the sample, and write them as safetensors."""
    from glove_cli import build_cooc, export_vectors, train

    path = Path(folder) / "vectors.safetensors"
    cooc = build_cooc(SAMPLE, f"{folder}/cooc", min_count=3, window=10)
    export_vectors(train(cooc, dim=50, epochs=50, x_max=10, seed=1), path)
    return path


def read(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Return the words and their vectors, float32 (V, d), of a .safetensors or .npy file."""
    if path.suffix == ".npy":
        listed = path.with_suffix(".words.txt").read_bytes().removesuffix(b"\n")
        return listed.decode().split("\n"), np.load(path)
    from safetensors.numpy import load_file

    tensors = load_file(path)
    return tensors["words"].tobytes().decode().split("\n"), tensors["vectors"]


def encode(texts: list[str], words: list[str]) -> NDArray[np.int64]:
    """Return the rows of each text's words, (texts, longest), filled up with the row of padding, V."""
    index = {word: row for row, word in enumerate(words)}
    rows = [[index.get(word, index["<unk>"]) for word in text.split()] for text in texts]
    longest = max(map(len, rows))
    return np.array([row + [len(words)] * (longest - len(row)) for row in rows])


def main() -> None:
    """Make a layer of the vectors, and compare some texts by it."""
    parser = argparse.ArgumentParser(description="Use vectors in PyTorch.")
    parser.add_argument("vectors", nargs="?", type=Path, help="a .safetensors or .npy file")
    parser.add_argument("--texts", nargs="+", default=TEXTS, help="texts to compare with the first one")
    options = parser.parse_args()
    try:
        import torch

        with tempfile.TemporaryDirectory() as folder:
            words, matrix = read(options.vectors or sample_file(folder))
    except ImportError as error:
        sys.exit(f"Error: {error.name}: is not installed. Install it with: pip install {error.name}")
    except Exception as error:  # each package has its own for a file that is none of its own
        sys.exit(f"Error: {options.vectors or SAMPLE}: can't be read: {error}. Name a file of `glove export`.")
    if "<unk>" not in words:
        sys.exit(f"Error: {options.vectors}: has no word <unk>. Export it without --no-unk.")

    padding = np.zeros((1, matrix.shape[1]), np.float32)
    weights = torch.from_numpy(np.concatenate([matrix, padding]))
    layer = torch.nn.Embedding.from_pretrained(weights, freeze=False, padding_idx=len(words))  # freeze=True: fixed

    batch = torch.from_numpy(encode(options.texts, words))
    vectors = layer(batch)  # (texts, longest, d)
    there = (batch != len(words)).sum(dim=1, keepdim=True).clamp(min=1)
    means = vectors.sum(dim=1) / there
    cosines = torch.nn.functional.cosine_similarity(means[:1], means)
    vectors.sum().backward()
    print(f"The layer has {layer.num_embeddings} rows of {layer.embedding_dim} numbers: {len(words)} words, padding.")
    print(f"Its gradient at the row of padding is {layer.weight.grad[len(words)].abs().max().item():g}: it stays 0.")
    for text, rows, cosine in zip(options.texts, batch.tolist(), cosines.tolist(), strict=True):
        print(f"{cosine:6.3f}  {text}  {rows}")


if __name__ == "__main__":
    main()
