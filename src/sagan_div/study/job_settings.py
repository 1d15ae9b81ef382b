"""What each kind of job is told: its own parameters and nothing more, so that nothing else can make it stale."""

from dataclasses import dataclass

from sagan_div.study.schema import (
    ClassifierConfig,
    DatasetConfig,
    Extractor,
    MethodConfig,
    Metric,
    Mode,
    RealVsRealConfig,
    ReferenceConfig,
    SampleConfig,
    TrainConfig,
)


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    dataset: DatasetConfig
    contents: str | None = None  # the digest of a folder's files: other images are another dataset


@dataclass(frozen=True, kw_only=True)
class WeightsSettings:
    extractor: Extractor


@dataclass(frozen=True, kw_only=True)
class ClassifierSettings:
    dataset: str
    image_size: int
    classifier: ClassifierConfig


@dataclass(frozen=True, kw_only=True)
class ReferenceSettings:
    dataset: str
    image_size: int
    extractor: Extractor
    mode: Mode
    reference: ReferenceConfig
    repeat_last_batch: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class RealVsRealSettings:
    dataset: str
    image_size: int
    extractor: Extractor
    real_vs_real: RealVsRealConfig


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    dataset: str
    method: str
    seed: int
    image_size: int
    width: int
    latent: int
    recipe: MethodConfig
    train: TrainConfig

    @property
    def batch_size(self) -> int:
        return self.recipe.batch_size or self.train.batch_size


@dataclass(frozen=True, kw_only=True)
class SampleSettings:
    dataset: str
    method: str
    seed: int
    sample: SampleConfig


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    dataset: str
    method: str
    seed: int
    extractors: tuple[Extractor, ...]
    mode: Mode
    metrics: tuple[Metric, ...]
    repeat_last_batch: tuple[int, ...]
