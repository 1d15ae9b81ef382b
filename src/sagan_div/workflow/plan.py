"""The jobs of a study: their settings, files and records. One truth for the rules, DVC, the command line and the tests.

A *job* is one unit of work with its own settings; a *cell* is dataset x method x seed. Nothing else knows where results live.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.settings import canonical, plain, read
from sagan_div.study.job_settings import (
    ClassifierSettings,
    DataSettings,
    RealVsRealSettings,
    ReferenceSettings,
    SampleSettings,
    ScoreSettings,
    TrainSettings,
    WeightsSettings,
)
from sagan_div.study.schema import (
    DatasetConfig,
    Extractor,
    Study,
)

PHASES = ("data", "reference", "train", "sample", "score", "report")
SPLITS = ("train", "test")


Settings = (
    DataSettings
    | WeightsSettings
    | ClassifierSettings
    | ReferenceSettings
    | RealVsRealSettings
    | TrainSettings
    | SampleSettings
    | ScoreSettings
    | Study
)


@dataclass(frozen=True)
class Layout:
    """Where the files of a study live. Paths hold `{dataset}` etc. until `Layout.at` fills them: rules need the patterns."""

    study: str = "main"

    @property
    def results(self) -> Path:
        return Path("results") if self.study == "main" else Path("results", self.study)

    @property
    def data(self) -> Path:
        return Path("data") if self.study == "main" else self.results / "data"

    @property
    def scratch(self) -> Path:
        return Path("scratch", self.study)

    def folder(self, phase: str) -> Path:
        """The root of a phase's artefacts; the report's are spread over `results`."""
        return self.data if phase == "data" else self.results if phase == "report" else self.results / phase

    def images(self, split: str) -> Path:
        return self.data / "{dataset}" / split / "images.npy"

    def labels(self, split: str) -> Path:
        return self.data / "{dataset}" / split / "labels.npy"

    @property
    def weights(self) -> Path:
        return self.results / "reference" / "_inception" / "weights.json"

    @property
    def classifier(self) -> Path:
        return self.results / "reference" / "{dataset}" / "domain-classifier.safetensors"

    @property
    def statistics(self) -> Path:
        return self.results / "reference" / "{dataset}" / "{extractor}.npz"

    @property
    def real_vs_real(self) -> Path:
        return self.results / "reference" / "{dataset}" / "{extractor}.real-vs-real.json"

    def cell(self, phase: str, name: str) -> Path:
        return self.results / phase / "{dataset}" / "{method}" / "seed{seed}" / name

    @property
    def metrics(self) -> Path:
        return self.results / "metrics" / "{dataset}" / "{method}.json"


@dataclass(frozen=True)
class Job:
    """One unit of work: what it is told, what it reads, what it leaves behind, and the record that ties them together.

    Below `scratch` is what it needs until it is done.
    """

    kind: str
    settings: Settings
    inputs: dict[str, Path]
    outputs: dict[str, Path]
    record: Path
    scratch: Path

    @property
    def name(self) -> str:
        parts = ("dataset", "method", "seed", "extractor")
        found = [getattr(self.settings, part, None) for part in parts]
        return " ".join(
            [self.kind, *(part.name if isinstance(part, DatasetConfig) else str(part) for part in found if part is not None)]
        )

    def concerns(self, wanted: dict[str, Any]) -> bool:
        """Whether the job is about the wanted dataset, method or seed."""
        named = {key: value.name if isinstance(value, DatasetConfig) else value for key, value in self.settings}
        return all(named.get(key) == value for key, value in wanted.items())


def _filled(paths: dict[str, Path], **wildcards: object) -> dict[str, Path]:
    return {name: Path(str(path).format(**wildcards)) for name, path in paths.items()}


def patterns(kind: str, layout: Layout, extractors: Iterable[str] = ()) -> tuple[dict[str, Path], dict[str, Path], Path]:
    """Inputs, outputs and record of a kind of job, with wildcards in braces; `extractors` matter to scoring alone."""
    splits = {f"{split}_images": layout.images(split) for split in SPLITS}
    labels = {f"{split}_labels": layout.labels(split) for split in SPLITS}
    beside = Path(str(layout.classifier).replace(".safetensors", ".record.json"))
    match kind:
        case "data":
            return {}, splits | labels, layout.data / "{dataset}" / "record.json"
        case "weights":
            return {}, {"weights": layout.weights}, layout.weights.with_name("record.json")
        case "classifier":
            return splits | labels, {"classifier": layout.classifier}, beside
        case "reference" | "real_vs_real":
            network = {"inception": {"weights": layout.weights}, "classifier": {"classifier": layout.classifier}}
            used = {name: path for extractor in extractors for name, path in network[extractor].items()}
            output = {"statistics": layout.statistics} if kind == "reference" else {"real_vs_real": layout.real_vs_real}
            (path,) = output.values()
            return splits | used, output, path.with_suffix(".record.json")
        case "train":
            inputs = {"images": layout.images("train"), "classifier": layout.classifier}
            names = {"best": "best.safetensors", "last": "last.safetensors", "history": "history.csv"}
        case "sample":
            inputs = {name: layout.cell("train", f"{name}.safetensors") for name in ("best", "last")}
            names = {"samples": "samples.npz", "grid": "grid.png"}
        case "score":
            inputs = {"samples": layout.cell("sample", "samples.npz"), "classifier": layout.classifier}
            for extractor in extractors:
                inputs[f"{extractor}_statistics"] = Path(str(layout.statistics).replace("{extractor}", extractor))
            if "inception" in extractors:
                inputs["weights"] = layout.weights
            names = {"metrics": "metrics.json"}
        case "report":
            return {}, {}, layout.results / "report.record.json"
        case _:
            raise ValueError(kind)
    return inputs, {name: layout.cell(kind, file) for name, file in names.items()}, layout.cell(kind, "record.json")


def job(kind: str, settings: Settings, layout: Layout) -> Job:
    """The job of a kind with these settings."""
    wildcards = {key: value.name if isinstance(value, DatasetConfig) else value for key, value in settings}
    extractors = wildcards.get("extractors") or [wildcards[key] for key in ("extractor",) if key in wildcards]
    inputs, outputs, record = patterns(kind, layout, extractors)
    (record,) = _filled({"record": record}, **wildcards).values()
    inside = record.parent.relative_to(layout.results) if layout.results in record.parents else Path(kind)
    return Job(kind, settings, _filled(inputs, **wildcards), _filled(outputs, **wildcards), record, layout.scratch / inside)


def unfinished(each: Job) -> Path:
    """Where a job keeps its state: a place for these settings, source files and inputs alone, so that no other is continued."""
    read = [files.sha256(path) for path in each.inputs.values()]
    shape = "".join([canonical(each.settings), *sources(each.kind).values(), *read])
    return each.scratch / hashlib.sha256(shape.encode()).hexdigest()[:12] / "state.safetensors"


def kinds(phase: str) -> tuple[str, ...]:
    """The kinds of job in a phase."""
    return ("weights", "classifier", "reference", "real_vs_real") if phase == "reference" else (phase,)


def phase_of(kind: str) -> str:
    return next(phase for phase in PHASES if kind in kinds(phase))


SETTINGS: dict[str, Any] = {
    "data": DataSettings,
    "weights": WeightsSettings,
    "classifier": ClassifierSettings,
    "reference": ReferenceSettings,
    "real_vs_real": RealVsRealSettings,
    "train": TrainSettings,
    "sample": SampleSettings,
    "score": ScoreSettings,
    "report": Study,
}


def settings(
    study: Study, kind: str, dataset: str = "", method: str = "", seed: int | str = 0, extractor: Extractor = "classifier"
) -> Settings:
    """What a job of this kind is told: its own parameters and nothing more, so that nothing else can make it stale."""
    cell = {"dataset": dataset, "method": method, "seed": int(seed)}
    match kind:
        case "data":
            named = dataset_named(study, dataset)
            return DataSettings(dataset=named, contents=None if named.folder is None else files.digest(Path(named.folder)))
        case "weights":
            return WeightsSettings(extractor="inception")
        case "classifier":
            return ClassifierSettings(dataset=dataset, image_size=study.image_size, classifier=study.classifier)
        case "reference":
            return ReferenceSettings(
                dataset=dataset,
                image_size=study.image_size,
                extractor=extractor,
                mode=study.score.mode,
                reference=study.score.reference,
                repeat_last_batch=study.score.repeat_last_batch,
            )
        case "real_vs_real":
            return RealVsRealSettings(
                dataset=dataset, image_size=study.image_size, extractor=extractor, real_vs_real=study.score.real_vs_real
            )
        case "train":
            shape = {"image_size": study.image_size, "width": study.width, "latent": study.latent}
            recipe = study.methods[method].model_copy(update={"select": None})  # what is sampled is no matter of training
            return TrainSettings(**cell, **shape, recipe=recipe, train=study.train)  # type: ignore[arg-type]
        case "sample":
            select = study.methods[method].select or study.sample.select
            return SampleSettings(**cell, sample=study.sample.model_copy(update={"select": select}))  # type: ignore[arg-type]
        case "score":
            wanted = {key: getattr(study.score, key) for key in ("extractors", "mode", "metrics", "repeat_last_batch")}
            return ScoreSettings(**cell, **wanted)  # type: ignore[arg-type]
        case "report":
            return study
    raise ValueError(kind)


_FEATURES = ("features", "checkpoints", "datasets", "randomness")
_FRECHET = ("frechet", "distances")
_RATING = (*_FEATURES, *_FRECHET)  # of generators, during training
_SPACES = ("phases/spaces", *_RATING, "emulation")
_SCORES = ("inception", "memorisation")
_SAMPLING = ("sampling", "networks", "attention", "randomness", "checkpoints")
CODE: dict[str, tuple[str, ...]] = {  # the rooms that shape a job's result, and those that they import but for the plumbing
    "data": ("phases/data", "datasets"),
    "weights": ("phases/weights", *_FEATURES),
    "classifier": ("phases/classifier", *_FEATURES),
    "reference": ("phases/reference", *_SPACES, *_SCORES, *_SAMPLING),
    "real_vs_real": ("phases/real_vs_real", *_SPACES, "real_vs_real", *_SAMPLING),
    "train": ("phases/train", "training", "engine", "losses", *_SAMPLING, *_RATING),
    "sample": ("phases/sample", *_SAMPLING),
    "score": ("phases/score", *_SPACES, *_SCORES, "metrics", "real_vs_real", *_SAMPLING),
    "report": ("datasets", *_SAMPLING),  # and all of its own room
}


def code(kind: str) -> list[str]:
    """The source files that a kind of job depends on, from the project's root."""
    page = Path(__file__).with_name("report").iterdir() if kind == "report" else ()
    rooms = {f"{room}.py" for room in CODE[kind]} | {f"report/{path.name}" for path in page if path.is_file()}
    return [f"src/sagan_div/{room}" for room in sorted(rooms)]


