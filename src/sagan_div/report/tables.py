"""The paper's tables beside ours, further measures, and the cells: results -> tables for readers and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sagan_div.report import architecture, gather, paper, prose
from sagan_div.report.architecture import Block, Network
from sagan_div.report.gather import CELL, NOT_RUN, Results

Networks = dict[str, tuple[Network, Network]]  # method -> generator and critic


@dataclass(frozen=True)
class Value:
    """An entry of a table: what it says, what it sorts by, whether it is its column's best, and whose runs it comes from."""

    text: str
    sort: float | None = None
    best: bool = False
    source: tuple[str, str] | None = None


@dataclass(frozen=True)
class Column:
    """A column: its group (a dataset), its head, and whether the paper printed it."""

    group: str
    head: str
    paper: bool = False


@dataclass(frozen=True)
class Table:
    """A table for readers, and the same numbers as a tidy frame for programs.

    `rows` by method (of the cells by path), `foot` by what it says. `caution`: what the table must not be read as.
    """

    name: str
    title: str
    notes: tuple[str, ...]
    caution: str
    columns: tuple[Column, ...]
    rows: dict[str, tuple[Value, ...]]
    foot: dict[str, tuple[Value, ...]]
    tidy: pd.DataFrame

    @property
    def grouped(self) -> bool:
        """Whether columns are grouped by dataset and rows named after methods; else rows say themselves what they are of."""
        return any(column.group for column in self.columns)


@dataclass(frozen=True)
class Measure:
    """A score beside the FID: its key in the scores, its head, and the factor that it is shown with."""

    key: str
    head: str
    factor: float = 1.0


MEASURES = {  # by the study's name of the metric
    "fid-infinity": (Measure("fid_infinity", "FID∞"),),
    "kid": (Measure("kid", "KID × 1000", 1000.0),),
    "is": (Measure("is", "IS"),),
    "memorisation": (Measure("memorised", "near copies, %", 100.0), Measure("nearer", "P(nearer)")),
    "prdc": tuple(Measure(name, name) for name in ("precision", "recall", "density", "coverage")),
}

FLOORS = {"floor": "perfect generator, by formula", "floor_measured": "perfect generator, measured"}


def all_tables(results: Results, networks: Networks) -> dict[str, Table]:
    """Every table of `catalogue.tables`."""
    further = [measure_table(results)] if set(results.study.score.metrics) - {"fid"} else []
    scores = (*score_tables(results), *further, floor_table(results), selection_table(results), cell_table(results))
    return {table.name: table for table in (network_table(results, networks), *scores)}


LAYERS = ("method", "network", "layer", "output", "kernel", "stride", "padding", "spectral norm", "norm", "attention")


def network_table(results: Results, networks: Networks) -> Table:
    """Table 1 for every method: a row for each layer of generator and critic, as they are built."""
    blocks = {
        (method, network.title, number): architecture.block(layers)
        for method in results.methods
        for network in networks[method]
        for number, layers in enumerate(network.blocks, start=1)
    }
    rows = {"/".join(map(str, key)): _layer_row(*key, block) for key, block in blocks.items()}
    heads = (*LAYERS, "parameters", "MFLOP/image")
    plain = [[value.text if value.sort is None else value.sort for value in row] for row in rows.values()]
    notes = (_against_table_1(results, networks), "SN on an attention means spectral norm on its 1×1 convolutions as well.")
    title = "Table 1 for each method: its networks, layer by layer"
    tidy = pd.DataFrame(plain, columns=heads)
    return Table("table1", title, notes, "", tuple(Column("", head) for head in heads), rows, {}, tidy)


def _layer_row(method: str, network: str, number: int, block: Block) -> tuple[Value, ...]:
    attention = f"{block.attention}{' + SN' if block.attention_spectral else ''}" if block.attention else prose.number(None)
    return (
        Value(paper.label(method)),
        Value(network.lower()),
        Value(str(number), number),
        Value("×".join(map(str, block.output))),
        *(Value(str(count), count) for count in (block.kernel, block.stride, block.padding)),
        Value("SN" if block.spectral else prose.number(None)),
        Value(block.norm or prose.number(None)),
        Value(attention),
        _numeric(block.parameters),
        _numeric(block.megaflops, 2),
    )


def _against_table_1(results: Results, networks: Networks) -> str:
    """Whether the networks are those of the paper's Table 1, by their blocks' shapes."""
    printed = {name: [tuple(row) for row in rows] for name, rows in paper.facts()["layers"].items()}
    every = [network for method in results.methods for network in networks[method]]
    if all([_as_printed(architecture.block(layers)) for layers in each.blocks] == printed[each.title] for each in every):
        return "Kernels, strides, padding and outputs of every method are those of the paper’s Table 1."
    size = f"{results.study.image_size}×{results.study.image_size} pixels and width {results.study.width}"
    return f"The paper’s Table 1 is for 64×64 pixels and width 64; these networks are for {size}."


