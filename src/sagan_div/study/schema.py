"""What params.yaml may say: one frozen, strict model per section. Descriptions go into the JSON schema and the reference."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from sagan_div.losses import AnyLoss
from sagan_div.settings import Settings, close, shown
from sagan_div.study.datasets import DatasetConfig, Name
from sagan_div.study.metrics import METRICS

OF_RECORD = "main"  # the study of params.yaml, which lives in results/ itself


def _whole(value: object) -> object:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"expected a whole number, found {shown(value)}")
    return value


def _once(name: Callable[[Any], object] = str) -> AfterValidator:
    """At least one entry, and none twice; `name` tells entries apart."""

    def check(entries: Any) -> Any:
        names = [name(entry) for entry in entries]
        if not names:
            raise ValueError("the list is empty; name at least one")
        twice = [each for place, each in enumerate(names) if each in names[:place]]
        if twice:
            raise ValueError(f"{twice[0]} is there twice")
        return entries

    return AfterValidator(check)


Whole = BeforeValidator(_whole)  # a choice of whole numbers holds no true, which equals 1
Count = Annotated[int, Field(ge=1)]
Size = Annotated[int, Field(ge=2)]
Seed = Annotated[int, Field(ge=0)]
LearningRate = Annotated[float, Field(ge=1e-12, le=1)]
Beta = Annotated[float, Field(ge=0, le=0.999999)]
Mode = Literal["fast", "exact"]
Split = Literal["train", "test"]
Checkpoint = Literal["best", "last"]
Layers = Literal["none", "hidden", "all"]
Biases = Literal["none", "where-no-norm", "all"]
BUILT_IN_SPACES = ("inception", "classifier")
if TYPE_CHECKING:
    Metric = str
else:
    Metric = Literal[tuple(METRICS)]  # the registry's names


class GeneratorConfig(Settings):
    norm: Literal["none", "batch", "instance"] = Field(description="after every deconvolution but the last")
    spectral: Layers = Field(description="deconvolutions with spectral norm; hidden: not the last")
    attention: Literal["none", "sagan", "wang"] = Field(description="non-local module after every block but the last")
    attention_spectral: bool = Field(description="spectral norm on the attention's 1x1 convolutions")
    bias: Biases = Field(description="deconvolutions with biases; where-no-norm: those whose output no norm takes, as the last")


class CriticConfig(Settings):
    norm: Literal["none", "batch", "instance", "layer"] = Field(description="after the convolutions, never the last")
    norm_from: Annotated[Literal[1, 2], Whole] = Field(description="the first layer that is normalised")
    spectral: Layers = Field(description="convolutions with spectral norm; hidden: not the last")
    slope: float = Field(ge=0, le=1, description="of the leaky ReLU")
    bias: Biases = Field(description="convolutions with biases; where-no-norm: those whose output no norm takes, as the last")


class OptimiserConfig(Settings):
    """Adam for both networks."""

    lr_generator: LearningRate
    lr_critic: LearningRate
    betas: tuple[Beta, Beta]


class MethodConfig(Settings):
    """A row of the paper's tables as data."""

    loss: AnyLoss
    generator: GeneratorConfig
    critic: CriticConfig
    optimiser: OptimiserConfig
    n_critic: Count = Field(description="critic steps per generator step")
    generator_latents: Literal["fresh", "same"] = Field(description="z of the generator step: fresh, or the last critic step's")
    batch_size: Count | None = Field(default=None, description="instead of train.batch_size")
    select: Checkpoint | None = Field(default=None, description="instead of sample.select")


class ClassifierConfig(Settings):
    epochs: Count = Field(description="passes over the training split")
    seed: int


class TrainConfig(Settings):
    images: Count = Field(description="real images that a critic sees over a run")
    batch_size: Count
    engine: Literal["fast", "eager"] = Field(
        description="the same numbers but for rounding: with less work, or module by module"
    )
    precision: Literal["float32", "bfloat16"] = Field(
        description="of products; bfloat16 needs a processor that has it to be fast"
    )
    checkpoints: Count = Field(description="rows that are rated")
    log_rows: Count = Field(description="rows of history.csv over a run")
    rating_count: Size = Field(description="training images that rate generators and that no score uses")

    @field_validator("log_rows")
    @classmethod
    def _rated_evenly(cls, rows: int, info: ValidationInfo) -> int:
        checkpoints = info.data.get("checkpoints")
        if checkpoints and rows % checkpoints:
            raise ValueError(f"{rows} is not a multiple of train.checkpoints ({checkpoints})")
        return rows