@cache
def _source(inside: Path) -> str:
    return files.sha256(Path(__file__).parent / inside)


def sources(kind: str) -> dict[str, str]:
    """The SHA-256 of every source file that shapes a kind of job: of the package that runs, wherever it lies."""
    inside = [Path(name).relative_to("src/sagan_div") for name in code(kind)]
    return {str(path): _source(path) for path in inside}


def dataset_named(study: Study, name: str) -> DatasetConfig:
    return next(dataset for dataset in study.datasets if dataset.name == name)


def cells(study: Study) -> list[dict[str, Any]]:
    """Every dataset x method x seed of the study."""
    return [
        {"dataset": dataset.name, "method": method, "seed": seed}
        for dataset in study.datasets
        for method in study.methods
        for seed in study.seeds
    ]


def checkpoint(study: Study, cell: str) -> Path:
    """The checkpoint of a cell, `dataset/method/seedN`, that the study samples. Raises UserError for a cell that it has not."""
    for each in cells(study):
        if cell.strip("/") == "{dataset}/{method}/seed{seed}".format(**each):
            drawn = settings(study, "sample", **each)
            assert isinstance(drawn, SampleSettings)
            path = Layout(study.study).cell("train", f"{drawn.sample.select}.safetensors")
            return Path(str(path).format(**each))
    example = "{dataset}/{method}/seed{seed}".format(**cells(study)[0])
    raise UserError(f"{cell}: is no cell of the study, such as {example}, and no .safetensors file")


