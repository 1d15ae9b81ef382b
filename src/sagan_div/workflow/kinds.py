"""Every kind of job, each declared once: rules, commands, DVC's stages, staleness, prune and documents read it from here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagan_div.settings import Settings
from sagan_div.study import given, metrics
from sagan_div.study.datasets import DatasetConfig
from sagan_div.study.given import Wildcards
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
from sagan_div.study.schema import Extractor, Study, TorchScriptConfig, space
from sagan_div.workflow.layout import Layout

Paths = dict[str, Path]
CELL = ("dataset", "method", "seed")
SPACE = ("dataset", "extractor")
WITHOUT_INCEPTION = "SAGAN_DIV_WEIGHTS_OPTIONAL"  # in the environment: go on where its weights cannot be had
REGISTRIES = ("losses", "models/norms", "models/attention")  # a module for each entry


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What all jobs of a kind have in common; `rule` is the one of the workflow that does them.

    `work` is the module whose function `work(job, machine)` does one; `chosen` names the modules beyond its imports that a
    job's settings choose (of losses, norms, attention forms, metrics), `choices` all that there are. `options` are those of
    its command; `needs` says whether a study has such jobs at all.
    """

    name: str
    phase: str
    rule: str
    about: str
    settings: type[Settings]
    wildcards: tuple[str, ...]
    from_study: Callable[[Study, Wildcards], Settings]
    inputs: Callable[[Layout, Any], Paths] = lambda layout, settings: {}
    outputs: Callable[[Layout], Paths]
    record: Callable[[Layout], Path]
    work: str
    chosen: Callable[[Any], tuple[str, ...]] = lambda settings: ()
    choices: Callable[[], tuple[str, ...]] = lambda: ()
    options: tuple[str, ...] = ("device", "threads")
    needs: Callable[[Study], bool] = lambda study: True

    @property
    def command(self) -> str:
        return self.name.replace("_", "-")


def _space_inputs(layout: Layout, settings: ReferenceSettings | RealVsRealSettings) -> Paths:
    """Images, and the network of one feature space alone."""
    images = {f"{split}_images": layout.images(split) for split in ("train", "test")}
    return images | _network(layout, settings.extractor)


def _network(layout: Layout, extractor: Extractor) -> Paths:
    if isinstance(extractor, TorchScriptConfig):
        return {f"{extractor.name}_network": Path(extractor.file.replace("{", "{{").replace("}", "}}"))}  # braces are wildcards
    return {"weights": layout.weights} if extractor == "inception" else {"classifier": layout.classifier}


def _score_inputs(layout: Layout, settings: ScoreSettings) -> Paths:
    inputs = {"samples": layout.cell("sample", "samples.npz"), "classifier": layout.classifier}
    for extractor in settings.extractors:
        name = space(extractor)
        inputs[f"{name}_statistics"] = Path(str(layout.statistics).replace("{extractor}", name))
        inputs |= _network(layout, extractor)
    return inputs


def _architecture(settings: TrainSettings) -> tuple[str, ...]:
    """The loss, norms and attention form that a method's settings choose."""
    generator, critic = settings.recipe.generator, settings.recipe.critic
    norms = (f"sagan_div.models.norms.{norm}" for norm in {generator.norm, critic.norm} - {"none"})
    attention = () if generator.attention == "none" else (f"sagan_div.models.attention.{generator.attention}",)
    return (type(settings.recipe.loss).__module__, *sorted(norms), *attention)


def _architectures() -> tuple[str, ...]:
    """Every loss, norm and attention form that there is."""
    package = Path(__file__).resolve().parent.parent
    found = (path for folder in REGISTRIES for path in sorted((package / folder).glob("*.py")) if path.stem != "__init__")
    return tuple(".".join(("sagan_div", *path.relative_to(package).with_suffix("").parts)) for path in found)


def _modules(found: Iterable[metrics.Metric]) -> tuple[str, ...]:
    return tuple(metric.module for metric in found)


def _cell_outputs(phase: str, **names: str) -> Callable[[Layout], Paths]:
    return lambda layout: {name: layout.cell(phase, file) for name, file in names.items()}


def _cell_record(phase: str) -> Callable[[Layout], Path]:
    return lambda layout: layout.cell(phase, "record.json")


