"""params.yaml and its overlays -> one validated, typed, frozen Study. The only reader of those files."""

import json
import math
import re
import types
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from sagan_div.errors import UserError
from sagan_div.study.metrics import METRICS

BUILT_IN_DATASETS = ("mnist", "fashion-mnist", "digits")
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")  # names become folders and wildcards


@dataclass(frozen=True)
class Within:
    """The closed interval that a number must lie in."""

    low: float
    high: float = math.inf

    def check(self, value: float, key: str) -> None:
        if not self.low <= value <= self.high:
            span = f"at least {self.low:g}" if self.high == math.inf else f"between {self.low:g} and {self.high:g}"
            raise UserError(f"{key}: {value:g} is out of range; it must be {span}")


Count = Annotated[int, Within(1)]
Rate = Annotated[float, Within(1e-12, 1.0)]
Extractor = Literal["inception", "classifier"]
if TYPE_CHECKING:
    Metric = str
else:
    Metric = Literal[tuple(METRICS)]  # the registry's names
Mode = Literal["fast", "exact"]
Split = Literal["train", "test"]


@dataclass(frozen=True, kw_only=True)
class NonSaturating:
    """Binary cross-entropy with the non-saturating generator loss (DCGAN)."""

    name: Literal["non-saturating"]
    real_label: Annotated[float, Within(0.5, 1.0), "target of real images, and of the generator"]


@dataclass(frozen=True, kw_only=True)
class Hinge:
    """The hinge loss (SNGAN's released configurations, SAGAN)."""

    name: Literal["hinge"]


@dataclass(frozen=True, kw_only=True)
class WassersteinDivergence:
    """The Wasserstein divergence (WGAN-div): k E||grad f||^p at the given points, times the multiplier."""

    name: Literal["wasserstein-divergence"]
    k: Annotated[float, Within(0.0), "weight of the penalty"]
    p: Annotated[float, Within(2.0), "power of the gradient's norm"]
    points: Annotated[Literal["interpolates", "both", "real", "fake"], "where the gradient is taken"]
    multiplier: Annotated[float, Within(0.0), "a further factor on the penalty"]


Loss = NonSaturating | Hinge | WassersteinDivergence


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    norm: Annotated[Literal["none", "batch", "instance"], "after every deconvolution but the last"]
    spectral: Annotated[Literal["none", "hidden", "all"], "deconvolutions with spectral norm; hidden: not the last"]
    attention: Annotated[Literal["none", "sagan", "wang"], "non-local module after every block but the last"]
    attention_spectral: Annotated[bool, "spectral norm on the attention's 1x1 convolutions"]
    bias: Annotated[bool, "biases on the deconvolutions"]


@dataclass(frozen=True, kw_only=True)
class CriticConfig:
    norm: Annotated[Literal["none", "batch", "instance", "layer"], "after the convolutions, never the last"]
    norm_from: Annotated[Literal[1, 2], "the first layer that is normalised"]
    spectral: Annotated[Literal["none", "hidden", "all"], "convolutions with spectral norm; hidden: not the last"]
    slope: Annotated[float, Within(0.0, 1.0), "of the leaky ReLU"]
    bias: Annotated[bool, "biases on the convolutions"]


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig:
    """Adam for both networks."""

    lr_generator: Rate
    lr_critic: Rate
    betas: tuple[Annotated[float, Within(0.0, 0.999999)], Annotated[float, Within(0.0, 0.999999)]]


@dataclass(frozen=True, kw_only=True)
class MethodConfig:
    """A row of the paper's tables as data."""

    loss: Loss
    generator: GeneratorConfig
    critic: CriticConfig
    optimiser: OptimiserConfig
    n_critic: Annotated[Count, "critic steps per generator step"]
    generator_latents: Annotated[Literal["fresh", "same"], "z of the generator step: fresh, or the last critic step's"]
    batch_size: Annotated[Count | None, "instead of train.batch_size"] = None
    select: Annotated[Literal["best", "last"] | None, "instead of sample.select"] = None


