"""Real images against real ones: a row per dataset, feature space and number of images."""

import pandas as pd

from sagan_div.report import paper, prose, real_vs_real
from sagan_div.report.gather import Results
from sagan_div.report.tables.table import Table, Value, columns, numeric, sort, spread


def table(results: Results) -> Table:
    """Mean ± standard deviation over pairs of sets that share no image."""
    keys = ["dataset", "extractor", "images"]
    groups = {str(key): group for key, group in results.real_vs_real.groupby(keys, sort=False)}
    heads = ["dataset", "features", "images a side", *prose.REAL_VS_REAL.values()]
    found = results.real_vs_real.groupby([*keys[:2], "pair", "sampler", "images"], sort=False)["fid"]
    tidy = found.agg(fid="mean", fid_std="std", n="count").reset_index()
    draws = results.study.score.real_vs_real.draws
    notes = (
        "Fréchet distance of real images to other real images: what a perfect generator would score. Mean ± standard deviation "
        f"over {draws} pairs of sets that share no image, or n where there are no more.",
        "Stretched and repeated: by the sampler of the author’s public code.",
    )
    rows = {key: _row(group, draws) for key, group in groups.items()}
    return Table("real-vs-real", "Real images against real ones", notes, "", columns(heads), rows, {}, tidy)


def _row(group: pd.DataFrame, draws: int) -> tuple[Value, ...]:
    dataset, extractor, images = group.iloc[0][["dataset", "extractor", "images"]]
    kinds = [group[(group["pair"] == pair) & (group["sampler"] == sampler)]["fid"] for pair, sampler in prose.REAL_VS_REAL]
    source = (dataset, real_vs_real.SOURCE, extractor)
    return (
        Value(paper.dataset_label(dataset)),
        Value(prose.space(extractor)),
        numeric(images),
        *(Value(spread(values, draws), sort(values.mean()), source=source) for values in kinds),
    )