DATA = Kind(
    name="data",
    phase="data",
    rule="fetch_data",
    about="Fetch a dataset, verify it, decode it to uint8 arrays.",
    settings=DataSettings,
    wildcards=("dataset",),
    from_study=given.data,
    outputs=Layout.splits,
    record=lambda layout: layout.data / "{dataset}" / "record.json",
    work="sagan_div.phases.data",
    options=("mirror",),
)
WEIGHTS = Kind(
    name="weights",
    phase="reference",
    rule="fetch_weights",
    about="Fetch the published weights of pytorch-fid's Inception network and verify them.",
    settings=WeightsSettings,
    wildcards=(),
    from_study=given.weights,
    outputs=lambda layout: {"weights": layout.weights},
    record=lambda layout: layout.weights.with_name("record.json"),
    work="sagan_div.phases.weights",
    options=("mirror", "optional"),
    needs=lambda study: "inception" in study.score.extractors,
)
CLASSIFIER = Kind(
    name="classifier",
    phase="reference",
    rule="train_classifier",
    about="Train a dataset's domain classifier: a feature space beside Inception's.",
    settings=ClassifierSettings,
    wildcards=("dataset",),
    from_study=given.classifier,
    inputs=lambda layout, settings: layout.splits(),
    outputs=lambda layout: {"classifier": layout.classifier},
    record=lambda layout: layout.reference("domain-classifier.record.json"),
    work="sagan_div.phases.classifier",
)
REFERENCE = Kind(
    name="reference",
    phase="reference",
    rule="reference_statistics",
    about="Compute the statistics of real images that samples are compared with.",
    settings=ReferenceSettings,
    wildcards=SPACE,
    from_study=given.reference,
    inputs=_space_inputs,
    outputs=lambda layout: {"statistics": layout.statistics},
    record=lambda layout: layout.reference("{extractor}.record.json"),
    work="sagan_div.phases.reference",
)
REAL_VS_REAL = Kind(
    name="real_vs_real",
    phase="reference",
    rule="real_vs_real",
    about="Score real images against other real ones, for each number of images.",
    settings=RealVsRealSettings,
    wildcards=SPACE,
    from_study=given.real_vs_real,
    inputs=_space_inputs,
    outputs=lambda layout: {"real_vs_real": layout.real_vs_real},
    record=lambda layout: layout.reference("{extractor}.real-vs-real.record.json"),
    work="sagan_div.phases.real_vs_real",
)
TRAIN = Kind(
    name="train",
    phase="train",
    rule="train_cell",
    about="Train a method on a dataset; started again after an interruption, it continues where it was.",
    settings=TrainSettings,
    wildcards=CELL,
    from_study=given.train,
    inputs=lambda layout, settings: {"images": layout.images("train"), "classifier": layout.classifier},
    outputs=_cell_outputs(
        "train", best="best.safetensors", last="last.safetensors", history="history.csv", growth="growth.png"
    ),
    record=_cell_record("train"),
    work="sagan_div.phases.train",
    chosen=_architecture,
    choices=_architectures,
    options=("tensorboard", "dvclive", "state", "device", "threads"),
)
SAMPLE = Kind(
    name="sample",
    phase="sample",
    rule="sample_cell",
    about="Draw images from a trained generator.",
    settings=SampleSettings,
    wildcards=CELL,
    from_study=given.sample,
    inputs=lambda layout, settings: {name: layout.cell("train", f"{name}.safetensors") for name in ("best", "last")},
    outputs=_cell_outputs("sample", samples="samples.npz", grid="grid.png"),
    record=_cell_record("sample"),
    work="sagan_div.phases.sample",
)
SCORE = Kind(
    name="score",
    phase="score",
    rule="score_cell",
    about="Score the samples of a cell against real images.",
    settings=ScoreSettings,
    wildcards=CELL,
    from_study=given.score,
    inputs=_score_inputs,
    outputs=_cell_outputs("score", metrics="metrics.json"),
    record=_cell_record("score"),
    work="sagan_div.phases.score",
    chosen=lambda settings: _modules(metrics.chosen(settings.metrics, settings.repeat_last_batch)),
    choices=lambda: _modules(metrics.chosen(metrics.METRICS, (2,))),
)
REPORT = Kind(
    name="report",
    phase="report",
    rule="report",
    about="Gather the scores into tables, figures and one page, beside the paper's values.",
    settings=Study,
    wildcards=(),
    from_study=lambda study, wildcards: study,
    outputs=lambda layout: {},  # named by the report itself: they follow from the study
    record=lambda layout: layout.report_record,
    work="sagan_div.phases.report",
    options=(),
)

KINDS = {  # in the order in which they can run; the report, which gathers what the others left, is the last
    kind.name: kind
    for kind in (
        DATA,
        WEIGHTS,
        CLASSIFIER,
        REFERENCE,
        REAL_VS_REAL,
        TRAIN,
        SAMPLE,
        SCORE,
        REPORT,
    )
}
PHASES = tuple(dict.fromkeys(kind.phase for kind in KINDS.values()))


def of_phase(phase: str) -> tuple[Kind, ...]:
    """The kinds of job in a phase, in the order in which they can run."""
    return tuple(kind for kind in KINDS.values() if kind.phase == phase)


def wildcards_of(settings: Settings) -> dict[str, Any]:
    """The dataset, method, seed and extractor that a job is about, as far as its settings name them."""
    found = {name: getattr(settings, name) for name in (*CELL, "extractor") if name in type(settings).model_fields}
    return {
        name: value.name if isinstance(value, DatasetConfig | TorchScriptConfig) else value for name, value in found.items()
    }
