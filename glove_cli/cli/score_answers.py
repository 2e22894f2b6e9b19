"""Each question with the answers it got, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from glove_cli.files import output_file
from glove_cli.vocab import word_to_bytes

if TYPE_CHECKING:
    from glove_cli.evaluation.together import Scores

_OUTCOMES = {1: b"right", 0: b"wrong", -1: b"unknown"}


def write_answers(
    path: Path, labels: list[str], found: list[Scores], answers: list[list[list[str]]], *, force: bool
) -> None:
    """Write a tab-separated line for each question and model, under a header.

    Parameters
    ----------
    path : Path
    labels : list of str
        Of the models.
    found : list of Scores
        Of each model.
    answers : list of lists of lists of str
        Of each model, for each section, the words that answered.
    force : bool
        Replace a file that exists.
    """
    with output_file(path, force=force) as file:
        file.write(b"model\tsection\ta\tb\tc\texpected\tanswered\toutcome\n")
        for label, scores, words in zip(labels, found, answers, strict=True):
            score = scores.analogies
            if score is None:
                continue
            for section, asked, outcomes, answered in zip(
                score.categories, score.questions, score.outcomes, words, strict=True
            ):
                for question, outcome, word in zip(asked, outcomes.tolist(), answered, strict=True):
                    fields = (label, section.name, *question, word)
                    file.write(b"\t".join([*map(word_to_bytes, fields), _OUTCOMES[outcome]]) + b"\n")