@dataclass(frozen=True, kw_only=True)
class DatasetConfig:
    """A built-in dataset, or images in a folder."""

    name: str
    folder: str | None = None

    @classmethod
    def read(cls, value: object, key: str) -> "DatasetConfig":
        if isinstance(value, Mapping) and "name" in value and set(value) <= {"name", "folder"}:  # the form of our own records
            value = {value["name"]: value["folder"]} if "folder" in value else value["name"]
        if isinstance(value, str):
            if value not in BUILT_IN_DATASETS:
                raise UserError(
                    f"{key}: unknown dataset '{value}'; built in are {', '.join(BUILT_IN_DATASETS)}, "
                    f"and a folder of images is written as '{value}: path/to/folder'"
                )
            return cls(name=value)
        if not (isinstance(value, Mapping) and len(value) == 1):
            raise UserError(f"{key}: expected a dataset's name or 'name: path/to/folder', found {_shown(value)}")
        ((name, folder),) = value.items()
        if name in BUILT_IN_DATASETS:
            raise UserError(f"{key}: '{name}' is a built-in dataset; give the folder a name of its own")
        return cls(name=_name(name, key), folder=read(str, folder, f"{key}.{name}"))


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    epochs: Annotated[Count, "passes over the training split"]
    seed: int


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    images: Annotated[Count, "real images that a critic sees over a run"]
    batch_size: Count
    engine: Annotated[Literal["fast", "eager"], "the same numbers but for rounding: with less work, or module by module"]
    precision: Annotated[Literal["float32", "bfloat16"], "of products; bfloat16 needs a processor that has it to be fast"]
    log_rows: Annotated[Count, "rows of history.csv over a run"]
    checkpoints: Annotated[Count, "rows that are rated"]
    rating_count: Annotated[int, Within(2), "images on each side of the rating"]


@dataclass(frozen=True, kw_only=True)
class SampleConfig:
    select: Annotated[Literal["best", "last"], "which generator of the run is sampled and scored"]
    count: Annotated[int, Within(2), "images drawn from each generator"]
    batch_size: Count


@dataclass(frozen=True, kw_only=True)
class ReferenceConfig:
    split: Split
    count: Annotated[int, Within(4), "real images to compare with; all when the split has fewer"]


@dataclass(frozen=True, kw_only=True)
class RealVsRealConfig:
    counts: Annotated[tuple[Annotated[int, Within(2)], ...], "images on each side; counts that a dataset lacks are left out"]
    draws: Annotated[Count, "disjoint pairs of sets, or as many as the dataset has"]


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    extractors: tuple[Extractor, ...]
    mode: Annotated[Mode, "arithmetic of Inception's features and of FID; exact: to the digit that of the pytorch-fid command"]
    reference: ReferenceConfig
    metrics: tuple[Metric, ...]
    repeat_last_batch: Annotated[
        tuple[Annotated[int, Within(2)], ...], "distinct images of the author's sampler, emulated beside the sound one"
    ]
    real_vs_real: RealVsRealConfig


@dataclass(frozen=True, kw_only=True)
class Study:
    """Everything that params.yaml and its overlays say."""

    study: str
    protocol: Literal["text", "code"]
    overlays: tuple[str, ...]
    datasets: tuple[DatasetConfig, ...]
    image_size: Annotated[Literal[16, 32, 64, 128], "pixels; the networks have one block per doubling from 4"]
    width: Annotated[Count, "channels of the critic's first layer and the generator's last block"]
    latent: Count
    seeds: tuple[int, ...]
    methods: dict[str, MethodConfig]
    classifier: ClassifierConfig
    train: TrainConfig
    sample: SampleConfig
    score: ScoreConfig


