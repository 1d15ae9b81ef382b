"""Delete what does not belong to the study. A missing artefact is the one reason to run that no tool can overlook."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from sagan_div.image_files import require_folder
from sagan_div.study.schema import Study
from sagan_div.workflow import locks, records
from sagan_div.workflow.jobs import jobs, planned
from sagan_div.workflow.kinds import of_phase
from sagan_div.workflow.layout import Layout
from sagan_div.workflow.staleness import State, survey
from sagan_div.workflow.store import refuse_links


def prune(study: Study, phase: str) -> list[str]:
    """Delete artefacts of a phase that are stale, and files of no planned job; returns a line for each.

    What a process is at work on is left alone. Raises UserError while Snakemake runs in this folder, for links, and for
    datasets whose images are away: theirs could not be made again.
    """
    root = Layout(study.study).folder(phase)
    if phase == "report" or not root.is_dir():
        return []
    locks.refuse_beside_snakemake()
    refuse_links(path for each in jobs(study) for path in each.files)
    if phase == "data":
        refuse_images_that_are_away(study)
    lines, kept = [], set(_asked_for(study, phase))
    for state in survey(study, phase):
        kept |= set(state.job.files)
        if state.reason:
            lines.append(_removed(state))
    return [*lines, *_strangers(root, kept)]


def _asked_for(study: Study, phase: str) -> Iterator[Path]:
    """Files of jobs that the study has no need of, and that somebody can only have asked for: Inception's weights."""
    for kind in of_phase(phase):
        if not kind.needs(study):
            yield from planned(study, kind, {}).files


def _removed(state: State) -> str:
    """Delete what a stale job has left, unless a process is at work on it, or has ended since the survey."""
    with locks.if_free(state.job) as free:
        if not free or records.read(state.job.record) != state.record:
            return f"{state.job.name}: left alone, a process is at work on it"
        for path in state.job.files:
            path.unlink(missing_ok=True)
    return f"{state.job.name}: removed, {state.reason}"


def _strangers(root: Path, kept: set[Path]) -> Iterator[str]:
    """Delete the files below a folder that no job makes, and the folders that are left empty."""
    beside = {path.parent for path in kept if path.parent.name == "_inception"}  # the weights lie beside their marker
    for path in sorted(root.rglob("*")):
        if path.is_file() and path not in kept and path.parent not in beside and path.name != ".gitignore":
            yield f"{path}: removed, no job of the study makes it"
            path.unlink()
    for folder in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            shutil.rmtree(folder)


def refuse_images_that_are_away(study: Study) -> None:
    """Raises UserError for a dataset whose folder is not there, or is none."""
    for dataset in study.datasets:
        if dataset.folder is not None:
            require_folder(dataset.folder.place)