def beside(checkpoint: Path, phase: str, name: str) -> Path:
    """The file of a checkpoint's cell in another phase."""
    cell = checkpoint.absolute().parent
    return cell.parents[3] / phase / cell.relative_to(cell.parents[2]) / name if len(cell.parents) > 3 else cell / phase / name


def jobs(study: Study, phase: str) -> list[Job]:
    """The jobs of a phase, in the order in which they can run."""
    layout = Layout(study.study)
    names = [{"dataset": dataset.name} for dataset in study.datasets]
    spaces = [name | {"extractor": extractor} for name in names for extractor in study.score.extractors]
    wanted: dict[str, list[dict[str, Any]]] = {
        "data": names,
        "weights": [{}] if "inception" in study.score.extractors else [],
        "classifier": names,
        "reference": spaces,
        "real_vs_real": spaces,
    }
    return [
        job(kind, settings(study, kind, **wildcards), layout)
        for kind in kinds(phase)
        for wildcards in wanted.get(kind, cells(study))
    ]


def report(study: Study, outputs: dict[str, Path]) -> Job:
    """The job that gathers what the others left behind; its room knows the outputs."""
    layout = Layout(study.study)
    _, _, record = patterns("report", layout)
    read = [each.record for phase in PHASES[:-1] for each in jobs(study, phase) if each.record.exists()]
    return Job("report", study, {str(path): path for path in read}, outputs, record, layout.scratch)