def _as_printed(block: Block) -> tuple[int, int, int, str | int]:
    """A block as the paper prints it, the images' channels as C."""
    channels, *size = block.output
    last = ["C" if size == [64, 64] else str(channels), *map(str, size)]
    return block.kernel, block.stride, block.padding, "x".join(last) if size else channels


def score_tables(results: Results) -> tuple[Table, ...]:
    """Tables 2 and 3; a method that the paper does not know joins Table 2."""
    known = {method for table in paper.tables() for method in table.rows}
    own = [method for method in results.methods if method not in known]
    second, third = paper.tables()
    rows = {second.name: [*second.rows, *own], third.name: list(third.rows)}
    return tuple(_score_table(results, table.name, _title(table), rows[table.name]) for table in (second, third))


def overview(results: Results) -> Table:
    """All methods in one table, in the study's order."""
    return _score_table(results, "overview", "FID by method", results.methods)


def _title(table: paper.PaperTable) -> str:
    return f"The methods of the paper’s Table {table.number}: {table.title}"


def _score_table(results: Results, name: str, title: str, methods: Sequence[str]) -> Table:
    methods = [method for method in methods if method in results.methods]
    columns, filled = [], []
    for dataset in results.datasets:
        for column, values in _dataset_columns(results, dataset, methods):
            columns.append(column)
            filled.append(values)
    rows = {method: tuple(values[method] for values in filled) for method in methods}
    floors = {label: tuple(values[kind] for values in filled) for kind, label in FLOORS.items()}
    foot = {label: row for label, row in floors.items() if any(value.sort is not None for value in row)}
    return Table(
        name, title, _notes(results), prose.against_paper(results), tuple(columns), rows, foot, _tidy(results, methods)
    )


def _dataset_columns(results: Results, dataset: str, methods: Sequence[str]) -> list[tuple[Column, dict[str, Value]]]:
    group = paper.dataset_label(dataset)
    found = [
        (Column(group, prose.SPACES[extractor]), _ours(results, dataset, methods, extractor))
        for extractor in results.extractors or results.study.score.extractors[-1:]
    ]
    if paper.covers(dataset):
        found.append((Column(group, "paper (Inception)", paper=True), _theirs(dataset, methods)))
    return found


def _ours(results: Results, dataset: str, methods: Sequence[str], extractor: str) -> dict[str, Value]:
    fids = {method: results.fids(dataset, method, extractor) for method in methods}
    means = {method: float(values.mean()) for method, values in fids.items() if len(values)}
    least, planned = min(means.values(), default=None), len(results.study.seeds)
    entries = {}
    for method, values in fids.items():
        text = spread(values, planned) if method in means else _why(results, dataset, method)
        entries[method] = Value(text, means.get(method), method in means and means[method] == least, (dataset, method))
    floors = {kind: results.floor(dataset, extractor, kind) for kind in FLOORS}
    return entries | {kind: Value(prose.number(floor), floor) for kind, floor in floors.items()}


def spread(values: pd.Series, planned: int) -> str:
    """`mean ± standard deviation`, the one value there is, or a dash; with n where it is not the study's number of seeds."""
    mean, several = prose.number(float(values.mean())), len(values) > 1
    text = f"{mean} ± {prose.number(float(values.std()))}" if several else mean
    return text if len(values) in (0, planned) else f"{text} (n = {len(values)})"


def _why(results: Results, dataset: str, method: str) -> str:
    states = results.runs.query("dataset == @dataset and method == @method")["state"]
    if (states == "scored").any():
        return "not measured"
    return NOT_RUN if (states == NOT_RUN).all() else "not scored"


def _theirs(dataset: str, methods: Sequence[str]) -> dict[str, Value]:
    printed = {method: paper.fid(dataset, method) for method in methods}
    least = min((value for value in printed.values() if value is not None), default=None)
    entries = {method: Value(prose.number(fid, 4), fid, fid is not None and fid == least) for method, fid in printed.items()}
    return entries | dict.fromkeys(FLOORS, Value(prose.number(None)))


def _notes(results: Results) -> tuple[str, ...]:
    lines = [f"Fréchet distance (FID), lower is better: {_over_seeds(results)}."]
    lines += [
        f"{prose.SPACES[extractor].capitalize()}: {prose.comparison(results, extractor)}." for extractor in results.extractors
    ]
    return (*lines, f"Ours: {prose.conditions(results)}.")


