"""Bring a study's results from a bucket, or another folder, into this working folder, where DVC and the report find them.

Nothing takes its place before all has arrived and is what the records there describe.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from sagan_div import files, terminal
from sagan_div.errors import UserError
from sagan_div.remote import Remote, Unreachable
from sagan_div.settings import difference, plain
from sagan_div.study.schema import Study
from sagan_div.workflow import locks, records
from sagan_div.workflow.jobs import Job, jobs, report_job
from sagan_div.workflow.layout import Layout

AT_ONCE = 8  # transfers

Digests = dict[Path, str]
Note = Callable[[str], None]


def download(study: Study, page: dict[str, Path], there: Remote, note: Note) -> None:
    """Copy the files of the study's jobs, `page` of its report among them; those that are here already stay as they are.

    Raises UserError where nothing of the study is there, and for the first file that is damaged or cannot be had: then nothing
    here is changed, and what has arrived is not fetched again by the next try.
    """
    locks.refuse_beside_snakemake()
    if there.is_working_folder:
        raise UserError(f"{there.url()}: is this working folder; name the bucket or folder that has the results")
    staging = Layout(study.study).scratch / "download"
    planned = [*jobs(study), report_job(study, page)]
    made = _made(study, planned, there)
    found = _described(made, there, staging, note)
    wanted = {path: digest for digests in found.values() for path, digest in digests.items() if not _is(path, digest)}
    _get_all("files", there, staging, {path: digest for path, digest in wanted.items() if not _is(staging / path, digest)})
    for job in made:
        if job.record in found:
            _place(job, staging, wanted)
    shutil.rmtree(staging, ignore_errors=True)
    count = sum(map(len, found.values()))
    note(f"{len(wanted)} of {count} files are brought from {there.url()}, the others were here")
    if len(made) < len(planned):
        note(f"{len(planned) - len(made)} of {len(planned)} jobs are not made there yet")


def _made(study: Study, planned: list[Job], there: Remote) -> list[Job]:
    """The jobs whose records are there."""
    layout = Layout(study.study)
    with _reaching(there):
        sizes = there.sizes([layout.data, layout.results])
    made = [job for job in planned if job.record in sizes]
    if not made:
        raise UserError(
            f"{there.url()}: has no results of the study '{study.study}'; name the folder in which its data/ and results/ lie"
        )
    return made


def _described(made: list[Job], there: Remote, staging: Path, note: Note) -> dict[Path, Digests]:
    """For each record there, brought to the staging folder, what the outputs of its job must be. Records of other settings are
    left there."""
    for job in made:
        files.remove(staging / job.record)
    _get_all("records", there, staging, {job.record: None for job in made})
    found = {}
    for job in made:
        record = records.read(staging / job.record)
        if record is None or not job.outputs.keys() <= record.outputs.keys():
            raise _damaged(there, job.record, "no record of what its job leaves")
        if record.settings == plain(job.settings):
            found[job.record] = {path: record.outputs[name] for name, path in job.outputs.items()}
        else:
            note(f"{job.name}: stays there, made with other settings: {difference(record.settings, plain(job.settings))}")
    return found


def _get_all(what: str, there: Remote, staging: Path, wanted: Mapping[Path, str | None]) -> None:
    """Get files into the staging folder, several at a time, and hold them to their digests. Raises UserError as `download`."""
    with terminal.bar(what, len(wanted)) as advance, ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(_get, there, path, staging / path, digest) for path, digest in wanted.items()]
        try:
            for count, done in enumerate(as_completed(running), 1):
                done.result()
                advance(count, "")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _get(there: Remote, path: Path, to: Path, digest: str | None) -> None:
    with _reaching(there), files.replacing(to) as temporary:
        if not there.get(path, temporary):
            raise _damaged(there, path, "missing, and its record names it")
        if digest is not None and files.sha256(temporary) != digest:
            raise _damaged(there, path, "not what its record describes")


def _place(job: Job, staging: Path, wanted: Digests) -> None:
    """Move what has arrived of a job to its place, the record last: until then the job counts as one that is to be made."""
    new, record = [path for path in job.outputs.values() if path in wanted], (staging / job.record).read_bytes()
    if not new and job.record.is_file() and job.record.read_bytes() == record:
        return
    with locks.held(job):
        files.remove(job.record)
        for path in new:
            with files.replacing(path) as temporary:
                shutil.move(staging / path, temporary)
        files.write_bytes(job.record, record)


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and files.sha256(path) == digest


def _damaged(there: Remote, path: Path, what: str) -> UserError:
    return UserError(f"{there.url(path)}: is {what}; nothing here is changed; delete it there, and let Snakemake make it again")


@contextmanager
def _reaching(there: Remote) -> Iterator[None]:
    try:
        yield
    except Unreachable as fault:
        raise UserError(f"{there.url()}: cannot be read ({fault}); put that right, and run the same command again") from None
