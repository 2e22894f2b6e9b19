"""Results as they come, in one JSON file, so that an interrupted run goes on with what is missing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any


class Store:
    """Finished steps by their keys; a key names everything that the step's result depends on.

    `identity` is what all of them depend on: the text, the program, the machine. A file of another identity is refused,
    because a table must not mix two of them.
    """

    def __init__(self, path: Path, identity: dict[str, str]) -> None:
        self.path = path
        self.before: Callable[[], object] | None = None  # called once, before the first step that isn't there
        self.kept = 0  # steps of an earlier run that were used
        self._used: list[str] = []  # keys, since `circumstances` was asked last
        self._held: dict[str, Any] = {"identity": identity, "steps": {}}
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            for name, value in identity.items():
                if found["identity"].get(name) != value:
                    raise SystemExit(
                        f"{path}: holds results of another {name}, {found['identity'].get(name)}; now it is {value}. "
                        "Remove it, or name another folder with --work."
                    )
            self._held = found
        self._earlier = set(self._held["steps"])

    def once(self, key: str, work: Callable[[], dict[str, Any]], products: Sequence[Path] = ()) -> dict[str, Any]:
        """Return what `work` returned, now or in an earlier run that left all of the files `products` as well."""
        steps = self._held["steps"]
        self._used.append(key)
        if key in steps and all(product.exists() for product in products):
            self.kept += key in self._earlier
            self._earlier.discard(key)
            return steps[key]["value"]
        if self.before is not None:
            before, self.before = self.before, None
            before()
        print(f"  {datetime.now():%H:%M:%S}  {key}", flush=True)
        load, begin = os.getloadavg()[0], datetime.now(timezone.utc)
        value = json.loads(json.dumps(work()))  # the same now as after reading
        steps[key] = {"value": value, "load": round(load, 2), "began": begin.isoformat(timespec="seconds")}
        write_json(self.path, self._held)
        return value

    def circumstances(self) -> dict[str, Any]:
        """Return least and greatest load, first and last time at which the steps used since the last call began."""
        used = [self._held["steps"][key] for key in self._used if key in self._held["steps"]]
        self._used.clear()
        loads, times = [step["load"] for step in used], [step["began"] for step in used]
        return {"load": [min(loads), max(loads)], "began": [min(times), max(times)]} if used else {}

    def steps(self) -> dict[str, Any]:
        """Return all steps with load and time."""
        return self._held["steps"]


def write_json(path: Path, value: object) -> None:
    """Write JSON under its name only when it is complete."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
