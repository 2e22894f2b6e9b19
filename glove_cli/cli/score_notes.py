"""What has to be said about a score beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glove_cli.cli.tables import shown
from glove_cli.errors import FormatError

if TYPE_CHECKING:
    from glove_cli.evaluation import AnalogyScore, SimilarityScore
    from glove_cli.evaluation.together import Scores
    from glove_cli.vectors.keyed import WordVectors


def notes(label: str, several: bool, scores: Scores, source: WordVectors, zeros: int) -> list[str]:
    """Return notes about vectors of zeros, sections without a known question, and words known in another case.

    Parameters
    ----------
    label : str
        Of the model.
    several : bool
        Whether there are others, so that a note has to name its model.
    scores : Scores
    source : WordVectors
    zeros : int
        Vectors of zeros.

    Raises
    ------
    FormatError
        If nothing at all could be asked.
    """
    before = f"{shown(label)}: " if several else ""
    told = []
    if zeros:
        told.append(f"{before}{zeros:,} of {len(source):,} vectors are zeros; their cosine with any other counts as 0.")
    parts: list[SimilarityScore | AnalogyScore] = [*scores.similarity]
    parts += [scores.analogies] if scores.analogies is not None else []
    unknown = {word for part in parts for word in part.unknown}
    asked = sum(part.asked for part in parts)
    folded = sum(word.lower() in source.index for word in unknown)
    in_case = f" {folded:,} of the unknown words are known in lower case. " if folded else ""
    advice = (
        "Add --protocol gensim or word2vec, which ignore case." if folded else "Are these vectors of that language?"
    )
    seen = sum(score.pairs for score in scores.similarity)
    seen += scores.analogies.total.seen if scores.analogies is not None else 0
    if parts and not seen and not scores.categories and not scores.outliers:
        what = f"{shown(label)}: none of the questions or pairs has all its words among the {len(source):,} words."
        raise FormatError(f"{what}{in_case or ' '}{advice}")
    if folded and scores.analogies is not None and scores.analogies.protocol == "reference" and 2 * folded > asked:
        told.append(f"{before}{in_case.strip()} {advice}")
    sections = scores.analogies.categories if scores.analogies is not None else ()
    empty = [section for section in sections if not section.seen]
    if empty:
        names = ", ".join(shown(section.name) for section in empty)
        count = sum(section.of for section in empty)
        told.append(f"{before}0 of {count:,} questions seen in {names}: each has an unknown word.")
    for score in scores.similarity:
        if score.pairs < 2:
            told.append(
                f"{before}{shown(score.name)}: {score.pairs} of {score.of:,} pairs seen, too few for a correlation."
            )
    return told