def _over_seeds(results: Results) -> str:
    seeds = len(results.study.seeds)
    several = f"mean ± standard deviation over n = {seeds} training seeds where no other n is given"
    return several if seeds > 1 else "one training run each, so without spread"


def _tidy(results: Results, methods: Sequence[str]) -> pd.DataFrame:
    names = ["dataset", "method", "extractor", "fid", "fid_std", "n", "floor", "paper_fid_inception"]
    rows = [_tidy_row(results, d, m, e) for d in results.datasets for m in methods for e in results.study.score.extractors]
    return pd.DataFrame(rows, columns=names)


def _tidy_row(results: Results, dataset: str, method: str, extractor: str) -> tuple[object, ...]:
    values = results.fids(dataset, method, extractor)
    mean, deviation = (values.mean(), values.std()) if len(values) else (None, None)
    return (
        dataset,
        method,
        extractor,
        mean,
        deviation,
        len(values),
        results.floor(dataset, extractor),
        paper.fid(dataset, method),
    )


def measure_table(results: Results) -> Table:
    """Everything that is measured beside the FID: a row per dataset, method and feature space, mean ± standard deviation."""
    wanted = results.study.score
    measures = [measure for metric, entries in MEASURES.items() if metric in wanted.metrics for measure in entries]
    measures += [Measure(f"fid_repeated_{count}", f"FID, {count} repeated") for count in wanted.repeat_last_batch]
    keys = [(d, m, e) for e in results.extractors for d in results.datasets for m in results.methods]
    groups = {key: _scores_of(results, *key) for key in keys}
    heads = ["dataset", "method", "features", *(measure.head for measure in measures)]
    rows = {"/".join(key): _measure_row(results, key, group, measures) for key, group in groups.items() if len(group)}
    tidy = [[*key, len(group), *_moments(group, measures)] for key, group in groups.items()]
    names = ["dataset", "method", "extractor", "n", *(f"{measure.key}{end}" for measure in measures for end in ("", "_std"))]
    notes = (
        "FID∞: extrapolated to endless samples. KID: kernel distance, lower is better. IS: Inception score by the network "
        "named, higher is better. Precision, recall, density, coverage: higher is better.",
        "Near copies: samples nearer to a training image than all but 1 % of held-out images are; 1 % where nothing is copied. "
        "P(nearer): the chance that a sample is nearer to its training image than a held-out image is to its own, then 0.5.",
        prose.sentence(f"{_over_seeds(results)} · {prose.conditions(results)}"),
    )
    columns = tuple(Column("", head) for head in heads)
    return Table("measures", "Other measures", notes, "", columns, rows, {}, pd.DataFrame(tidy, columns=names))


def _scores_of(results: Results, dataset: str, method: str, extractor: str) -> pd.DataFrame:
    rows = results.scores.query("dataset == @dataset and method == @method and extractor == @extractor")
    return rows.dropna(subset=["fid", "count"], how="all")


def _values(group: pd.DataFrame, measure: Measure) -> pd.Series:
    return group[measure.key].dropna().astype(float) if measure.key in group else pd.Series(dtype=float)


def _moments(group: pd.DataFrame, measures: Sequence[Measure]) -> list[float]:
    return [number for measure in measures for number in (_values(group, measure).mean(), _values(group, measure).std())]


def _measure_row(
    results: Results, key: tuple[str, str, str], group: pd.DataFrame, measures: Sequence[Measure]
) -> tuple[Value, ...]:
    dataset, method, extractor = key
    names = (paper.dataset_label(dataset), paper.label(method), prose.SPACES[extractor])
    sources = (None, (dataset, method), None)
    scaled = (_values(group, measure) * measure.factor for measure in measures)
    return (
        *(Value(name, source=source) for name, source in zip(names, sources, strict=True)),
        *(Value(spread(values, len(results.study.seeds)), _sort(values.mean())) for values in scaled),
    )


def floor_table(results: Results) -> Table:
    """Real images against real ones: a row per dataset, feature space and number of images."""
    keys = ["dataset", "extractor", "images"]
    groups = {str(key): group for key, group in results.floors.groupby(keys, sort=False)}
    heads = ["dataset", "features", "images a side", *prose.FLOORS.values()]
    found = results.floors.groupby([*keys[:2], "pair", "sampler", "images"], sort=False)["fid"]
    tidy = found.agg(fid="mean", fid_std="std", n="count").reset_index()
    draws = results.study.score.real_vs_real.draws
    notes = (
        "Fréchet distance of real images to other real images: what a perfect generator would score. Mean ± standard deviation "
        f"over {draws} pairs of sets that share no image, or n where there are no more.",
        "Stretched and repeated: by the sampler of the author’s public code.",
    )
    columns = tuple(Column("", head) for head in heads)
    rows = {key: _floor_row(group, draws) for key, group in groups.items()}
    return Table("floor", "Real images against real ones", notes, "", columns, rows, {}, tidy)


