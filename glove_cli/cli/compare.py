"""`glove compare`: which words are used in another way in one corpus than in another."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glove_cli.cli.asking import check_form, output_options, tsv_line
from glove_cli.cli.completion import complete_words
from glove_cli.cli.intervals import note_rare, open_uncertain
from glove_cli.cli.options import PATH, example, force_option, kind_option, reading_options
from glove_cli.cli.terminal import say
from glove_cli.comparison.names import BEYOND_CHANCE, LIMIT, MIN_COUNT, NEIGHBOURS

if TYPE_CHECKING:
    from glove_cli.comparison.result import Change, Comparison

_NAMED = 4  # neighbours in a table
_DRAWN = 6  # words of a picture, unless they are named
_DIGITS = 6


@click.command(
    "compare",
    epilog=example(
        "glove compare glove-run/model-d50-s1 glove-run/model-d50-s2 -k 10 --min-count 3",
        "glove compare glove-run/model-d50-s1 glove-run/model-d50-s2 king queen -k 10 --min-count 3 --plot king.svg",
    ),
)
@click.argument("model", type=PATH, metavar="MODEL_A")
@click.argument("other", type=PATH, metavar="MODEL_B")
@click.argument("words", nargs=-1, metavar="[WORD]...", shell_complete=complete_words)
@click.option(
    "-n", "--limit", type=int, default=LIMIT, show_default=True, help="How many words, unless they are named."
)
@click.option(
    "-k",
    "--neighbours",
    type=int,
    default=NEIGHBOURS,
    show_default=True,
    help="How many neighbours of a word are compared.",
)
@click.option(
    "--min-count",
    type=int,
    metavar="N",
    help="Leave out words that occur less often in either, also as neighbours; files of vectors have no counts.  "
    f"[default: {MIN_COUNT}]",
)
@click.option("--restrict", type=int, metavar="N", help="Only the N first words of each, the most frequent ones.")
@click.option(
    "--control",
    type=PATH,
    metavar="MODEL",
    help="Another model of text like that of MODEL_A, such as its other half: what differs there is chance.",
)
@click.option(
    "--errors",
    is_flag=True,
    help="Say how far each word moved, in what the noise of its counts explains; for models with their matrices.",
)
@click.option("--plot", type=PATH, metavar="FILE", help="Draw the words with their neighbours, as .png, .svg or .pdf.")
@click.option("--title", help="What stands above the picture.")
@force_option
@kind_option
@click.option("--process", metavar="STEP,...", help="Change the vectors first, as `glove nearest` does.")
@reading_options
@output_options
def command(
    model: Path,
    other: Path,
    words: tuple[str, ...],
    limit: int,
    neighbours: int,
    min_count: int | None,
    restrict: int | None,
    control: Path | None,
    errors: bool,
    plot: Path | None,
    title: str | None,
    force: bool,
    vectors: str,
    process: str | None,
    as_json: bool,
    as_tsv: bool,
) -> None:
    """Find the words that are used in another way in one corpus than in another.

    MODEL_A and MODEL_B are models, runs or files of vectors. Of the words that both have, those come first that kept
    the smallest share of their nearest neighbours; or each WORD is looked at. The cosine is that of a word's two
    vectors after the vectors of B were turned onto those of A.

    Rare words also differ between two halves of one text. With --control, a column says which share of the words of
    similar frequency kept as little between MODEL_A and the control; where that is small, it's more than chance.

    With --errors, `moved` is the distance between a word's two vectors by the distance that the noise of its counts
    lets expect (see `glove uncertainty`): up to about 1 it says nothing. Another seed moves frequent words further.

    --tsv prints a line for each word: WORD, share kept, cosine, share kept in the control, chance, counts in A and B,
    moved; what isn't known is empty.
    """
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.sources import check_source, counts_of, open_vectors
    from glove_cli.comparison.compare import check_options, compare
    from glove_cli.comparison.result import with_errors
    from glove_cli.errors import OptionError
    from glove_cli.vectors.process import chosen_steps

    check_form(as_json, as_tsv)
    check_options(min_count, restrict, neighbours, limit)
    paths = [model, other] + ([control] if control is not None else [])
    _check_plot(plot, title, words, force=force)
    chosen_steps(process)
    for path in paths:
        check_source(path)
    sources = [open_vectors(path, path, vectors, process) for path in paths]
    counts = [counts_of(path, path) for path in paths]
    for option, given in (("--plot", plot is not None), ("--errors", errors)):
        if given and sources[0].dim != sources[1].dim:
            raise OptionError(
                f"{option}: vectors of {sources[0].dim:,} and {sources[1].dim:,} numbers can't be turned onto each "
                "other. Compare models of one --dim."
            )
    uncertain = [open_uncertain(path, path, vectors, process, None) for path in paths[:2]] if errors else []
    with Progress() as progress:
        found = compare(
            sources[0], sources[1], words=words or None, control=sources[2] if control is not None else None,
            counts=counts, min_count=min_count, restrict=restrict, neighbours=neighbours, names=list(map(str, paths)),
            progress=progress,
        )  # fmt: skip
        changes = found.changes(None if words else limit)
        if uncertain:
            sizes = [
                [each.size for each in source.each([change.word for change in changes], progress=progress)]
                for source in uncertain
            ]
            changes = with_errors(changes, *sizes)
    for note in _notes(found, paths, counts):
        say(f"Note: {note}")
    for source in uncertain:
        note_rare(source)
    if plot is not None:
        from glove_cli.plots.changes import draw_changes

        drawn = draw_changes(
            found, plot, changes[: None if words else _DRAWN], names=(str(model), str(other)), title=title, force=force
        )
        for note in drawn.notes:
            say(f"Note: {note}")
        say(f"Drew {len(drawn.words)} {'word' if len(drawn.words) == 1 else 'words'}: {plot}.")
    if as_json:
        click.echo(json.dumps(_as_object(found, changes, paths), indent=2))
    elif as_tsv:
        click.echo(b"".join(tsv_line(_fields(change)) for change in changes), nl=False)
    else:
        click.echo(_text(found, changes, paths))


def _check_plot(plot: Path | None, title: str | None, words: Sequence[str], *, force: bool) -> None:
    """Refuse a picture that can't be drawn."""
    from glove_cli.errors import OptionError

    if plot is not None:
        from glove_cli.plots.changes import check_words
        from glove_cli.plots.figure import check_drawing

        check_drawing(plot, force=force)
        check_words(len(words) or _DRAWN)
    elif title is not None:
        raise OptionError("--title: goes with --plot. Add it, or leave the title out.")


