"""A metric is its module and its line in the registry: one more, in a copy of the package, by nothing else."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import ROOT

MODULE = '''\
"""How varied generated features are beside real ones."""

from sagan_div.evaluation.comparison import Comparison


def measure(given: Comparison):
    yield given.fake.var(0).sum() / given.real.var(0).sum()
'''
LINE = """\
        Metric(
            "variety",
            "Variety",
            "sagan_div.evaluation.variety",
            (Key("variety", "variety, %", "higher", 100.0, table=True),),
        ),
"""
SCORE = """\
import json, sys
from pathlib import Path
import numpy as np
from sagan_div import files
from sagan_div.evaluation.comparison import Comparison
from sagan_div.evaluation.frechet import moments
from sagan_div.evaluation.score import score
from sagan_div.study import metrics
from sagan_div.study.load import load

study = load(Path(sys.argv[1]), sets=[f"score.metrics=[fid, {sys.argv[2]}]", "score.repeat_last_batch=[]"])
real = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
wanted = metrics.chosen(study.score.metrics, study.score.repeat_last_batch)
found = score(Comparison(2 * real, np.full((200, 2), 0.5), real, moments(real)), wanted)
imported = sorted(sys.modules)

from sagan_div.report import gather
from sagan_div.report.tables import measures

layout = gather.Layout(study.study)
cell = (study.datasets[0].name, next(iter(study.methods)), study.seeds[0])
entry = {"extractors": {"classifier": {"count": 200, "reference_count": 200, "reference_split": "train", **found}}}
files.write_text(gather.at(layout.cell("score", "metrics.json"), cell), json.dumps(entry))
table = measures.table(gather.read(study, layout))
shown = dict(zip([column.head for column in table.columns], [value.text for value in next(iter(table.rows.values()))]))
print(json.dumps({"found": found, "shown": shown, "imported": imported}))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package with the new metric."""
    copy = tmp_path / "src"
    shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (copy / "sagan_div/evaluation/variety.py").write_text(MODULE)
    registry = copy / "sagan_div/study/metrics.py"
    before, opening, after = registry.read_text(encoding="utf-8").partition("    for metric in (\n")
    registry.write_text(before + opening + LINE + after, encoding="utf-8")
    return copy


def scored(package: Path, metric: str) -> subprocess.CompletedProcess[str]:
    """What the copy finds of generated features that are twice as varied as real ones, and shows in the table of measures."""
    line = [sys.executable, "-c", SCORE, str(ROOT / "params.yaml"), metric]
    return subprocess.run(line, cwd=package.parent, env={"PYTHONPATH": str(package)}, capture_output=True, text=True)


def test_a_module_and_a_line_make_a_metric(package: Path) -> None:
    done = scored(package, "variety")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["found"]["variety"] == pytest.approx(4)
    assert printed["shown"]["variety, %"].startswith("400")
    assert "sagan_div.evaluation.variety" in printed["imported"]
    assert "sagan_div.evaluation.kid" not in printed["imported"]  # a score depends on the modules of its own metrics alone


def test_a_name_that_is_nearly_a_metric_s_is_answered_with_it(package: Path) -> None:
    assert "did you mean 'variety'?" in scored(package, "varyety").stderr