def _floor_row(group: pd.DataFrame, draws: int) -> tuple[Value, ...]:
    dataset, extractor, images = group.iloc[0][["dataset", "extractor", "images"]]
    kinds = [group[(group["pair"] == pair) & (group["sampler"] == sampler)]["fid"] for pair, sampler in prose.FLOORS]
    return (
        Value(paper.dataset_label(dataset)),
        Value(prose.SPACES[extractor]),
        _numeric(images),
        *(Value(spread(values, draws), _sort(values.mean())) for values in kinds),
    )


def selection_table(results: Results) -> Table:
    """What choosing the best rating is worth: that rating, and those of the best and the last generator by fresh latents."""
    found = gather.ratings(results)
    heads = ("dataset", "method", "best, as selected", "best, fresh latents", "± of one model", "last, fresh latents")
    groups = {
        f"{dataset}/{method}": found[(found["dataset"] == dataset) & (found["method"] == method)]
        for dataset in results.datasets
        for method in results.methods
    }
    rows = {key: _selection_row(results, group) for key, group in groups.items() if len(group)}
    notes = (
        "The rating that chose a run’s best generator is the least of many, on latents that all ratings of the run share, so "
        "it flatters; fresh latents do not know of the choice. FID in classifier features; ±: Student’s t interval at 95 % "
        "over independent draws for one model, mean over seeds.",
        prose.sentence(f"{_over_seeds(results)} · {prose.conditions(results)}"),
    )
    columns = tuple(Column("", head) for head in heads)
    return Table("selection", "What the choice of the best generator is worth", notes, "", columns, rows, {}, found)


def _selection_row(results: Results, group: pd.DataFrame) -> tuple[Value, ...]:
    dataset, method = group.iloc[0][["dataset", "method"]]
    ratings = (group[name] for name in ("selected", "best", "last"))
    selected, best, last = (Value(spread(each, len(results.study.seeds)), _sort(each.mean())) for each in ratings)
    within = _numeric(group["best_within"].mean(), 2)
    named = Value(paper.dataset_label(dataset)), Value(paper.label(method), source=(dataset, method))
    return (*named, selected, best, within, last)


def cell_table(results: Results) -> Table:
    """A row for each cell of the study: its scores, what was kept, and what it cost."""
    fids = [Column("", f"FID, {prose.SPACES[extractor]}") for extractor in results.extractors]
    before, after = (
        [Column("", head) for head in heads]
        for heads in (("dataset", "method", "seed", "state"), ("kept at image", "images/s", "time", "device-hours", "device"))
    )
    wide = _wide(results)
    rows = {"/".join(map(str, row[CELL])): _cell_row(row, results.extractors) for _, row in wide.iterrows()}
    notes = (f"{prose.sentence(prose.conditions(results))}", prose.cost(results))
    return Table("cells", "Every cell of the study", notes, "", (*before, *fids, *after), rows, {}, wide.convert_dtypes())


def _wide(results: Results) -> pd.DataFrame:
    """A row per cell of the study, its scores beside it as `metric_extractor`."""
    scored = results.scores.drop(columns=["noise"]).pivot(index=CELL, columns="extractor").dropna(axis=1, how="all")
    scored.columns = pd.Index(["_".join(map(str, pair)) for pair in scored.columns])
    return results.runs.drop(columns=["steady"]).merge(scored.reset_index(), on=CELL, how="left")


def _cell_row(row: pd.Series, extractors: Sequence[str]) -> tuple[Value, ...]:
    return (
        Value(paper.dataset_label(row["dataset"])),
        Value(paper.label(row["method"]), source=(row["dataset"], row["method"])),
        Value(str(row["seed"]), row["seed"]),
        Value(row["state"]),
        *(_numeric(row[f"fid_{extractor}"], 2) for extractor in extractors),
        _numeric(row["best_images"]),
        _numeric(row["images_per_second"]),
        Value(prose.duration(row["seconds"]), _sort(row["seconds"])),
        _numeric(row["device_hours"], 2),
        Value(row["device"] if isinstance(row["device"], str) else prose.number(None)),
    )


def _numeric(value: float, decimals: int = 0) -> Value:
    return Value(prose.number(value, decimals), _sort(value))


def _sort(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
