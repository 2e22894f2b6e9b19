"""`--recipe`: other defaults for a command's options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from glove_cli.recipes import RECIPES

_Function = TypeVar("_Function", bound=Callable[..., Any])


def recipe_option(stage: str) -> Callable[[_Function], _Function]:
    """Return the option; `stage` is the part of a recipe that the command's defaults come from."""

    def choose(context: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
        if name is not None:
            context.default_map = {**(context.default_map or {}), **getattr(RECIPES[name], stage)}
        return name

    described = "; ".join(f"{name}: {_shown(getattr(recipe, stage))}" for name, recipe in RECIPES.items())
    return click.option(
        "--recipe",
        type=click.Choice(tuple(RECIPES)),
        is_eager=True,
        callback=choose,
        help=f"Other defaults, for glove build-cooc and glove train alike. {described}",
    )


def _shown(options: Mapping[str, Any]) -> str:
    """Return options as they would be typed."""
    values = {name: f"{value:g}" if isinstance(value, float) else value for name, value in options.items()}
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in values.items())