def _notes(found: Comparison, paths: Sequence[Path], counts: Sequence[Any]) -> list[str]:
    """Return what a user should know about a comparison."""
    shared, notes = found.shared, []
    if shared.rare:
        why = f"rarer than {found.min_count:,}" if found.min_count is not None else "beyond --restrict"
        if found.min_count is not None and shared.restrict is not None:
            why += " or beyond --restrict"
        notes.append(f"{shared.rare:,} of the {shared.total:,} shared words are left out, {why} in one of the models.")
    if shared.zeros:
        some = "1 word is" if shared.zeros == 1 else f"{shared.zeros:,} words are"
        notes.append(f"{some} left out: vectors of zeros have no direction.")
    without = [str(path) for path, given in zip(paths, counts, strict=True) if given is None]
    if without and len(without) < len(paths):
        notes.append(f"{' and '.join(without)}: files of vectors have no counts, so rare words there are not left out.")
    if len(without) == len(paths) and shared.restrict is None:
        notes.append("files of vectors have no counts: words so rare that they differ by chance are not left out. "
                     "--restrict N takes the N first, most frequent ones.")  # fmt: skip
    if found.rotation is None:
        a, b = (source.dim for source in shared.vectors[:2])
        notes.append(f"vectors of {a:,} and of {b:,} numbers can't be turned onto each other: there are no cosines.")
    if found.same:
        notes.append(f"{paths[0]} and {paths[1]} have the same vectors: no word differs.")
    return notes


