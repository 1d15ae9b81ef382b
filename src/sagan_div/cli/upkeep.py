"""Commands that keep results, records and generated files true to the study and the code."""

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sagan_div import files
from sagan_div.cli import options
from sagan_div.cli.phases import prepared
from sagan_div.errors import UserError
from sagan_div.study import json_schema
from sagan_div.study.adopt import adopt as adopt_overlays
from sagan_div.study.load import load
from sagan_div.terminal import note
from sagan_div.workflow import fingerprint as code
from sagan_div.workflow import staleness
from sagan_div.workflow.cost import expected
from sagan_div.workflow.kinds import PHASES, REPORT
from sagan_div.workflow.layout import RECORD_STUDY, Layout
from sagan_div.workflow.prune import prune as prune_phase

phase_argument = click.argument("phase", required=False, type=click.Choice(PHASES))
check_option = click.option("--check", "only_check", is_flag=True, help="Change nothing; exit 2 where the file does not fit.")


@click.command()
@phase_argument
@options.study_and_results
def prune(phase: str | None, params: Path, overlays: Sequence[Path], sets: Sequence[str]) -> None:
    """Delete artefacts of PHASE (all without it) that do not fit the study, so that they are made again."""
    study = load(params, overlays, sets)
    for each in [phase] if phase else PHASES:
        for line in prune_phase(study, each):
            note(line)


@click.command()
@phase_argument
@options.study_and_results
def check(phase: str | None, params: Path, overlays: Sequence[Path], sets: Sequence[str]) -> None:
    """Say which artefacts of PHASE (of the whole study without it) are missing or stale, and why; changes nothing."""
    study = load(params, overlays, sets)
    states = staleness.survey(study, *[phase] if phase else ())
    if phase in (None, "report"):
        from sagan_div.report.report import outputs

        states.append(staleness.survey_report(study, outputs(study, Layout(study.study))))
    due = [state for state in states if state.due]
    for state in due:
        if state.reason:
            note(f"{state.job.name}: {state.reason}")
    missing = Counter(state.job.kind.name for state in due if not state.reason)
    for kind, count in missing.items():
        note(f"{kind}: {count} of {sum(state.job.kind.name == kind for state in states)} jobs are not made yet")
    if due:
        time = expected(Layout(study.study), Counter(state.job.kind.name for state in due if state.job.kind is not REPORT))
        raise UserError(
            f"{len(due)} of {len(states)} jobs are not up to date with {params} and the code; run them again"
            + (f" ({time})" if time else "")
        )


@click.command()
@click.argument("place")
@options.study
def download(place: str, params: Path, overlays: Sequence[Path], sets: Sequence[str]) -> None:
    """Copy a study's results from PLACE, a bucket (s3://bucket/folder) or folder, into data/ and results/ here.

    Each file is held to the SHA-256 in its record; what is here already is not fetched.
    """
    from sagan_div import remote
    from sagan_div.report.report import outputs
    from sagan_div.workflow.download import download as bring

    study = load(params, overlays, sets)
    bring(study, outputs(study, Layout(study.study)), remote.at(place), note)


@click.command()
@click.argument("overlays", type=Path, nargs=-1, required=True)
@click.option("--params", type=Path, default="params.yaml", show_default=True, help="The file that they are written into.")
def adopt(overlays: Sequence[Path], params: Path) -> None:
    """Write OVERLAYS into params.yaml, comments kept, so that DVC runs and records their study as the study of record."""
    for line in adopt_overlays(params, overlays):
        note(line)


@click.command()
@click.option("--cells", "count", type=click.IntRange(1), default=1, show_default=True, help="Jobs of each kind to run again.")
@options.mirror
@options.machine
@options.study_and_results
def revalidate(count: int, mirror: str | None, device: str, threads: int | None, **named: Any) -> None:
    """Accept an edit of the code that should change no number, such as a faster engine.

    Runs some jobs of each kind that the edit touches beside the recorded ones. Where all artefacts have the same bits, their
    records are stamped with the code as it is now and what was tried, the report is written again, and `dvc commit` brings
    dvc.lock up to date. Where one differs, nothing changes, and the exit status is 1.
    """
    from sagan_div.cli.phases import report_of
    from sagan_div.workflow.revalidate import Differs
    from sagan_div.workflow.revalidate import revalidate as try_and_stamp

    study = load(**named)
    run = prepared(device, threads, mirror=mirror)
    try:
        stamped = try_and_stamp(study, run, count, _stamp(device), note)
    except Differs as differs:
        print(f"sagan-div: {differs}", file=sys.stderr)
        sys.exit(1)
    if not stamped:
        note("no record is of other code")
        return
    run(report_of(study))
    note(f"{len(stamped)} records are stamped anew")
    if study.study == RECORD_STUDY and Path("dvc.yaml").is_file():
        code.write()
        if subprocess.run([sys.executable, "-m", "dvc", "commit", "--force", "--quiet"]).returncode:
            raise UserError("the records are stamped, and dvc.lock is not up to date: `dvc commit --force` failed, see above")


def _stamp(device: str) -> dict[str, Any]:
    from sagan_div.cli.machine import find_device
    from sagan_div.phases import provenance

    when = datetime.now(UTC).isoformat(timespec="seconds")
    return {"commit": provenance.commit(), "hardware": provenance.hardware(find_device(device)), "at": when}


@click.command(hidden=True)
@check_option
def fingerprint(only_check: bool) -> None:
    """Write workflow/code.json: what the code of each kind of job means, for DVC's stages."""
    code.check() if only_check else code.write()


@click.command(hidden=True)
@check_option
def schema(only_check: bool) -> None:
    """Write config/params.schema.json, by which editors complete and check params.yaml."""
    path, text = json_schema.FILE, json_schema.text()
    if not only_check:
        files.write_text(path, text)
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        raise UserError(f"{path}: does not fit the settings' models; `sagan-div schema` writes it")


COMMANDS: list[click.Command] = [prune, check, download, adopt, revalidate, fingerprint, schema]
