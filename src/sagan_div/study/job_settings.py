"""What a job of each kind is given: its own parameters and nothing more, so that nothing else can make it stale."""

from sagan_div.settings import Settings
from sagan_div.study.datasets import DatasetConfig
from sagan_div.study.schema import (
    ClassifierConfig,
    Extractor,
    MethodConfig,
    Metric,
    Mode,
    RealVsRealConfig,
    ReferenceConfig,
    SampleConfig,
    TrainConfig,
)


class DataSettings(Settings):
    dataset: DatasetConfig
    contents: str | None = None  # the digest of a folder's files: other images are another dataset


class WeightsSettings(Settings):
    extractor: Extractor


class ClassifierSettings(Settings):
    dataset: str
    image_size: int
    classifier: ClassifierConfig


class ReferenceSettings(Settings):
    dataset: str
    image_size: int
    extractor: Extractor
    mode: Mode
    reference: ReferenceConfig
    rating_count: int  # training images that rate generators, and so judge none
    repeat_last_batch: tuple[int, ...]


class RealVsRealSettings(Settings):
    dataset: str
    image_size: int
    extractor: Extractor
    real_vs_real: RealVsRealConfig
    rating_count: int


class CellSettings(Settings):
    """Of a job that needs to know its cell alone."""

    dataset: str
    method: str
    seed: int


class TrainSettings(CellSettings):
    image_size: int
    width: int
    latent: int
    recipe: MethodConfig
    train: TrainConfig

    @property
    def batch_size(self) -> int:
        return self.recipe.batch_size or self.train.batch_size


class SampleSettings(CellSettings):
    sample: SampleConfig


class ScoreSettings(CellSettings):
    extractors: tuple[Extractor, ...]
    mode: Mode
    metrics: tuple[Metric, ...]
    repeat_last_batch: tuple[int, ...]
