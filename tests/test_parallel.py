"""Work done by threads: results in order, and nothing more once a call has failed."""

from __future__ import annotations

import threading

import pytest

from glove_cli.parallel import ordered_map


def test_results_come_in_the_order_of_the_items() -> None:
    second = threading.Event()

    def work(state: int, item: int) -> int:
        if item == 0:
            assert second.wait(60)
        if item == 1:
            second.set()
        return item * item

    assert list(ordered_map(work, range(10), [0, 1])) == [item * item for item in range(10)]


def test_a_state_that_a_failure_left_half_done_is_not_used_again() -> None:
    used = []

    def work(state: list[int], item: int) -> int:
        used.append(item)
        if item == 1:
            raise ValueError(item)
        return item

    results = ordered_map(work, range(10), [[]], ahead=5)
    with pytest.raises(ValueError, match="1"):
        list(results)
    assert used == [0, 1]


def test_the_first_failure_is_the_one_that_is_raised() -> None:
    failed = threading.Event()

    def work(state: int, item: int) -> int:
        if item == 0:
            assert failed.wait(60)
            return 0
        if item == 1:
            failed.set()
            raise ValueError("the first")
        return item

    with pytest.raises(ValueError, match="the first"):
        list(ordered_map(work, range(10), [0, 1], ahead=5))
