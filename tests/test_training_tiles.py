"""Tiles and rounds: every entry once, in its place; nothing shared within a round; the same for any threads."""

from __future__ import annotations

from collections import Counter

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array, tril

from glove_cli.errors import TrainingError
from glove_cli.training import tiles as module
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import Counts, find_counts
from glove_cli.training.kernels import LANES
from glove_cli.training.schedule import rounds
from glove_cli.training.state import PARAMETERS, State, row_width
from glove_cli.training.tiles import MAX_BLOCK, Tiles, block_count, build_tiles, deal_words
from glove_cli.vocab import Vocab

CONFIG = TrainConfig(dim=6, x_max=10.0, alpha=0.75, seed=3)


def counts_of(matrix: csr_array) -> Counts:
    """Return any matrix as counts to train on, without mirroring."""
    return find_counts(matrix, [f"w{i}" for i in range(matrix.shape[0])], None)


def half_of(matrix: csr_array) -> Counts:
    """Return a symmetric matrix as counts that hold its lower half."""
    V = matrix.shape[0]
    lower = csr_array(tril(matrix))
    lower.sort_indices()
    vocab = Vocab([f"w{i}" for i in range(V)], np.ones(V, np.int64))
    parts = (lower.indptr.astype(np.int64), lower.indices.astype(np.int32), lower.data)
    return Counts("matrix", vocab, *parts, True, matrix.nnz, {})


def random_matrix(V: int, density: float, seed: int, *, symmetric: bool = False) -> csr_array:
    rng = np.random.default_rng(seed)
    matrix = csr_array(
        random_array((V, V), density=density, rng=rng, data_sampler=lambda size: rng.exponential(8, size))
    )
    return csr_array(matrix + matrix.T) if symmetric else matrix


def placed(tiles: Tiles) -> list[tuple[int, int, float, float]]:
    """Return all entries as (word, context, log x, weight), whatever tile they are in."""
    size = tiles.deal.block_size
    words = {int(place): word for word, place in enumerate(tiles.deal.place)}
    found = []
    for r in range(tiles.deal.blocks):
        for c in range(tiles.deal.blocks):
            for row, col, log_x, weight in tiles.tile(r, c).tolist():
                assert row < size
                assert col < size
                found.append((words[r * size + row], words[c * size + col], log_x, weight))
    return found


# --- entries --------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(V=st.integers(1, 200), density=st.floats(0.01, 0.5), seed=st.integers(0, 99), symmetric=st.booleans())
def test_every_entry_is_in_its_tile_once(V: int, density: float, seed: int, symmetric: bool) -> None:
    matrix = random_matrix(V, density, seed, symmetric=symmetric)
    if not matrix.nnz:
        return
    counts = half_of(matrix) if symmetric else counts_of(matrix)
    found = placed(build_tiles(counts, CONFIG, threads=1))
    whole = matrix.tocoo()
    expected = oracle.prepared_entries(whole.row, whole.col, whole.data, x_max=10.0, alpha=0.75)
    assert len(found) == len(expected) == matrix.nnz
    for ours, theirs in zip(sorted(found), sorted(expected), strict=True):
        assert ours[:2] == theirs[:2]
        # log x and f(x) are computed in float64 and rounded to float32 once.
        assert ours[2:] == pytest.approx(theirs[2:], rel=2.0**-23, abs=2.0**-40)


@pytest.mark.parametrize("symmetric", [False, True])
def test_tiles_are_the_same_for_any_threads(symmetric: bool) -> None:
    matrix = random_matrix(300, 0.2, 1, symmetric=symmetric)
    counts = half_of(matrix) if symmetric else counts_of(matrix)
    first, *others = (build_tiles(counts, CONFIG, threads=threads) for threads in (1, 2, 3, 7))
    assert first.deal.blocks > 1
    for other in others:
        assert np.array_equal(first.starts, other.starts)
        assert first.entries.tobytes() == other.entries.tobytes()


def test_tiles_do_not_depend_on_how_the_matrix_is_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = counts_of(random_matrix(300, 0.2, 1))
    first = build_tiles(counts, CONFIG, threads=1)
    monkeypatch.setattr(module, "_RANGES", 3)
    assert first.entries.tobytes() == build_tiles(counts, CONFIG, threads=1).entries.tobytes()
    monkeypatch.setattr(module, "_MOST_COUNTERS", 1)
    assert first.entries.tobytes() == build_tiles(counts, CONFIG, threads=1).entries.tobytes()


def test_a_tile_is_mixed_within_groups_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROUP_BYTES", 4 * 4 * row_width(CONFIG.dim))  # four rows
    tiles = build_tiles(counts_of(csr_array(np.ones((64, 64)))), CONFIG, threads=1)
    assert (tiles.deal.blocks, tiles.deal.block_size) == (8, 8)
    tile = tiles.tile(2, 5)
    assert len(tile) == 64
    groups = tile["row"] // 4
    assert np.array_equal(groups, np.sort(groups))
    in_rows = np.flatnonzero(np.diff(tile["row"].astype(int)) == 0)
    assert len(in_rows) < 32  # grouped by row, it would be 56
    other = build_tiles(counts_of(csr_array(np.ones((64, 64)))), TrainConfig(dim=6, seed=4), threads=1).tile(2, 5)
    assert not np.array_equal(tile, other)


def test_progress_ends_with_all_entries() -> None:
    counts = half_of(random_matrix(100, 0.2, 1, symmetric=True))
    done: list[int] = []
    build_tiles(counts, CONFIG, threads=2, on_entries=done.append)
    assert done == sorted(done)
    assert done[-1] == counts.nnz


