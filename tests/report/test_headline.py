"""What `dvc metrics show` prints: few numbers, whose names keep their meaning."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from synthetic import FLOOR, ROOT, Tree, grow, level, study

from sagan_div.report import headline
from support import command


def test_a_methods_numbers_are_few_and_flat(written: Tree) -> None:
    found = json.loads((written.results / "metrics/mnist/dcgan.json").read_text())
    fids = np.array([level("mnist", "dcgan", seed) for seed in (0, 1)])
    assert found == {
        "fid": pytest.approx(fids.mean()),
        "fid_std": pytest.approx(fids.std(ddof=1)),
        "floor": FLOOR,
        "precision": pytest.approx(0.95 - fids.mean() / 80),
        "recall": pytest.approx(0.8 - fids.mean() / 60),
        "seeds": 2,
        "images": written.study.train.images,
    }
    gap = json.loads((written.results / "metrics/fashion-mnist/sngan.json").read_text())
    assert gap == {"seeds": 0, "images": written.study.train.images}


def test_one_seed_has_no_spread(demo: Tree) -> None:
    found = json.loads((demo.results / "metrics/digits/dcgan.json").read_text())
    assert list(found) == ["fid", "floor", "precision", "recall", "seeds", "images"]


BOTH = ["fid", "fid_std", "floor", "precision", "recall", "fid_inception"]
INCEPTION = ["fid_inception", "fid_inception_std", "floor_inception", "precision_inception", "recall_inception"]


@pytest.mark.parametrize(("spaces", "expected"), [("[inception, classifier]", BOTH), ("[inception]", INCEPTION)])
def test_a_key_never_changes_its_feature_space(tmp_path: Path, spaces: str, expected: list[str]) -> None:
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]", f"score.extractors={spaces}"))
    for seed in (0, 1):
        path = tree.at("score", "metrics.json", "mnist", "dcgan", seed)
        content = json.loads(path.read_text())
        content["extractors"]["inception"] = content["extractors"]["classifier"] | {"fid": 100.0 + seed}
        path.write_text(json.dumps(content))
    found = headline.numbers(tree.read(), "mnist", "dcgan")
    assert list(found) == [*expected, "seeds", "images"]
    assert found["fid_inception"] == 100.5


def test_dvc_shows_them_within_the_width_of_a_terminal(tmp_path: Path) -> None:
    """With the study of record's own numbers and paths: a row for each method, eight columns with the path."""
    shutil.copytree(ROOT / "results/metrics", tmp_path / "results/metrics")
    assert command("dvc", "init", "--no-scm", "-q", cwd=tmp_path).returncode == 0
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.glob("results/metrics/*/*.json"))
    shown = command("dvc", "metrics", "show", *files, cwd=tmp_path, COLUMNS="500").stdout.splitlines()
    assert len(shown) == 1 + len(files)
    assert shown[0].split() == ["Path", "fid", "fid_std", "floor", "images", "precision", "recall", "seeds"]
    assert max(map(len, map(str.rstrip, shown))) < 120
