"""Tiles and rounds: every entry once, in its place; nothing shared within a round; the same for any threads."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array, tril

from glove_cli.errors import FormatError, TrainingError
from glove_cli.training import entries as entries_module
from glove_cli.training import tiles as module
from glove_cli.training import tiling
from glove_cli.training.counts import Counts, find_counts
from glove_cli.training.entries import ENTRIES, FileEntries, MemoryEntries
from glove_cli.training.kernels import LANES
from glove_cli.training.schedule import balance, rounds, tasks
from glove_cli.training.state import PARAMETERS, State, row_width
from glove_cli.training.tiles import TileBuilder, Tiles, check_entries, row_ranges
from glove_cli.training.tiling import MAX_BLOCK, block_count, deal_words, group_size
from glove_cli.vocab import Vocab


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


def build(
    counts: Counts,
    *,
    blocks: int = 8,
    holdout: float = 0.0,
    dtype: str = "float32",
    threads: int = 1,
    memory: int = 1 << 30,
    file: Path | None = None,
) -> Tiles:
    """Return the tiles of a matrix, in memory or in a file."""
    kind = ENTRIES[dtype]
    deal = deal_words(check_entries(counts, threads, 1 << 28), min(blocks, counts.V))

    def store(size: int) -> MemoryEntries | FileEntries:
        return MemoryEntries(np.zeros(size, kind)) if file is None else FileEntries(file, kind, size=size)

    return TileBuilder(counts, deal, holdout, kind, threads, memory).build(store)


def close(tiles: Tiles) -> None:
    """Close the file of tiles, if they have one."""
    if isinstance(tiles.entries, FileEntries):
        tiles.entries.close()


def all_entries(tiles: Tiles) -> np.ndarray:
    """Return the entries of all tiles, as they stand."""
    size = int(tiles.starts[-1])
    return np.array(tiles.entries.read(0, size, np.empty(size, tiles.entries.dtype)))


def placed(tiles: Tiles, *, held_out: bool = False) -> list[tuple[int, int, float]]:
    """Return all entries as (word, context, log x), whatever tile they are in."""
    size = tiles.deal.block_size
    words = {int(place): word for word, place in enumerate(tiles.deal.place)}
    entries = all_entries(tiles)
    found = []
    for tile in range(tiles.deal.blocks**2):
        r, c = divmod(tile, tiles.deal.blocks)
        first, last = tiles.starts[2 * tile + held_out], tiles.starts[2 * tile + held_out + 1]
        for entry in entries[first:last]:
            row, col, log_x = int(entry["row"]), int(entry["col"]), float(entry["log_x"])
            assert row < size
            assert col < size
            found.append((words[r * size + row], words[c * size + col], log_x))
    return found


# --- entries --------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    V=st.integers(1, 200),
    density=st.floats(0.01, 0.5),
    seed=st.integers(0, 99),
    symmetric=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_every_entry_is_in_its_tile_once(V: int, density: float, seed: int, symmetric: bool, dtype: str) -> None:
    matrix = random_matrix(V, density, seed, symmetric=symmetric)
    if not matrix.nnz:
        return
    found = placed(build(half_of(matrix) if symmetric else counts_of(matrix), dtype=dtype))
    whole = matrix.tocoo()
    expected = list(zip(whole.row.tolist(), whole.col.tolist(), np.log(whole.data).tolist(), strict=True))
    assert len(found) == len(expected) == matrix.nnz
    for ours, theirs in zip(sorted(found), sorted(expected), strict=True):
        assert ours[:2] == theirs[:2]
        # log x is computed in float64 and rounded once.
        assert ours[2] == pytest.approx(theirs[2], rel=2.0**-23 if dtype == "float32" else 2.0**-52, abs=2.0**-52)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("holdout", [0.0, 0.3])
def test_tiles_are_the_same_for_any_threads_memory_and_place(tmp_path: Path, symmetric: bool, holdout: float) -> None:
    matrix = random_matrix(300, 0.2, 1, symmetric=symmetric)
    counts = half_of(matrix) if symmetric else counts_of(matrix)
    first = build(counts, holdout=holdout)
    assert first.deal.blocks > 1
    ways = [{"threads": 2}, {"threads": 7}, {"memory": 1}, {"threads": 3, "memory": 200_000}]
    for k, way in enumerate([*ways, *ways]):
        file = tmp_path / f"{k}.bin" if k >= len(ways) else None
        other = build(counts, holdout=holdout, file=file, **way)
        assert np.array_equal(first.starts, other.starts)
        assert all_entries(first).tobytes() == all_entries(other).tobytes()
        close(other)


def test_tiles_do_not_depend_on_how_the_matrix_is_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = counts_of(random_matrix(300, 0.2, 1))
    first = all_entries(build(counts)).tobytes()
    for name, value in (("_CHUNK", 100), ("_BATCH", 10), ("_BATCH", 1 << 30)):
        monkeypatch.setattr(module, name, value)
        assert all_entries(build(counts)).tobytes() == first


def test_a_tile_is_mixed_within_groups_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_TOGETHER", 4)
    tiles = build(counts_of(csr_array(np.ones((64, 64)))))
    assert (tiles.deal.blocks, tiles.deal.block_size) == (8, 8)
    first, last = tiles.starts[2 * (2 * 8 + 5)], tiles.starts[2 * (2 * 8 + 5) + 1]
    tile = all_entries(tiles)[first:last]
    assert len(tile) == 64
    groups = tile["row"] // 4
    assert np.array_equal(groups, np.sort(groups))
    in_rows = np.flatnonzero(np.diff(tile["row"].astype(int)) == 0)
    assert len(in_rows) < 32  # grouped by row, it would be 56


def test_jobs_are_pieces_of_the_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 7)
    tiles = build(counts_of(random_matrix(60, 0.4, 2)), holdout=0.2)
    every = np.arange(tiles.deal.blocks**2)
    for held_out in (False, True):
        jobs, owners = tiles.jobs(every, held_out=held_out)
        assert (jobs[:, 1] - jobs[:, 0]).max() == 7
        for tile in every.tolist():
            own = jobs[owners == tile]
            assert own[0, 0] == tiles.starts[2 * tile + held_out]
            assert own[-1, 1] == tiles.starts[2 * tile + held_out + 1]
            assert np.array_equal(own[1:, 0], own[:-1, 1])
            size = tiles.deal.block_size
            assert (own[:, 2:] == [tile // tiles.deal.blocks * size, tile % tiles.deal.blocks * size]).all()


@pytest.mark.parametrize("jobs", [[[0, 5, 8, 16], [7, 7, 0, 0], [5, 12, 24, 0]]])
def test_a_file_gives_the_entries_of_jobs_as_memory_does(tmp_path: Path, jobs: list[list[int]]) -> None:
    counts = counts_of(random_matrix(60, 0.4, 2))
    memory, file = build(counts), build(counts, file=tmp_path / "entries.bin")
    wanted = np.array(jobs)
    buffer = np.empty(entries_module.PIECE, memory.entries.dtype)
    whole = all_entries(memory)
    for which, entries, some in file.entries.parts(wanted, buffer):
        for (first, last, *where), (a, b, *places) in zip(wanted[which].tolist(), some.tolist(), strict=True):
            assert whole[first:last].tobytes() == entries[a:b].tobytes()
            assert where == places
    close(file)
    ((which, entries, some),) = memory.entries.parts(wanted, buffer)
    assert np.array_equal(some, wanted)
    assert entries is memory.entries.array
    assert which == slice(None)


def test_a_file_is_read_and_written_without_the_calls_that_some_systems_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = counts_of(random_matrix(60, 0.4, 2))
    expected = all_entries(build(counts)).tobytes()
    for name in ("preadv", "pwrite", "posix_fadvise"):
        monkeypatch.delattr(os, name, raising=False)
    file = build(counts, file=tmp_path / "entries.bin", threads=3)
    assert all_entries(file).tobytes() == expected
    close(file)


def test_a_file_that_is_cut_short_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    tiles = build(counts_of(random_matrix(60, 0.4, 2)), file=tmp_path / "entries.bin")
    (tmp_path / "entries.bin").write_bytes(b"1234567")
    with pytest.raises(FormatError, match=r"entries\.bin: was cut short"):
        all_entries(tiles)
    close(tiles)


def test_progress_ends_with_all_entries() -> None:
    counts = half_of(random_matrix(100, 0.2, 1, symmetric=True))
    said: list[tuple[int, int]] = []
    kind = ENTRIES["float32"]
    builder = TileBuilder(counts, deal_words(check_entries(counts, 2, 1 << 28), 4), 0.0, kind, 2, 1 << 20)
    builder.build(lambda size: MemoryEntries(np.empty(size, kind)), lambda done, total: said.append((done, total)))
    assert said == sorted(said)
    assert said[-1] == (2 * counts.nnz, 2 * counts.nnz)  # dealt out, and put in order


@pytest.mark.parametrize("column", [-1, 3, 2**31 - 1])
def test_a_column_that_no_word_has_is_refused(column: int) -> None:
    vocab = Vocab(["a", "b", "c"], np.ones(3, np.int64))
    indptr, indices = np.array([0, 1, 2, 2]), np.array([0, column], np.int32)
    for mirror in (False, True):
        with pytest.raises(TrainingError, match="1 entries have a column out of range"):
            build(Counts("matrix", vocab, indptr, indices, np.ones(2), mirror, 2, {}))


def test_a_column_above_the_diagonal_of_a_lower_half_is_refused() -> None:
    vocab = Vocab(["a", "b", "c"], np.ones(3, np.int64))
    counts = Counts("matrix", vocab, np.array([0, 1, 1, 1]), np.array([2], np.int32), np.ones(1), True, 2, {})
    with pytest.raises(TrainingError, match="out of range"):
        build(counts)


@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=40), most=st.integers(1, 60))
def test_ranges_of_rows_hold_what_they_may(sizes: list[int], most: int) -> None:
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    ranges = list(row_ranges(indptr, 0, len(sizes), most))
    assert [row for first, last in ranges for row in range(first, last)] == list(range(len(sizes)))
    for first, last in ranges:
        assert last - first == 1 or sum(sizes[first:last]) <= most


# --- pairs that are held out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("holdout", [0.01, 0.1, 0.5])
def test_the_share_that_is_held_out_is_the_one_asked_for(holdout: float) -> None:
    matrix = random_matrix(400, 0.5, 3)
    tiles = build(counts_of(matrix), holdout=holdout)
    assert tiles.trained + tiles.held_out == matrix.nnz
    expected = holdout * matrix.nnz
    assert abs(tiles.held_out - expected) < 5 * np.sqrt(expected)


def test_no_pair_is_held_out_by_a_tiny_share() -> None:
    assert build(counts_of(csr_array(np.ones((60, 60)))), holdout=1e-9).held_out == 0


def test_no_pair_is_both_trained_on_and_held_out_either_way_round() -> None:
    tiles = build(half_of(random_matrix(200, 0.2, 1, symmetric=True)), holdout=0.2)
    trained = {frozenset(pair[:2]) for pair in placed(tiles)}
    held_out = {frozenset(pair[:2]) for pair in placed(tiles, held_out=True)}
    assert not trained & held_out
    assert held_out


def test_a_pair_that_is_held_out_stays_so_in_another_matrix_and_with_more_held_out() -> None:
    matrix = random_matrix(200, 0.3, 1)
    some = csr_array(matrix.copy())
    some.data[::3] = 0
    some.eliminate_zeros()

    def pairs(counts: Counts, holdout: float) -> set[tuple[int, int]]:
        return {entry[:2] for entry in placed(build(counts, holdout=holdout), held_out=True)}

    whole, part = pairs(counts_of(matrix), 0.1), pairs(counts_of(csr_array(some)), 0.1)
    assert part == whole & set(zip(*(ids.tolist() for ids in some.nonzero()), strict=True))
    assert whole < pairs(counts_of(matrix), 0.3)


def test_holding_everything_out_is_refused() -> None:
    refused = 0
    for k in range(50):
        matrix = csr_array(([1.0], ([k], [0])), shape=(50, 50))
        with contextlib.suppress(TrainingError):
            assert build(counts_of(matrix), holdout=0.5, blocks=1).trained == 1
            continue
        with pytest.raises(TrainingError, match=r"--holdout: 0\.5 holds out all 1 entries"):
            build(counts_of(matrix), holdout=0.5, blocks=1)
        refused += 1
    assert 10 < refused < 40


# --- blocks ---------------------------------------------------------------------------------------------------------


@given(V=st.integers(1, 5000), blocks=st.integers(1, 64), seed=st.integers(0, 9))
def test_every_word_has_a_place_of_its_own_and_blocks_are_even(V: int, blocks: int, seed: int) -> None:
    deal = deal_words(np.random.default_rng(seed).integers(0, 1000, V), blocks)
    assert deal.place.min() >= 0
    assert deal.place.max() < blocks * deal.block_size
    assert len(set(deal.place.tolist())) == V
    members = Counter((deal.place // deal.block_size).tolist())
    assert max(members.values()) - min(members.get(block, 0) for block in range(blocks)) <= 1


def test_frequent_words_are_shared_out_evenly() -> None:
    sizes = (1e6 / np.arange(1, 4001)).astype(np.int64)
    deal = deal_words(sizes, 16)
    loads = np.bincount(deal.place // deal.block_size, sizes)
    rest = loads.sum() - loads.max()  # the block with the most frequent word holds more, whoever deals
    assert np.sort(loads)[:-2].max() < 1.6 * rest / 15


@pytest.mark.parametrize("dim", [1, 50, 100, 300, 1024, 2000])
@pytest.mark.parametrize("V", [1, 7, 8, 9, 64, 800, 68_672, 400_000, 3_000_000, 20_000_000])
@pytest.mark.parametrize("density", [1, 10, 1000, 10_000])
def test_blocks_follow_the_rule(V: int, dim: int, density: int) -> None:
    nnz = V * min(density, V)
    blocks = block_count(V, dim, nnz)
    rows = -(-V // blocks)
    assert 1 <= blocks <= max(1, V)
    assert rows <= MAX_BLOCK
    fits = 2 * 4 * row_width(dim) * rows <= tiling.TILE_BYTES * 1.3  # up to a multiple of 16 is rounded down
    enough = nnz >= 12 * V * blocks
    assert fits or rows <= 9 or nnz < 12 * V * (blocks + 16)
    assert enough or blocks in (1, -(-V // MAX_BLOCK))
    group = group_size(V, dim, blocks)
    assert blocks % group == 0
    assert group == 1 or blocks // group >= 16


def test_dimensions_share_tiles_where_the_vocabulary_is_of_medium_size() -> None:
    assert {block_count(68_672, dim, 60_319_562) for dim in (50, 100, 300)} == {64}


# --- rounds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("blocks", "group"), [(1, 1), (2, 1), (5, 1), (16, 1), (16, 2), (64, 4), (8, 8)])
def test_a_step_shares_nothing_and_an_epoch_has_every_tile_once(blocks: int, group: int) -> None:
    epoch = list(rounds(blocks, group, 1, 1))
    assert len(epoch) == blocks // group
    for tiles in epoch:
        assert tiles.shape == (blocks // group, group, group)
        for step in range(group):
            rows, cols = np.divmod(tiles[:, step].ravel(), blocks)
            assert len(set(rows.tolist())) == len(set(cols.tolist())) == blocks
        for one in range(blocks // group):  # a group's blocks are its own in the whole round
            others = np.delete(tiles, one, axis=0)
            for part in (np.floor_divide, np.remainder):
                assert not set(part(tiles[one], blocks).ravel().tolist()) & set(part(others, blocks).ravel().tolist())
    assert sorted(np.concatenate([tiles.ravel() for tiles in epoch]).tolist()) == list(range(blocks**2))


def test_rounds_differ_by_epoch_and_by_seed() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate([tiles.ravel() for tiles in rounds(16, 1, seed, epoch)]).tolist()

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)


@pytest.mark.parametrize("threads", [1, 2, 4, 5, 64])
def test_every_block_sees_its_tiles_in_the_same_order_for_any_threads(threads: int) -> None:
    tiles = next(rounds(32, 4, 1, 1))
    sizes = np.random.default_rng(1).integers(0, 99, tiles.shape)
    stages = tasks(tiles, sizes, threads)
    assert len(stages) == (1 if threads <= 4 else 4)
    seen: dict[tuple[str, int], list[int]] = {}
    for stage in stages:
        work = [sizes.ravel()[task].sum() for task in stage]
        assert work == sorted(work, reverse=True)
        for task in stage:
            for tile in tiles.ravel()[task].tolist():
                seen.setdefault(("row", tile // 32), []).append(tile)
                seen.setdefault(("col", tile % 32), []).append(tile)
    expected: dict[tuple[str, int], list[int]] = {}
    for step in range(4):
        for tile in tiles[:, step].ravel().tolist():
            expected.setdefault(("row", tile // 32), []).append(tile)
            expected.setdefault(("col", tile % 32), []).append(tile)
    assert seen == expected


def test_balance_is_the_share_of_time_that_cores_work() -> None:
    even = np.full(64, 10)
    assert balance(even, 8, 1, 1) == balance(even, 8, 1, 8) == 1
    assert balance(even, 8, 1, 16) == 0.5
    assert balance(even, 8, 1, 3) == pytest.approx(8 / 9)
    uneven = even.copy()
    uneven[0] = 20  # one of eight rounds takes twice the time
    assert balance(uneven, 8, 1, 8) == pytest.approx(650 / 8 / 90)


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