class SampleConfig(Settings):
    select: Checkpoint = Field(description="which generator of the run is sampled and scored")
    count: Size = Field(description="images drawn from each generator")
    batch_size: Count


class ReferenceConfig(Settings):
    split: Split
    count: int = Field(ge=4, description="real images to compare with; a dataset that has fewer is refused")


class RealVsRealConfig(Settings):
    counts: tuple[Size, ...] = Field(description="images on each side; counts that a dataset lacks are left out")
    draws: Count = Field(description="disjoint pairs of sets, or as many as the dataset has")


def _space_name(value: str) -> str:
    if value in (*BUILT_IN_SPACES, "domain-classifier"):  # the last one names files beside those of spaces
        raise ValueError(f"'{value}' is a name of our own; give this feature space another")
    return value


class TorchScriptConfig(Settings):
    """A feature space of a network in a TorchScript file, which is code: it is loaded if its SHA-256 is this one."""

    name: Annotated[Name, AfterValidator(_space_name)]
    file: str = Field(min_length=1)
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(description="of the file, 64 hexadecimal digits")
    channels: Annotated[Literal[1, 3], Whole] = Field(default=3, description="that it takes; grey images are repeated")
    size: Count | None = Field(default=None, description="pixels that images are resized to (bilinear); none: left as they are")
    range: tuple[float, float] = Field(default=(0.0, 1.0), description="what black and white become")
    mean: tuple[float, ...] | None = Field(default=None, description="of a channel, taken away after that")
    std: tuple[Annotated[float, Field(ge=1e-12)], ...] | None = Field(default=None, description="that is then divided by")
    output: int | str | None = Field(default=None, description="place or key of the features among several outputs")
    arguments: dict[str, bool] = Field(default={}, description="further ones of the network, such as return_features: true")

    @model_validator(mode="after")
    def _fitting(self) -> "TorchScriptConfig":
        if self.range[0] >= self.range[1]:
            raise ValueError(f"the range {shown(self.range)} does not rise; write black first, such as [0, 1]")
        for key, values in (("mean", self.mean), ("std", self.std)):
            if values is not None and len(values) not in (1, self.channels):
                raise ValueError(f"{key} has {len(values)} values for {self.channels} channels; give one, or one for each")
        return self


def _built_in_space(value: object) -> object:
    if value not in BUILT_IN_SPACES:
        known = ", ".join(BUILT_IN_SPACES)
        raise ValueError(
            f"{shown(value)} is none of {known}{close(value, BUILT_IN_SPACES)}, and no mapping of a TorchScript file"
        )
    return value


def _form(value: object) -> str:
    return "torchscript" if isinstance(value, Mapping | TorchScriptConfig) else "built-in"


Extractor = Annotated[
    Annotated[Literal["inception", "classifier"], BeforeValidator(_built_in_space), Tag("built-in")]
    | Annotated[TorchScriptConfig, Tag("torchscript")],
    Discriminator(_form),
]


def space(extractor: Extractor) -> str:
    """The name of a feature space."""
    return extractor.name if isinstance(extractor, TorchScriptConfig) else extractor


class ScoreConfig(Settings):
    extractors: Annotated[tuple[Extractor, ...], _once(space)]
    mode: Mode = Field(
        description="arithmetic of Inception's features and of FID; exact: to the digit that of the pytorch-fid command"
    )
    reference: ReferenceConfig
    metrics: Annotated[tuple[Metric, ...], _once()]
    repeat_last_batch: tuple[Size, ...] = Field(
        description="distinct images of the author's sampler, emulated beside the sound one"
    )
    real_vs_real: RealVsRealConfig

    @property
    def spaces(self) -> tuple[str, ...]:
        """The names of the feature spaces."""
        return tuple(map(space, self.extractors))


class Study(Settings):
    """Everything that params.yaml and its overlays say."""

    study: Name
    protocol: Literal["text", "code", "demo"] = Field(
        description="text: what the paper says; code: what its authors ran; demo: neither, so that a short run shows something"
    )
    datasets: Annotated[tuple[DatasetConfig, ...], _once(lambda dataset: dataset.name)]
    image_size: Annotated[Literal[16, 32, 64, 128], Whole] = Field(
        description="pixels; the networks have one block per doubling from 4"
    )
    width: Count = Field(description="channels of the critic's first layer and the generator's last block")
    latent: Count
    seeds: Annotated[tuple[Seed, ...], _once()]
    methods: Annotated[dict[Name, MethodConfig], _once()]
    classifier: ClassifierConfig
    train: TrainConfig
    sample: SampleConfig
    score: ScoreConfig
