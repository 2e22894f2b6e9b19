"""Texts drawn anew: the same whatever they are cut into, each unit as often as chance has it."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from glove_cli import build_cooc
from glove_cli.corpus import resample
from glove_cli.corpus.resample import Draw, Resampled
from glove_cli.corpus.sources import find_sources
from glove_cli.corpus.stream import FileStream, Stream
from glove_cli.errors import CorpusError, OptionError


def text_of(data: bytes, document: str = "line", seed: int = 1, step: int = 1 << 20) -> bytes:
    """Read a resampled text, of which `step` bytes come at a time."""

    class Slow(FileStream):
        def read(self, n: int) -> bytes:
            return super().read(min(n, step))

    stream: Stream = Resampled(Slow("text", io.BytesIO(data)), Draw(seed), document)
    return b"".join(iter(lambda: stream.read(1000), b""))


def test_a_line_stands_as_often_as_poisson_has_it() -> None:
    data = b"".join(b"w%d\n" % k for k in range(20_000))
    times = Counter(text_of(data).split(b"\n"))
    found = np.bincount([times[b"w%d" % k] for k in range(20_000)], minlength=5) / 20_000
    assert found[:5] == pytest.approx([0.3679, 0.3679, 0.1839, 0.0613, 0.0153], abs=0.01)


def test_copies_stand_together_and_in_the_text_s_order() -> None:
    lines = [int(line[1:]) for line in text_of(b"".join(b"w%d\n" % k for k in range(500))).split()]
    assert lines == sorted(lines)
    assert len(set(lines)) < len(lines)


def test_another_seed_and_another_file_are_drawn_independently() -> None:
    every = [Draw(1).times(0, 5000), Draw(2).times(0, 5000), Draw(1, 1).times(0, 5000)]
    assert np.abs(np.corrcoef(every) - np.eye(3)).max() < 0.06


def test_times_do_not_depend_on_the_range() -> None:
    np.testing.assert_array_equal(Draw(3).times(0, 100)[40:60], Draw(3).times(40, 60))


@pytest.mark.parametrize("document", ["line", "paragraph", "file", "none"])
@pytest.mark.parametrize("step", [1, 7, 100])
def test_where_the_text_is_cut_does_not_matter(document: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "LONGEST", 20)
    rng = np.random.default_rng(1)
    data = bytes(rng.choice(list(b"abc \t\r\n\n\n"), 3000).tolist())
    assert text_of(data, document, step=step) == text_of(data, document)


def test_paragraphs_stay_whole() -> None:
    data = b"\n\n".join(b"a%d b%d\nc%d" % (k, k, k) for k in range(300))
    for part in filter(None, text_of(data, "paragraph").split(b"\n\n")):
        first, second, third = part.strip().split()
        assert first[1:] == second[1:] == third[1:]


def test_a_long_line_is_drawn_in_pieces_which_are_documents() -> None:
    data = b" ".join(b"w%d" % k for k in range(50_000))
    lines = text_of(data).splitlines()
    assert len(lines) > 20
    assert max(map(len, lines)) < resample.LONGEST + 10
    assert set(b" ".join(lines).split()) < set(data.split())


def test_bytes_without_a_blank_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "MAX_STRETCH", 10_000)
    with pytest.raises(CorpusError, match="text: holds more than 10,000 bytes without a space"):
        text_of(b"x" * 3_000_000, step=5000)


def test_the_counts_are_those_of_the_text_that_was_drawn(tmp_path: Path) -> None:
    lines = [b"w%d w%d w%d\n" % (k % 7, k % 11, k % 13) for k in range(400)]
    (tmp_path / "a.txt").write_bytes(b"".join(lines))
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"".join(reversed(lines))))
    names = [tmp_path / "a.txt", tmp_path / "b.txt.gz"]
    drawn = []
    for source in find_sources(names, resample=5):
        with source.open() as stream:
            drawn.append(b"".join(iter(lambda s=stream: s.read(100), b"")))  # type: ignore[misc]
    assert drawn[0] != drawn[1]
    (tmp_path / "drawn.txt").write_bytes(b"".join(drawn))
    cooc = build_cooc(names, tmp_path / "cooc", resample=5, threads=2, _block_bytes=50)
    again = build_cooc(tmp_path / "drawn.txt", tmp_path / "again")
    assert cooc.meta["options"]["resample"] == 5
    assert cooc.vocab == again.vocab
    assert (cooc.to_scipy() != again.to_scipy()).nnz == 0
    other = build_cooc(names, tmp_path / "other", resample=6)
    assert other.meta["tokens"] != cooc.meta["tokens"]


def test_shards_of_a_resampled_text_are_parts_of_it(tmp_path: Path) -> None:
    from glove_cli import merge_cooc

    (tmp_path / "a.txt").write_bytes(b"".join(b"w%d w%d w%d\n" % (k % 7, k % 11, k % 13) for k in range(400)))
    whole = build_cooc(tmp_path / "a.txt", tmp_path / "whole", resample=2)
    parts = [build_cooc(tmp_path / "a.txt", tmp_path / f"p{i}", resample=2, shard=(i, 2)) for i in (1, 2)]
    merged = merge_cooc(parts, tmp_path / "merged")
    assert (merged.to_scipy() != whole.to_scipy()).nnz == 0


def test_many_blank_lines_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = 0

    class Counted:
        def match(self, text: bytes, begin: int, end: int) -> object:
            nonlocal searched
            found = blanks.match(text, begin, end)
            assert found is not None
            searched += found.end() - begin
            return found

    blanks = resample._BLANKS
    monkeypatch.setattr(resample, "_BLANKS", Counted())
    text_of(b"a\n\nb" + b"\n" * 300_000 + b"c", "paragraph", step=10_000)
    assert searched < 1_000_000


def test_a_text_of_which_nothing_was_drawn_is_said_to_be_too_short(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a b\n")
    seed = next(seed for seed in range(50) if not Draw(seed).times(0, 1)[0])
    with pytest.raises(CorpusError, match=r"--resample: drew nothing of .*a.txt: it has too few lines"):
        build_cooc(tmp_path / "a.txt", tmp_path / "cooc", min_count=1, resample=seed)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "one"])
def test_a_wrong_seed_is_refused(tmp_path: Path, seed: object) -> None:
    (tmp_path / "a.txt").write_bytes(b"a b\n" * 10)
    with pytest.raises(OptionError, match=r"--resample: .* is not an integer from 0"):
        build_cooc(tmp_path / "a.txt", tmp_path / "cooc", resample=seed)
