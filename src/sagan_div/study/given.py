"""What each job is given of a study: how the settings of a kind follow from the study and the wildcards."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sagan_div.contents import digest
from sagan_div.study.datasets import FolderConfig
from sagan_div.study.job_settings import (
    CellSettings,
    ClassifierSettings,
    DataSettings,
    RealVsRealSettings,
    ReferenceSettings,
    SampleSettings,
    ScoreSettings,
    TrainSettings,
    WeightsSettings,
)
from sagan_div.study.schema import Extractor, Study, space

Wildcards = Mapping[str, Any]  # dataset, method, seed, extractor


@cache
def contents(folder: FolderConfig) -> str:
    """The digest of a folder's images, taken once a process."""
    return digest(folder.place)


def weights(study: Study, wildcards: Wildcards) -> WeightsSettings:
    return WeightsSettings(extractor="inception")


def data(study: Study, wildcards: Wildcards) -> DataSettings:
    dataset = next(each for each in study.datasets if each.name == wildcards["dataset"])
    return DataSettings(dataset=dataset, contents=None if dataset.folder is None else contents(dataset.folder))


def classifier(study: Study, wildcards: Wildcards) -> ClassifierSettings:
    return ClassifierSettings(dataset=wildcards["dataset"], image_size=study.image_size, classifier=study.classifier)


def _space(study: Study, wildcards: Wildcards) -> Extractor:
    return next(each for each in study.score.extractors if space(each) == wildcards["extractor"])


def reference(study: Study, wildcards: Wildcards) -> ReferenceSettings:
    return ReferenceSettings(
        dataset=wildcards["dataset"],
        image_size=study.image_size,
        extractor=_space(study, wildcards),
        mode=study.score.mode,
        reference=study.score.reference,
        rating_count=study.train.rating_count,
        repeat_last_batch=study.score.repeat_last_batch,
    )


def real_vs_real(study: Study, wildcards: Wildcards) -> RealVsRealSettings:
    return RealVsRealSettings(
        dataset=wildcards["dataset"],
        image_size=study.image_size,
        extractor=_space(study, wildcards),
        real_vs_real=study.score.real_vs_real,
        rating_count=study.train.rating_count,
    )


def cell(study: Study, wildcards: Wildcards) -> CellSettings:
    return CellSettings(**_cell(wildcards))


def _cell(wildcards: Wildcards) -> dict[str, Any]:
    return {"dataset": wildcards["dataset"], "method": wildcards["method"], "seed": int(wildcards["seed"])}


def train(study: Study, wildcards: Wildcards) -> TrainSettings:
    recipe = study.methods[wildcards["method"]].model_copy(update={"select": None})  # what is sampled is no matter of training
    return TrainSettings(
        **_cell(wildcards),
        image_size=study.image_size,
        width=study.width,
        latent=study.latent,
        recipe=recipe,
        train=study.train,
    )


def sample(study: Study, wildcards: Wildcards) -> SampleSettings:
    select = study.methods[wildcards["method"]].select or study.sample.select
    return SampleSettings(**_cell(wildcards), sample=study.sample.model_copy(update={"select": select}))


def score(study: Study, wildcards: Wildcards) -> ScoreSettings:
    score = study.score
    return ScoreSettings(
        **_cell(wildcards),
        extractors=score.extractors,
        mode=score.mode,
        metrics=score.metrics,
        repeat_last_batch=score.repeat_last_batch,
    )
