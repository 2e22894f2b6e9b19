"""A model of what counting and training cost on several machines, from figures that were measured here.

It takes rates of one core from measurements (below, each with its source), and adds up, for a number of machines and
tokens: processor time, what goes over the network, what is read from and written to the shared file system, memory.
The longest of the three (processors, network, shared file system) is the time of a step, as they overlap. Nothing here
was run on more than the cores of one machine: the figures for many are arithmetic.

    python benchmarks/cluster_cost.py
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import common

from glove_cli.training.state import row_width
from glove_cli.training.tiling import CORES, GROUP_BYTES, TILE_BYTES, group_size

WINDOW = 10


@dataclass(frozen=True)
class Rates:
    """What one core does in a second, and what machines have."""

    read: float = 21e6  # tokens to ids: wiki8s, 16.7 M tokens in 0.78 s of a core (read_part)
    count: float = 8.4e6  # tokens counted at window 15: 16.7 M in 2.0 s of a core; taken as in proportion to the window
    merge: float = 48e6  # entries of parts added up: 43 M in 0.9 s of a core
    train: float = 10.5e6  # entries at d = 300: benchmarks/results, 21 M/s of two cores
    overhead: float = 1.19  # of training on a cluster, by epochs of wiki8s, d = 100
    cores: int = 8
    network: float = 1.25e9  # bytes a second to and from a machine: 10 Gbit/s
    storage: float = 0.5e9  # bytes a second of the shared file system, for each machine
    most_storage: float = 20e9  # for all machines together
    price: float = 0.35  # dollars an hour for a machine with 8 cores and 32 GB


@dataclass(frozen=True)
class Cost:
    """Of a step: seconds, and what sets them."""

    seconds: float
    limit: str


def longest(**seconds: float) -> Cost:
    """Return the longest of some times."""
    limit = max(seconds, key=lambda name: seconds[name])
    return Cost(seconds[limit], limit)


def entries(tokens: float, V: float) -> float:
    """Return the entries of the lower half of a matrix.

    A power law in tokens through two measurements with window 10, and no more than there are pairs: 23.2 million
    entries of 17.0 million tokens (wiki8s, V = 68,672), 66.1 million of 78.1 million (enwiki, V = 162,244).
    """
    return min(66.1e6 * (tokens / 78.1e6) ** 0.687, V * V / 2)


def counting(tokens: float, V: float, machines: int, rates: Rates) -> tuple[Cost, float, float]:
    """Return the cost of counting, bytes of parts, entries of the result."""
    cores = machines * rates.cores
    storage = min(machines * rates.storage, rates.most_storage)
    part = min(tokens / cores, 1.5e8)  # tokens of a part: a GiB of text at most
    parts = tokens / part
    stored = entries(tokens, V)
    all_parts = parts * entries(part, V)
    work = tokens / rates.read + tokens / (rates.count * 15 / WINDOW) + 2 * all_parts / rates.merge
    moved = 6 * tokens + 8 * tokens + 12 * (2 * all_parts + 2 * stored)  # text, ids twice, parts and result
    return longest(processors=work / cores, storage=moved / storage), 12 * all_parts, stored


def training(
    stored: float, V: int, dim: int, epochs: int, machines: int, rates: Rates
) -> tuple[Cost, float, float, int]:
    """Return the cost of training, bytes over the network of each machine, bytes of its memory, machines in use."""
    nnz = 2 * stored
    blocks = max(CORES, -(-2 * V * 4 * row_width(dim) // TILE_BYTES))
    blocks -= blocks % 16
    groups = blocks // group_size(V, dim, blocks)
    used = min(machines, groups)
    state = V * 4 * row_width(dim)  # of one side
    rotated = groups * (state / groups)  # one group a round to each machine, from its neighbour
    dealt = 2 * state / used  # at an epoch's beginning
    network = epochs * (rotated + dealt)
    tiles = 8 * nnz
    storage = min(used * rates.storage, rates.most_storage)
    cached = tiles / used < 16e9  # then tiles are read once
    cost = longest(
        processors=rates.overhead * epochs * nnz / (rates.train * 300 / dim) / rates.cores / used,
        network=network / rates.network,
        storage=(tiles * (3 if cached else 2 + epochs)) / storage,
    )
    return cost, network, 2 * state / used + min(tiles / used, 16e9) + 0.5e9, used


def words(seconds: float) -> str:
    """Return a time in words."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dim", type=int, default=300)
    options.add_argument("--epochs", type=int, default=15)
    arguments = options.parse_args()
    rates = Rates()
    rows = []
    for V in (400_000, 2_000_000):
        for tokens in (1e10, 1e11, 1e12):
            for machines in (8, 64, 512):
                count, parts, stored = counting(tokens, V, machines, rates)
                train, network, memory, used = training(stored, V, arguments.dim, arguments.epochs, machines, rates)
                hours = (count.seconds * machines + train.seconds * used) / 3600
                rows.append(
                    (
                        f"{V:,}", f"{tokens:.0e}", machines, words(count.seconds), count.limit,
                        f"{2 * stored / 1e9:.1f}", words(train.seconds), f"{train.limit}, {used} used",
                        f"{network / 1e9:.0f}", f"{memory / 1e9:.1f}", f"{(parts + 28 * stored) / 1e9:,.0f}",
                        f"{hours * rates.price:,.0f}",
                    )
                )  # fmt: skip
    header = (
        "V", "tokens", "machines", "counting", "limit", "entries, 1e9", "training", "limit", "network, GB each",
        "memory, GB each", "disk, GB", "dollars",
    )  # fmt: skip
    common.print_table(header, rows)
    print(f"\nd = {arguments.dim}, {arguments.epochs} epochs, window {WINDOW}; groups of {GROUP_BYTES >> 20} MB.")


if __name__ == "__main__":
    main()
