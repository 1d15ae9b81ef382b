"""The jobs of a study: one unit of work each, with its settings, what it reads and what it leaves behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from sagan_div.errors import UserError
from sagan_div.settings import Settings
from sagan_div.study.given import Wildcards
from sagan_div.study.job_settings import SampleSettings
from sagan_div.study.schema import Study
from sagan_div.workflow.kinds import PHASES, REPORT, SAMPLE, Kind, of_phase, wildcards_of
from sagan_div.workflow.layout import OF_THE_REPORT, Layout, filled
from sagan_div.workflow.store import HERE, Store

COMPUTED = PHASES[:-1]  # the phases of jobs that compute; the last one gathers


@dataclass(frozen=True)
class Job:
    """One unit of work of a kind."""

    kind: Kind
    settings: Settings
    layout: Layout
    inputs: dict[str, Path]
    outputs: dict[str, Path]
    record: Path

    @property
    def name(self) -> str:
        """E.g. `train mnist sngan 0`."""
        return " ".join(self.words)

    @property
    def about(self) -> dict[str, Any]:
        """The dataset, method, seed and extractor that the job is about."""
        return {name: value for name, value in wildcards_of(self.settings).items() if name in self.kind.wildcards}

    @property
    def words(self) -> list[str]:
        return [self.kind.name, *map(str, self.about.values())]

    @property
    def scratch(self) -> Path:
        """The folder of what it needs until it is done."""
        return self.layout.scratch.joinpath(*self.words)

    @property
    def lock(self) -> Path:
        """The file that is locked while it runs."""
        return self.layout.scratch / "locks" / f"{'-'.join(self.words)}.lock"

    @property
    def files(self) -> tuple[Path, ...]:
        """All that it leaves behind."""
        return (*self.outputs.values(), self.record)


def job(kind: Kind, settings: Settings, layout: Layout) -> Job:
    """The job of a kind with these settings."""
    about = wildcards_of(settings)

    def fill(paths: dict[str, Path]) -> dict[str, Path]:
        return {name: filled(path, **about) for name, path in paths.items()}

    record = filled(kind.record(layout), **about)
    return Job(kind, settings, layout, fill(kind.inputs(layout, settings)), fill(kind.outputs(layout)), record)


def planned(study: Study, kind: Kind, wildcards: Wildcards, root: Path = HERE.root) -> Job:
    """The job of a kind that the study, whose files lie in `root`, has for these wildcards."""
    return job(kind, kind.from_study(study, wildcards), Layout(study.study, root))


def jobs(study: Study, *phases: str, root: Path = HERE.root) -> list[Job]:
    """The jobs of these phases (of all that compute without any), in the order in which they can run.

    Raises UserError where a study's name or images lie among the results, of which prune deletes what no job makes.
    """
    _refuse_places_of_results(study)
    return [each for each in _computed(study, root) if not phases or each.kind.phase in phases]


def _computed(study: Study, root: Path) -> list[Job]:
    """All jobs of a study that compute. They are made once: a plan asks for them again and again."""
    if (id(study), root) not in _known:
        layout = Layout(study.study, root)
        about = ((kind, wildcards) for kind in _needed(study) for wildcards in _wildcards(study, kind))
        made = [job(kind, kind.from_study(study, wildcards), layout) for kind, wildcards in about]
        _known[id(study), root] = study, made
    return _known[id(study), root][1]


_known: dict[tuple[int, Path], tuple[Study, list[Job]]] = {}  # by identity, which stays theirs as long as they are kept here


def _needed(study: Study) -> Iterator[Kind]:
    """The kinds of job that a study has, in the order in which they can run."""
    return (kind for phase in COMPUTED for kind in of_phase(phase) if kind.needs(study))


def _refuse_places_of_results(study: Study) -> None:
    name = study.study
    if name in (*PHASES, *OF_THE_REPORT):
        raise UserError(f"study: '{name}' cannot be a study's name, since results/{name} is a folder of the study of record")
    for name, folder in ((dataset.name, dataset.folder) for dataset in study.datasets):
        for place in ("data", "results"):
            if folder is not None and folder.place.resolve().is_relative_to(Path(place).resolve()):
                raise UserError(f"datasets.{name}: {folder.path} lies in {place}/, where jobs write; move it out")
            if folder is not None and Path(place).resolve().is_relative_to(folder.place.resolve()):
                raise UserError(f"datasets.{name}: {folder.path} holds {place}/, where jobs write; name the images' own folder")


def _wildcards(study: Study, kind: Kind) -> Iterator[dict[str, Any]]:
    values = {
        "dataset": [dataset.name for dataset in study.datasets],
        "method": list(study.methods),
        "seed": study.seeds,
        "extractor": study.score.spaces,
    }
    for combination in product(*(values[name] for name in kind.wildcards)):
        yield dict(zip(kind.wildcards, combination, strict=True))


def report_job(study: Study, outputs: dict[str, Path], store: Store = HERE) -> Job:
    """The job that gathers what the others left behind; it reads their records. The report names its `outputs`."""
    layout = Layout(study.study, store.root)
    records = [each.record for each in jobs(study, root=store.root)]
    there = {str(layout.name(record)): record for record in records if store.exists(record)}
    return Job(REPORT, study, layout, there, outputs, layout.report_record)


def cells(study: Study) -> list[dict[str, Any]]:
    """Every dataset x method x seed of the study."""
    return list(_wildcards(study, SAMPLE))


def is_part(study: Study, whole: Study) -> bool:
    """Whether a study leaves out cells of the whole one under the same name."""
    ours, theirs = ({tuple(cell.values()) for cell in cells(each)} for each in (study, whole))
    return study.study == whole.study and not ours >= theirs


def refused_report(part: Study) -> UserError:
    """What is said to who asks for the report of a part of a study."""
    return UserError(
        f"study: this is a part of '{part.study}', whose report it would replace; name the part itself with study=NAME"
    )


def checkpoint(study: Study, cell: str) -> Path:
    """The checkpoint of a cell, `dataset/method/seedN`, that the study samples. Raises UserError for a cell that it has not."""
    for each in cells(study):
        if cell.strip("/") == "{dataset}/{method}/seed{seed}".format(**each):
            sampled = planned(study, SAMPLE, each)
            assert isinstance(sampled.settings, SampleSettings)
            return sampled.inputs[sampled.settings.sample.select]
    example = "{dataset}/{method}/seed{seed}".format(**cells(study)[0])
    raise UserError(f"{cell}: is no cell of the study, such as {example}, and no .safetensors file")


def beside(checkpoint: Path, phase: str, name: str) -> Path:
    """The file of a checkpoint's cell in another phase."""
    cell = checkpoint.absolute().parent
    return cell.parents[3] / phase / cell.relative_to(cell.parents[2]) / name if len(cell.parents) > 3 else cell / phase / name