def _text(found: Comparison, changes: Sequence[Change], paths: Sequence[Path]) -> str:
    """Return a comparison for people."""
    from glove_cli.cli.tables import pairs, shown, table

    entries = [
        ("A", shown(str(paths[0]))),
        ("B", shown(str(paths[1]))),
        *[("control", shown(str(path))) for path in paths[2:]],
        ("words", f"{len(found.shared):,} of {found.shared.total:,} shared ones are compared"),
    ]
    if len(found) == len(found.shared):
        in_control = found.kept_in_control
        more = f"; between A and the control {in_control.mean():.1%}" if in_control is not None else ""
        entries.append(("kept", f"{found.kept.mean():.1%} of {found.neighbours} neighbours on average{more}"))
        if found.beyond_chance is not None:
            share = f"{found.beyond_chance:,} words ({found.beyond_chance / len(found):.1%})"
            entries.append(("beyond", f"{share} have a chance of {BEYOND_CHANCE} or less"))
    counted = [any(change.counts[k] is not None for change in changes) for k in (0, 1)]
    columns: list[tuple[str, Any]] = [("word", lambda change: shown(change.word))]
    columns += [(f"in {'AB'[k]}", lambda change, k=k: f"{change.counts[k]:,}") for k in (0, 1) if counted[k]]
    columns += [("kept", lambda change: f"{change.kept:.2f}")]
    if found.kept_in_control is not None:
        columns += [
            ("control", lambda change: f"{change.kept_in_control:.2f}"),
            ("chance", lambda change: f"{change.chance:.3f}"),
        ]
    if found.cosine is not None:
        columns += [("cosine", lambda change: f"{change.cosine:.3f}")]
    if any(change.excess is not None for change in changes):
        columns += [("moved", lambda change: "-" if math.isnan(change.excess) else f"{change.excess:.1f}")]
    texts = (len(columns), len(columns) + 1)
    columns += [
        ("near in A", lambda change: ", ".join(map(shown, change.neighbours_a[:_NAMED]))),
        ("near in B", lambda change: ", ".join(map(shown, change.neighbours_b[:_NAMED]))),
    ]
    rows = [[cell(change) for _, cell in columns] for change in changes]
    return pairs(entries) + "\n\n" + table([name for name, _ in columns], rows, text_columns=(0, *texts))


def _fields(change: Change) -> tuple[object, ...]:
    """Return the fields of a tab-separated line."""
    excess = None if change.excess is None or math.isnan(change.excess) else change.excess
    values = (change.kept, change.cosine, change.kept_in_control, change.chance, *change.counts, excess)
    return (change.word, *("" if value is None else value for value in values))


def _as_object(found: Comparison, changes: Sequence[Change], paths: Sequence[Path]) -> dict[str, Any]:
    """Return a comparison as it becomes JSON; means are those of all words that were compared."""
    names = [*map(str, paths), None][:3]
    means = {"kept": found.kept, "kept_in_control": found.kept_in_control, "cosine": found.cosine}
    return {
        **dict(zip(("a", "b", "control"), names, strict=True)),
        "shared": found.shared.total,
        "too_rare": found.shared.rare,
        "of_zeros": found.shared.zeros,
        "compared": len(found),
        "min_count": found.min_count,
        "neighbours": found.neighbours,
        "same": found.same,
        "beyond_chance": found.beyond_chance,
        "mean": {name: _rounded(float(values.mean())) for name, values in means.items() if values is not None},
        "changes": [
            {
                "word": change.word,
                "count_a": change.counts[0],
                "count_b": change.counts[1],
                "kept": _rounded(change.kept),
                "cosine": _rounded(change.cosine),
                "kept_in_control": _rounded(change.kept_in_control),
                "chance": _rounded(change.chance),
                "excess": None if change.excess is None or math.isnan(change.excess) else _rounded(change.excess),
                "neighbours_a": change.neighbours_a,
                "neighbours_b": change.neighbours_b,
            }
            for change in changes
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