class _Yaml12(yaml.SafeLoader):
    """SafeLoader that reads 2e-05 as the number it is in YAML 1.2 (PyYAML's 1.1 reads text), and refuses double keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key '{key}' is there twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Yaml12.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:float"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml12.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$"),
    list("-+.0123456789"),
)


def load(
    params: Path, overlays: Sequence[Path] = (), sets: Sequence[str] = (), layer: Mapping[str, Any] | None = None
) -> Study:
    """The study of `params`, with the overlays that it names, then `overlays`, then `layer`, then `sets` laid over it.

    `sets` are `key.sub=value` texts with YAML values; `layer` is Snakemake's config. The overlays that `params` names belong
    to its own study: one of another name starts from `params` alone.
    Raises UserError for an unreadable file, an unknown key or a value of the wrong kind.
    """
    values = _parse(params)
    layers = [*map(_parse, overlays), _retyped(layer or {}), *map(_assignment, sets)]
    asked = ChainMap(*reversed(layers))
    if asked.get("study", values.get("study")) != values.get("study"):
        values |= {"overlays": []}
    for name in read(tuple[str, ...], asked.get("overlays", values.get("overlays", [])), "overlays"):
        layer_of_record = _parse(params.parent / name)
        layer_of_record.pop("study", None)  # named in params.yaml, it has become part of the study of record
        values = overlay(values, layer_of_record)
    for each in layers:
        values = overlay(values, each)
    return _checked(read(Study, values, ""))


def overlay(base: object, layer: object, key: str = "") -> Any:
    """`layer` laid over `base`: mappings merge key by key, everything else replaces.

    Two conveniences: a list over a mapping keeps the keys that it names (`methods: [dcgan]`),
    and a mapping that changes `name` replaces the whole, since the other keys belong to the old name.
    """
    if isinstance(base, Mapping) and isinstance(layer, Mapping) and layer.get("name", base.get("name")) == base.get("name"):
        merged = {k: overlay(v, layer[k], f"{key}.{k}") if k in layer else v for k, v in base.items()}
        return merged | {k: v for k, v in layer.items() if k not in base}
    if isinstance(base, Mapping) and isinstance(layer, str | list | tuple):
        kept = [layer] if isinstance(layer, str) else layer
        for name in kept:
            if name not in base:
                raise UserError(_unknown(key.strip("."), "entry", name, base))
        return {name: base[name] for name in base if name in kept}
    return layer


def read(kind: Any, value: object, key: str) -> Any:
    """`value` (plain YAML or JSON data) as the type `kind`; `key` names it in the messages. Raises UserError."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        result = read(arguments[0], value, key)
        for mark in arguments[1:]:
            if isinstance(mark, Within) and result is not None:
                mark.check(result, key)
        return result
    if origin in (Union, types.UnionType):
        return _read_union(arguments, value, key)
    if origin is Literal:
        return _read_choice(arguments, value, key)
    if origin is tuple:
        return _read_sequence(arguments, value, key)
    if origin is dict:
        entries = _mapping(value, key)
        return {_name(name, key): read(arguments[1], entry, f"{key}.{name}") for name, entry in entries.items()}
    if hasattr(kind, "read"):
        return kind.read(value, key)
    if is_dataclass(kind):
        return _read_fields(kind, value, key)
    return _read_scalar(kind, value, key)


def canonical(settings: Any) -> str:
    """A settings object as one line of JSON with sorted keys: equal settings give equal text, whatever the YAML."""
    data = asdict(settings, dict_factory=lambda pairs: {k: v for k, v in pairs if v is not None})
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def plain(settings: Any) -> dict[str, Any]:
    """A settings object as JSON's own data, without the keys that were left out."""
    data: dict[str, Any] = json.loads(canonical(settings))
    return data


def _read_fields(kind: Any, value: object, key: str) -> Any:
    entries, known, hints = _mapping(value, key), fields(kind), get_type_hints(kind, include_extras=True)
    names = {field.name for field in known}
    for name in entries:
        if name not in names:
            raise UserError(_unknown(key, "key", name, names))
    for field in known:
        if field.name not in entries and field.default is MISSING:
            raise UserError(f"{_under(key, field.name)}: this key is missing")
    return kind(**{name: read(hints[name], entry, _under(key, name)) for name, entry in entries.items()})


