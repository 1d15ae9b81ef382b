"""Tables as CSV, Markdown and LaTeX."""

from collections.abc import Callable, Sequence

from sagan_div.report import paper
from sagan_div.report.tables.table import Table, Value


def _remarks(table: Table) -> list[str]:
    glosses = paper.facts()["glosses"]
    named = [f"{paper.label(method)}: {glosses[method]}" for method in table.rows if method in glosses]
    return [*table.notes, *([f"{'; '.join(named)}."] if named else []), *([table.caution] if table.caution else [])]


def as_csv(table: Table) -> str:
    return table.tidy.to_csv(index=False, lineterminator="\n")


def as_markdown(table: Table) -> str:
    """A GitHub table; the best of a column is bold."""
    heads = [f"{column.group}: {column.head}".removeprefix(": ") for column in table.columns]
    lead = ["method"] if table.grouped else []
    lines = [_pipe([*lead, *heads]), _pipe([*("---" for _ in lead), *("---:" for _ in heads)])]
    lines += [
        _pipe([*(_lead(table, label)), *(_bold(value, "**{}**") for value in row)])
        for label, row in (table.rows | table.foot).items()
    ]
    return "\n".join([f"### {table.title}", "", *lines, "", *(f"{note}  " for note in _remarks(table))]).rstrip() + "\n"


def _lead(table: Table, name: str) -> list[str]:
    return [paper.label(name)] if table.grouped else []


def _pipe(entries: Sequence[str]) -> str:
    return f"| {' | '.join(entry.replace('|', '/') for entry in entries)} |"


def _bold(value: Value, form: str) -> str:
    return form.format(value.text) if value.best else value.text


ROWS, COLUMNS = 45, 4  # of numbers in one LaTeX table, so that it fits on a page; with more columns it is scaled


def as_latex(table: Table) -> str:
    """`table` environments for booktabs, as many as its rows need; the best of a column is bold.

    A wide table is scaled to the line by graphicx.
    """
    rows = list(table.rows.items())
    parts = [dict(rows[start : start + ROWS]) for start in range(0, len(rows), ROWS)] or [{}]
    made = [_tex_table(table, part, number, len(parts)) for number, part in enumerate(parts, start=1)]
    return "\n".join([f"% needs \\usepackage{{booktabs{',graphicx' if _wide(table) else ''}}}", *made])


def _wide(table: Table) -> bool:
    return len(table.columns) > COLUMNS


def _tex_table(table: Table, rows: dict[str, tuple[Value, ...]], number: int, parts: int) -> str:
    """One environment: the whole table, or one of its parts, of which the last has the foot."""
    lead = ["method"] if table.grouped else []
    heads = [*lead, *(tex(column.head) for column in table.columns)]
    body, foot = (
        [f"    {_tex_row([*map(tex, _lead(table, label)), *map(_tex_value, row)])}" for label, row in entries.items()]
        for entries in (rows, table.foot if number == parts else {})
    )
    caption = " ".join([f"{table.title}.", *_remarks(table)]) if number == 1 else f"{table.title}, continued."
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{tex(caption)}}}",
        rf"  \label{{tab:{table.name}{'' if number == 1 else f'-{number}'}}}",
        *([r"  \resizebox{\linewidth}{!}{%"] if _wide(table) else []),
        rf"  \begin{{tabular}}{{{'l' * len(lead)}{'r' * len(table.columns)}}}",
        r"    \toprule",
        *_tex_groups(table, len(lead)),
        f"    {_tex_row(heads)}",
        r"    \midrule",
        *body,
        *(r"    \midrule" for _ in foot[:1]),
        *foot,
        r"    \bottomrule",
        r"  \end{tabular}" + ("}" if _wide(table) else ""),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _tex_groups(table: Table, offset: int) -> list[str]:
    if not table.grouped:
        return []
    groups = [column.group for column in table.columns]
    names = list(dict.fromkeys(groups))
    starts = [groups.index(name) + offset + 1 for name in names]
    ends = [start + groups.count(name) - 1 for start, name in zip(starts, names, strict=True)]
    spans = [rf"\multicolumn{{{groups.count(name)}}}{{c}}{{{tex(name)}}}" for name in names]
    rules = "".join(rf"\cmidrule(lr){{{start}-{end}}}" for start, end in zip(starts, ends, strict=True))
    return [f"    {_tex_row([*[''] * offset, *spans])}", f"    {rules}"]


def _tex_row(entries: Sequence[str]) -> str:
    return " & ".join(entries) + r" \\"


def _tex_value(value: Value) -> str:
    return _bold(Value(tex(value.text), best=value.best), r"\textbf{{{}}}")


TEX = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}"}
TEX |= {"±": r"$\pm$", "–": "--", "×": r"$\times$", "·": r"$\cdot$", "“": "``", "”": "''", "’": "'", "é": r"\'e", "<": "$<$"}
TEX |= {">": "$>$", "∞": r"$\infty$", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "≤": r"$\le$"}


def tex(text: str) -> str:
    """Text for LaTeX, special characters escaped."""
    return "".join(TEX.get(character, character) for character in text)


RENDERERS: dict[str, Callable[[Table], str]] = {"csv": as_csv, "md": as_markdown, "tex": as_latex}