@pytest.mark.parametrize("column", [-1, 3, 2**31 - 1])
def test_a_column_that_no_word_has_is_refused(column: int) -> None:
    vocab = Vocab(["a", "b", "c"], np.ones(3, np.int64))
    indptr, indices = np.array([0, 1, 2, 2]), np.array([0, column], np.int32)
    for mirror in (False, True):
        with pytest.raises(TrainingError, match="1 entries have a column out of range"):
            build_tiles(Counts("matrix", vocab, indptr, indices, np.ones(2), mirror, 2, {}), CONFIG, threads=1)


def test_a_column_above_the_diagonal_of_a_lower_half_is_refused() -> None:
    vocab = Vocab(["a", "b", "c"], np.ones(3, np.int64))
    counts = Counts("matrix", vocab, np.array([0, 1, 1, 1]), np.array([2], np.int32), np.ones(1), True, 2, {})
    with pytest.raises(TrainingError, match="out of range"):
        build_tiles(counts, CONFIG, threads=1)


# --- blocks ---------------------------------------------------------------------------------------------------------


@given(V=st.integers(1, 5000), blocks=st.integers(1, 64), seed=st.integers(0, 9))
def test_every_word_has_a_place_of_its_own_and_blocks_are_even(V: int, blocks: int, seed: int) -> None:
    sizes = np.random.default_rng(seed).integers(0, 1000, V)
    deal = deal_words(sizes, blocks, seed)
    assert deal.place.min() >= 0
    assert deal.place.max() < blocks * deal.block_size
    assert len(set(deal.place.tolist())) == V
    members = Counter((deal.place // deal.block_size).tolist())
    assert max(members.values()) - min(members.get(block, 0) for block in range(blocks)) <= 1


def test_frequent_words_are_shared_out_evenly() -> None:
    sizes = (1e6 / np.arange(1, 4001)).astype(np.int64)
    deal = deal_words(sizes, 16, 1)
    loads = np.bincount(deal.place // deal.block_size, sizes)
    rest = loads.sum() - loads.max()  # the block with the most frequent word holds more, whoever deals
    assert np.sort(loads)[:-2].max() < 1.6 * rest / 15
    other = deal_words(sizes, 16, 2)
    assert not np.array_equal(deal.place, other.place)


@pytest.mark.parametrize("dim", [1, 50, 100, 300, 2000])
@pytest.mark.parametrize("V", [1, 7, 8, 9, 64, 800, 68_672, 400_000, 3_000_000])
def test_a_block_fits_the_cache_and_its_numbers_16_bits(V: int, dim: int) -> None:
    blocks = block_count(V, dim)
    rows = -(-V // blocks)
    assert 1 <= blocks <= max(1, V)
    assert rows <= MAX_BLOCK
    assert rows <= module.LEAST_ROWS or 2 * 4 * row_width(dim) * rows <= module.TILE_BYTES * 1.01
    assert V < 64 or blocks >= module.LEAST_BLOCKS


# --- rounds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blocks", [1, 2, 5, 16])
def test_a_round_shares_nothing_and_an_epoch_has_every_tile_once(blocks: int) -> None:
    epoch = list(rounds(blocks, 1, 1))
    assert len(epoch) == blocks
    for together in epoch:
        assert len({row for row, _ in together}) == len({col for _, col in together}) == len(together) == blocks
    assert sorted(tile for together in epoch for tile in together) == [
        (r, c) for r in range(blocks) for c in range(blocks)
    ]


def test_rounds_differ_by_epoch_and_by_seed() -> None:
    assert list(rounds(16, 1, 1)) == list(rounds(16, 1, 1))
    assert list(rounds(16, 1, 1)) != list(rounds(16, 1, 2))
    assert list(rounds(16, 1, 1)) != list(rounds(16, 2, 1))


# --- state ----------------------------------------------------------------------------------------------------------


def parameters(V: int, d: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = ((V, d), (V, d), (V,), (V,))
    values = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    return values + [rng.uniform(1, 9, size=shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("d", [1, LANES - 2, LANES - 1, LANES, 50])
@pytest.mark.parametrize("bias_eta", [1.0, 0.3, 0.0])
def test_what_is_packed_comes_out_unchanged(d: int, bias_eta: float) -> None:
    before = parameters(9, d)
    place = np.random.default_rng(1).permutation(12)[:9].astype(np.int32)
    state = State.pack(before, place, 12, eta=0.05, bias_eta=bias_eta)
    assert state.words.ctypes.data % 64 == state.contexts.ctypes.data % 64 == state.words.strides[0] % 64 == 0
    after = [array.copy() for array in before]
    state.unpack(after)
    for name, old, new in zip(PARAMETERS, before, after, strict=True):
        assert np.array_equal(old, new), name


def test_the_product_of_two_rows_is_that_of_the_model() -> None:
    V, d = 7, 5
    W, C, b_w, b_c, *sums = parameters(V, d)
    state = State.pack([W, C, b_w, b_c, *sums], np.arange(V, dtype=np.int32), V, eta=0.05, bias_eta=1.0)
    half = row_width(d) // 2
    products = state.words[:, :half].astype(np.float64) @ state.contexts[:, :half].T.astype(np.float64)
    expected = W.astype(np.float64) @ C.T.astype(np.float64) + b_w[:, None] + b_c[None, :]
    np.testing.assert_allclose(products, expected, rtol=0, atol=1e-12)