def stale_report(study: Study, outputs: dict[str, Path]) -> str | None:
    """Why the report does not fit the study and what lies there, or None where it does or there is none."""
    each = report(study, outputs)
    record = recorded(each.record)
    digests = {path: files.sha256(path) for path in each.inputs.values()}
    return _misfit(each, record, digests) or (_altered(each, record) if record else None)


def recorded(path: Path) -> dict[str, Any] | None:
    """A record, or None where there is none that can be read."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = {"settings", "code", "inputs", "outputs"}
    return record if isinstance(record, dict) and whole <= set(record) else None


def stale(study: Study, *phases: str) -> dict[Path, str]:
    """Records of these phases (of all without any) that do not fit the study, with the reason.

    A missing artefact is not stale: it will be made. What was made from a stale one of the same phase is stale as well;
    the next phase compares with what comes in its place.
    """
    ledger, found = _ledger(study), {}
    recorded_digests = _digests(ledger)
    for phase in phases or PHASES:
        digests = dict(recorded_digests)
        for each, record in ledger:
            reason = phase_of(each.kind) == phase and _misfit(each, record, digests)
            if reason:
                found[each.record] = reason
                digests |= dict.fromkeys(each.outputs.values())
    return found


Ledger = list[tuple[Job, dict[str, Any] | None]]


def _ledger(study: Study) -> Ledger:
    """Every job of the study but the report, in the order in which they can run, with the record that it left."""
    return [(each, recorded(each.record)) for phase in PHASES[:-1] for each in jobs(study, phase)]


def digests(study: Study) -> dict[Path, str]:
    """The SHA-256 of what the study's jobs have left, as recorded, in the order in which they can run."""
    return {path: digest for path, digest in _digests(_ledger(study)).items() if digest}


def _digests(ledger: Ledger) -> dict[Path, str | None]:
    """The SHA-256 of every artefact of the study, as the job that made it recorded it."""
    return {
        each.outputs[name]: digest
        for each, record in ledger
        if record
        for name, digest in record["outputs"].items()
        if name in each.outputs
    }


def _misfit(each: Job, record: dict[str, Any] | None, digests: Mapping[Path, str | None]) -> str | None:
    if record is None:
        return "it has no record" if any(path.exists() for path in each.outputs.values()) else None
    if record["settings"] != plain(each.settings):
        return f"it was made with other settings: {difference(record['settings'], plain(each.settings))}"
    for name, digest in sources(each.kind).items():
        if record["code"].get(name) != digest:
            return f"it was made by another {name}"
    for name, path in each.inputs.items():
        if path in digests and record["inputs"].get(name) != digests[path]:
            return f"it was made from another {path}"
    return None


def _altered(each: Job, record: dict[str, Any]) -> str | None:
    """What is no longer the file that its record describes: replaced, cut short or lost."""
    for name, path in each.outputs.items():
        if not path.exists():
            return f"{path} is missing"
        if files.sha256(path) != record["outputs"].get(name):
            return f"{path} is not what it was when it was made"
    return None


def difference(old: Any, new: Any, key: str = "") -> str:
    """The first few leaves in which two settings differ, e.g. `train.images 640 -> 1280`."""
    leaves_old, leaves_new = dict(_leaves(old, key)), dict(_leaves(new, key))
    changed = [name for name in leaves_old | leaves_new if leaves_old.get(name) != leaves_new.get(name)]
    shown = [f"{name} {leaves_old.get(name, 'absent')} -> {leaves_new.get(name, 'absent')}" for name in changed[:3]]
    return ", ".join(shown) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from _leaves(entry, f"{key}.{name}" if key else name)
    else:
        yield key, list(value) if isinstance(value, tuple) else value


