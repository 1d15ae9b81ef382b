"""What ended a job, by its log, and the words that end a run of Snakemake in which jobs failed."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

OURS = "sagan-div: "  # begins the line in which our commands say why they end
STOPPED = (f"{OURS}interrupted", f"{OURS}terminated")  # by a signal
MOST_READ = 64 * 1024  # bytes at the end of a log
MOST_SHOWN = 8  # failed jobs
MOST_LETTERS = 1000  # of a cause, whose mend comes last
RAISED = re.compile(r"(\w+\.)*\w*(Error|Exception|Exit|Interrupt)\b(: .*)?")


@dataclass(frozen=True)
class Failure:
    """A job that failed, why in one line, and where more is said."""

    name: str
    cause: str
    log: Path | None
    mistake: bool = False  # of the user's, which another try meets again


def failure(name: str, log: Path | None, status: str = "", said: str = "") -> Failure:
    """The failure of a job by the end of its log, else by its exit `status` or by what the executor `said`."""
    lines = _last_lines(log)
    last = lines[-1] if lines else ""
    if last.startswith(OURS):
        cause = last.removeprefix(OURS)
    else:
        raised = [line for line in lines if RAISED.fullmatch(line)]
        cause = (
            raised[-1] if raised else _killed(status) or said.partition("\n")[0] or last or f"ended with {status or 'a fault'}"
        )
    return Failure(name, cause[:MOST_LETTERS], log, last.startswith(OURS) and not last.startswith(STOPPED))


def _last_lines(log: Path | None) -> list[str]:
    try:
        with (log or Path(os.devnull)).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - MOST_READ))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


def _killed(status: str) -> str:
    """What a status of the kernel's making means, e.g. `exit status 137` or `<Signals.SIGKILL: 9>`."""
    if re.search(r"\b(137|SIGKILL)\b", status):
        return "was killed (SIGKILL); where nobody did, the machine or its job limit ran out of memory"
    if re.search(r"\b(127)\b", status):
        return "a command was not found; is the environment of .venv active?"
    return ""


def block(failures: Iterable[Failure], command: str) -> str:
    """The last words of a run: each failed job with its cause and log, and what to type next."""
    found = list(failures)
    lines = [f"{len(found)} job{'s' if len(found) > 1 else ''} failed:"]
    for each in found[:MOST_SHOWN]:
        lines += [f"{each.name}: {each.cause}", *([f"  log: {each.log}"] if each.log else [])]
    if len(found) > MOST_SHOWN:
        lines.append(f"and {len(found) - MOST_SHOWN} more")
    return "\n".join([*lines, f"When that is put right, go on with: {command}"])


def again() -> str:
    """The command line that runs the same once more: DVC's where a stage of DVC's runs Snakemake."""
    if "DVC_STAGE" in os.environ:
        return "dvc exp run (with the same options)" if "DVC_EXP_NAME" in os.environ else "dvc repro"
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return shlex.join(["python", "-m", program.parent.name, *sys.argv[1:]])
    on_path = shutil.which(program.name)
    if on_path and Path(on_path) == program:
        shown = program.name
    else:
        shown = str(program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program)
    return shlex.join([shown, *sys.argv[1:]])
