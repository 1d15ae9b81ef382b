"""Commands that messages advise, such as can be pasted: with the study that the user's own command was about."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from sagan_div.errors import UserError
from sagan_div.study.load import OVERLAYS, assignment, overlay
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
    shipped = OVERLAYS / f"{name}.yaml"
    return for_study(text, overlays=[shipped] if name != OF_RECORD and shipped.is_file() else ())


def _of_snakemake(overlays: Sequence[Path], sets: Sequence[str]) -> list[str]:
    try:
        keys: dict[str, Any] = reduce(overlay, map(assignment, sets), {})
    except UserError:  # which is what the message is about
        keys = {}
    files = ["--configfile", *map(str, overlays)] if overlays else []
    return files + (["--config", *(f"{name}={json.dumps(value, default=str)}" for name, value in keys.items())] if keys else [])