def prune(study: Study, phase: str) -> list[str]:
    """Delete what does not belong to the study: artefacts whose record disagrees, and files of no planned job.

    Returns a line for each deletion. A missing artefact is the one reason to run that no tool can overlook.
    """
    root = Layout(study.study).folder(phase)
    if phase == "report" or not root.is_dir():
        return []
    refuse_blind_spots(study)
    planned, misfits, lines = jobs(study, phase), stale(study, phase), []
    for each in planned:
        record = recorded(each.record)
        reason = misfits.get(each.record) or (_altered(each, record) if record else None)
        if reason:
            lines.append(f"{each.name}: removed, {reason}")
            for path in (*each.outputs.values(), each.record):
                path.unlink(missing_ok=True)
    kept = {path for each in planned for path in (*each.outputs.values(), each.record)}
    kept_folders = {path.parent for path in kept if path.parent.name == "_inception"}  # the weights lie beside their marker
    for path in sorted(root.rglob("*")):
        if path.is_file() and path not in kept and path.parent not in kept_folders and path.name != ".gitignore":
            lines.append(f"{path}: removed, no job of the study makes it")
            path.unlink()
    for folder in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            shutil.rmtree(folder)
    return lines


def refuse_blind_spots(study: Study) -> None:
    """Refuse artefacts that are links: who writes to one writes into DVC's cache, and a copy of one gets a new date.

    Raises UserError naming the first.
    """
    paths = (path for phase in PHASES[:-1] for each in jobs(study, phase) for path in (*each.outputs.values(), each.record))
    for path in (*paths, *Path(".snakemake/metadata").rglob("*")):
        if path.is_symlink() or (path.exists() and path.stat().st_nlink > 1):
            raise UserError(
                f"{path}: is a link into a cache, where results could be overwritten; "
                "`dvc config --local cache.type reflink,copy` and `dvc checkout --relink` make copies of all"
            )


def require(study: Study, wanted: Iterable[Job] | None = None) -> None:
    """Refuse artefacts that do not fit the study: all, or those that the wanted jobs read. Raises UserError."""
    read = None if wanted is None else {path for each in wanted for path in each.inputs.values()}
    misfits = stale(study)
    for each in (each for phase in PHASES[:-1] for each in jobs(study, phase)):
        if read is None or read & set(each.outputs.values()):
            reason = misfits.get(each.record)
            if reason:
                raise UserError(
                    f"{each.record.parent}: {reason}; `sagan-div prune {phase_of(each.kind)}` removes what does not fit"
                )


def done(study: Study, each: Job) -> bool:
    """Whether a job's artefacts are all there and fit the study; one that only says why there are none is not done."""
    found = recorded(each.record)
    whole = found is not None and "why" not in found and all(path.exists() for path in each.outputs.values())
    return whole and each.record not in stale(study)


def missing(each: Job) -> str | None:
    """A line about the first input that is not there, with the command that makes it."""
    makers = {
        "statistics": "reference",
        "images": "data",
        "labels": "data",
        "best": "train",
        "last": "train",
        "samples": "sample",
    }
    for name, path in each.inputs.items():
        if not path.exists():
            return f"{path}: is missing; run `sagan-div {makers.get(name.split('_')[-1], name)}` first"
    return None


def record(each: Job, about: dict[str, Any]) -> None:
    """Write the record of a finished job: its settings, the digests of what it read and wrote, and `about` it."""
    inputs, outputs = ({name: files.sha256(path) for name, path in paths.items()} for paths in (each.inputs, each.outputs))
    content = {
        "job": each.name,
        "settings": plain(each.settings),
        "code": sources(each.kind),
        "inputs": inputs,
        "outputs": outputs,
    }
    files.write_text(each.record, json.dumps(content | about, indent=1, sort_keys=True) + "\n")


def told(kind: str, text: str) -> Settings:
    """The settings that a rule hands over as JSON. Raises UserError."""
    try:
        value = json.loads(text)
    except ValueError:
        raise UserError(f"--settings: not valid JSON: {text[:60]}") from None
    result: Settings = read(SETTINGS[kind], value, "--settings")
    return result