def _read_union(kinds: tuple[Any, ...], value: object, key: str) -> Any:
    if type(None) in kinds:
        (kind,) = (k for k in kinds if k is not type(None))
        return None if value is None else read(kind, value, key)
    by_name = {get_args(get_type_hints(kind)["name"])[0]: kind for kind in kinds}
    name = _read_choice(tuple(by_name), _mapping(value, key).get("name"), _under(key, "name"))
    return read(by_name[name], value, key)


def _read_choice(choices: tuple[Any, ...], value: object, key: str) -> Any:
    for choice in choices:
        if value == choice and type(value) is type(choice):
            return choice
    raise UserError(f"{key}: {_shown(value)} is none of {', '.join(map(str, choices))}{_close(value, map(str, choices))}")


def _read_sequence(kinds: tuple[Any, ...], value: object, key: str) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise UserError(f"{key}: expected a list, found {_shown(value)}")
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(value) != len(kinds):
        raise UserError(f"{key}: expected {len(kinds)} values, found {len(value)}")
    return tuple(read(kind, item, f"{key}[{i}]") for i, (kind, item) in enumerate(zip(kinds, value, strict=True)))


def _read_scalar(kind: Any, value: object, key: str) -> Any:
    if kind is float and isinstance(value, str) and re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", value):
        value = _number(value)  # Snakemake's reader takes 2e-05 for text
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):  # type: ignore[arg-type]
        raise UserError(f"{key}: expected {_KINDS[kind]}, found {_shown(value)}")
    return value


_KINDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


def _checked(study: Study) -> Study:
    _name(study.study, "study")
    named: dict[str, list[Any]] = {
        "datasets": [dataset.name for dataset in study.datasets],
        "seeds": list(study.seeds),
        "methods": list(study.methods),
        "score.extractors": list(study.score.extractors),
    }
    for key, found in named.items():
        if not found:
            raise UserError(f"{key}: the list is empty; name at least one")
        twice = sorted({str(entry) for entry in found if found.count(entry) > 1})
        if twice:
            raise UserError(f"{key}: {twice[0]} is there twice")
    if any(seed < 0 for seed in study.seeds):
        raise UserError(f"seeds: {min(study.seeds)} is negative; seeds are whole numbers from 0")
    if study.train.log_rows % study.train.checkpoints:
        raise UserError(
            f"train.log_rows: {study.train.log_rows} is not a multiple of train.checkpoints ({study.train.checkpoints})"
        )
    return study


def _parse(path: Path) -> dict[str, Any]:
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _Yaml12)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name another with --params or --overlay") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not a text file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise UserError(f"{where}: not valid YAML: {getattr(error, 'problem', None) or error}") from None
    return dict(_mapping({} if values is None else values, str(path)))


def _retyped(value: Any) -> Any:
    """Snakemake's config with numbers and truths where its --config left them as text."""
    if isinstance(value, Mapping):
        return {key: _retyped(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_retyped(entry) for entry in value]
    found = yaml.load(value, _Yaml12) if isinstance(value, str) and re.fullmatch(r"[-+.\w]+", value) else value
    return found if isinstance(found, int | float) else value


def _assignment(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UserError(f"--set {text}: expected key=value, e.g. --set train.images=64000")
    try:
        nested: Any = yaml.load(value, _Yaml12)
    except yaml.YAMLError:
        raise UserError(f"--set {text}: the value is not valid YAML") from None
    for part in reversed(key.split(".")):
        nested = {part: nested}
    return dict(nested)


def _mapping(value: object, key: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UserError(f"{key or 'the study'}: expected keys with values, found {_shown(value)}")
    return value


def _name(value: object, key: str) -> str:
    if not (isinstance(value, str) and NAME.fullmatch(value)):
        raise UserError(f"{key}: {_shown(value)} cannot be a name; use lower-case letters, digits and hyphens")
    return value


def _under(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f"the text '{value}'"
    return "nothing" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(key: str, what: str, name: object, known: Any) -> str:
    return f"{_under(key, str(name))}: unknown {what}{_close(name, known)}; known here: {', '.join(sorted(map(str, known)))}"


def _close(value: object, known: Any) -> str:
    close = get_close_matches(str(value), [str(k) for k in known], n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""
