"""Commands that messages advise, such as can be pasted: with the study that the user's own command was about."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sagan_div.study.load import OVERLAYS
from sagan_div.study.schema import OF_RECORD

PARAMS = Path("params.yaml")
OF_NO_STUDY = ("adopt", "compare", "evaluate", "fid", "fingerprint", "generate", "schema")  # commands that ask for none
COMMAND = re.compile(r"`(sagan-div [a-z-]+|snakemake)(?: [^`]*)?`")


def for_study(text: str, params: Path = PARAMS, overlays: Iterable[Path] = (), sets: Sequence[str] = ()) -> str:
    """A message whose commands, in backticks, name the study by the options that the user gave."""
    named = [] if params == PARAMS else ["--params", str(params)]
    named += [word for path in overlays for word in ("--overlay", str(path))]
    named += [word for each in sets for word in ("--set", each)]
    of_snakemake = _of_snakemake(list(overlays), sets)

    def completed(found: re.Match[str]) -> str:
        program, _, command = found[1].partition(" ")
        if command in OF_NO_STUDY or re.search(r" --(unlock|overlay|set|params|config)", found[0]):
            return found[0]
        return f"{found[0][:-1]}{shlex.join(['', *(named if program == 'sagan-div' else of_snakemake)])[2:]}`"

    return COMMAND.sub(completed, text)


def for_study_named(text: str, name: str) -> str:
    """The same of a study of which the name alone is known: its overlay, where it is one of the workflow's own."""
    overlay = OVERLAYS / f"{name}.yaml"
    return for_study(text, overlays=[overlay] if name != OF_RECORD and overlay.is_file() else ())


def _of_snakemake(overlays: Sequence[Path], sets: Sequence[str]) -> list[str]:
    keys: dict[str, Any] = {}
    for each in sets:
        path, _, value = each.partition("=")
        *above, last = path.split(".")
        place = keys
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
    files = ["--configfile", *map(str, overlays)] if overlays else []
    return files + (["--config", *(f"{name}={_flow(value)}" for name, value in keys.items())] if keys else [])


def _flow(value: str | Mapping[str, Any]) -> str:
    """A value as YAML on one line."""
    return value if isinstance(value, str) else "{" + ", ".join(f"{name}: {_flow(each)}" for name, each in value.items()) + "}"
