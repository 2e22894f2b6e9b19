"""What all pictures share: how they look, how they are saved, and what is refused before any work."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glove_cli.errors import OptionError, OutputError
from glove_cli.files import check_output, output_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
INK, FAINT = "#333333", "#8a8a8a"
FONT = "DejaVu Sans"  # comes with matplotlib, so that a picture is the same on all machines
_DOTS_PER_INCH = 150
_STYLE: Any = {
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "font.size": 10,
    "pdf.fonttype": 42,  # whole outlines: text can be searched, and publishers take them
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "glove",  # names within the file don't change from one drawing to the next
    "text.color": INK,
    "text.parse_math": False,  # a $ in a name is a $
    "xtick.color": INK,
    "ytick.color": INK,
}
_unheard: list[BaseException] = []  # of the picture that is being drawn
_NO_DATE: dict[str, Any] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def check_drawing(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Refuse, before any work, a picture that could not be drawn.

    Parameters
    ----------
    path : path-like
        The file to make.
    force : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OptionError
        If its suffix is none of .png, .svg and .pdf.
    OutputError
        If matplotlib is not installed, or `path` exists and may not be replaced or can't be written.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        what = f"ends in {path.suffix}" if path.suffix else "has no suffix"
        raise OptionError(f"{path}: {what}, which is no kind of picture drawn here. Choose {', '.join(SUFFIXES)}.")
    check_output(path, force=force)
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise OutputError(
            f"{path}: needs the package matplotlib. Install it with: pip install 'glove-cli[plot]'."
        ) from None
    except ValueError as error:  # it reads a variable as it is loaded
        raise OutputError(f"{path}: matplotlib can't be loaded: {error}. Unset MPLBACKEND.") from None


@contextlib.contextmanager
def house_style(fonts: Sequence[str] = ()) -> Iterator[None]:
    """Draw as all pictures are drawn, whatever the user's settings are.

    Parameters
    ----------
    fonts : sequence of str
        Families that are asked, in this order, for a character that the usual font lacks.
    """
    import matplotlib

    with quiet_fonts(), _heard(), matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        matplotlib.rcParams["font.family"] = [FONT, *fonts]
        yield


@contextlib.contextmanager
def _heard() -> Iterator[None]:
    """Note errors that matplotlib's code in C can only print, so that no picture lacks letters for want of memory."""
    usual = sys.unraisablehook

    def note(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, MemoryError):
            _unheard.append(unraisable.exc_value)
        else:
            usual(unraisable)

    _unheard.clear()
    sys.unraisablehook = note
    try:
        yield
    finally:
        sys.unraisablehook = usual


@contextlib.contextmanager
def quiet_fonts() -> Iterator[None]:
    """Keep matplotlib from telling that a family, one of many tried, has no upright letters of usual weight."""
    log = logging.getLogger("matplotlib.font_manager")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def save_figure(figure: Figure, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Save a picture: the same one as the same bytes, and complete or not at all.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Made, and to be saved, within `house_style`.
    path : path-like
        The file to make; its suffix says how.
    force : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If `path` exists and may not be replaced, or can't be written.
    MemoryError
        If there wasn't enough for a letter, now or before.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    picture = io.BytesIO()
    figure.savefig(picture, format=suffix[1:], dpi=_DOTS_PER_INCH, metadata=_NO_DATE[suffix])
    if _unheard:
        raise _unheard[0]
    with output_file(path, force=force) as file:
        file.write(picture.getvalue())
