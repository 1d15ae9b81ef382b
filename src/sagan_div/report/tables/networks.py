"""Table 1 for every method: a row for each layer of generator and critic, as they are built."""

import pandas as pd

from sagan_div.report import architecture, paper, prose, words
from sagan_div.report.architecture import Block, Network, Networks
from sagan_div.report.gather import Results
from sagan_div.report.tables.table import Table, Value, columns, numeric

LAYERS = ("network", "layer", "output", "kernel", "stride", "padding", "spectral norm", "norm", "attention")


def table(results: Results, networks: Networks) -> Table:
    """Every distinct network once; a column says for how many channels it is where the datasets differ in that."""
    several, rows = len(networks) > 1, {}
    for channels, method, network in _each(results, networks):
        lead = (Value(paper.label(method)), *([Value(str(channels), channels)] if several else []))
        for number, block in enumerate(architecture.rows(network), start=1):
            rows[f"{channels}/{method}/{network.title}/{number}"] = (*lead, *_row(network, number, block))
    heads = ("method", *(["channels"] if several else []), *LAYERS, "parameters", "MFLOP/image")
    plain = [[value.text if value.sort is None else value.sort for value in row] for row in rows.values()]
    notes = [_against_paper(results, networks), "SN on an attention means spectral norm on its 1×1 convolutions as well."]
    notes += [words.sentence(f"the images are {prose.images(results)}")] if several else []
    title = "Table 1 for each method: its networks, layer by layer"
    return Table("table1", title, tuple(notes), "", columns(heads), rows, {}, pd.DataFrame(plain, columns=heads))


def _each(results: Results, networks: Networks) -> list[tuple[int, str, Network]]:
    """Channels, method and network of all there are, methods in the order of the tables."""
    pairs = [(channels, method, found[method]) for channels, found in networks.items() for method in results.methods]
    return [(channels, method, network) for channels, method, pair in pairs for network in pair]


def _row(network: Network, number: int, block: Block) -> tuple[Value, ...]:
    attention = f"{block.attention}{' + SN' if block.attention_spectral else ''}" if block.attention else words.number(None)
    return (
        Value(network.title.lower()),
        Value(str(number), number),
        Value("×".join(map(str, block.output))),
        *(Value(str(count), count) for count in (block.kernel, block.stride, block.padding)),
        Value("SN" if block.spectral else words.number(None)),
        Value(block.norm or words.number(None)),
        Value(attention),
        numeric(block.parameters),
        numeric(block.megaflops, 2),
    )


def _against_paper(results: Results, networks: Networks) -> str:
    """Whether the networks are those of the paper's Table 1, by their blocks' shapes."""
    printed = {name: [tuple(row) for row in rows] for name, rows in paper.facts()["layers"].items()}
    every = [network for _, _, network in _each(results, networks)]
    if all([_as_printed(block) for block in architecture.rows(each)] == printed[each.title] for each in every):
        return "Kernels, strides, padding and outputs of every method are those of the paper’s Table 1."
    size = f"{results.study.image_size}×{results.study.image_size} pixels and width {results.study.width}"
    return f"The paper’s Table 1 is for 64×64 pixels and width 64; these networks are for {size}."


def _as_printed(block: Block) -> tuple[int, int, int, str | int]:
    """A block as the paper prints it, the images' channels as C."""
    channels, *size = block.output
    last = ["C" if size == [64, 64] else str(channels), *map(str, size)]
    return block.kernel, block.stride, block.padding, "x".join(last) if size else channels
