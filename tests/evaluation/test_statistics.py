"""Statistics in files: pytorch-fid reads ours, we read its; whatever is wrong with a file is one line."""

from pathlib import Path

import numpy as np
import pytest
from features import features, gaussian

from sagan_div.errors import UserError
from sagan_div.evaluation import frechet
from sagan_div.evaluation.statistics import load_beside, load_statistics, save_statistics


def test_statistics_survive_a_file_and_pytorch_fid_reads_them(tmp_path: Path) -> None:
    fid_score = pytest.importorskip("pytorch_fid.fid_score")
    saved = frechet.moments(features(100, 12, 1), "inception:abc")
    save_statistics(tmp_path / "a.npz", saved, features=features(100, 12, 1))
    read = load_statistics(tmp_path / "a.npz")
    mean, covariance = fid_score.compute_statistics_of_path(str(tmp_path / "a.npz"), None, 50, 12, "cpu")
    for found in ((read.mean, read.covariance), (mean, covariance)):
        assert np.array_equal(found[0], saved.mean)
        assert np.array_equal(found[1], saved.covariance)
    assert (read.count, read.extractor) == (100, "inception:abc")
    assert np.array_equal(load_beside(tmp_path / "a.npz", "features"), features(100, 12, 1))


def test_statistics_of_pytorch_fid_are_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", mu=np.arange(3.0), sigma=np.eye(3))
    read = load_statistics(tmp_path / "a.npz")
    assert (read.count, read.extractor, read.mean.tolist()) == (0, "", [0, 1, 2])


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_statistics_of_lower_precision_are_float64_before_anything_is_computed(kind: type, tmp_path: Path) -> None:
    whole = frechet.moments(features(400, 12, 1))
    lower = {"mu": (whole.mean * 100).astype(kind), "sigma": whole.covariance.astype(kind)}
    np.savez(tmp_path / "a.npz", **lower)
    read, other = load_statistics(tmp_path / "a.npz"), gaussian(np.eye(12))
    assert {read.mean.dtype, read.covariance.dtype} == {np.dtype(np.float64)}
    exact = frechet.Moments(0, lower["mu"].astype(np.float64), lower["sigma"].astype(np.float64))
    assert frechet.frechet_distance(read, other) == frechet.frechet_distance(exact, other)


def test_rounding_of_singular_statistics_is_no_fault(tmp_path: Path) -> None:
    singular = frechet.moments(features(8, 30, 1))
    np.savez(tmp_path / "a.npz", mu=singular.mean.astype(np.float32), sigma=singular.covariance.astype(np.float32))
    assert np.linalg.eigvalsh(load_statistics(tmp_path / "a.npz").covariance).min() < -1e-10


def test_wrong_archives_are_a_line_each(tmp_path: Path) -> None:
    def line(**arrays: object) -> str:
        np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
        with pytest.raises(UserError) as caught:
            load_statistics(tmp_path / "a.npz")
        return str(caught.value)

    assert "holds no statistics (arrays mu and sigma), but foo" in line(foo=np.zeros(3))
    assert "shapes (3,) and (4, 4)" in line(mu=np.zeros(3), sigma=np.zeros((4, 4)))
    assert "not (d,) and (d, d) of floats" in line(mu=np.array(["a", "b"]), sigma=np.eye(2))
    assert "not finite" in line(mu=np.zeros(3), sigma=np.full((3, 3), np.nan))
    assert "a.npz: sigma is no covariance: it has the eigenvalue -1" in line(mu=np.zeros(2), sigma=np.diag([1.0, -1.0]))
    assert "is damaged" in line(mu=np.array([{}, {}], dtype=object), sigma=np.eye(2))
    save_statistics(tmp_path / "b.npz", gaussian(np.eye(50)))
    whole = (tmp_path / "b.npz").read_bytes()
    for content in (b"", b"PK", whole[: len(whole) // 2], whole[:200] + b"x" * 40 + whole[240:]):
        (tmp_path / "b.npz").write_bytes(content)
        with pytest.raises(UserError, match=r"b\.npz: is damaged"):
            load_statistics(tmp_path / "b.npz")
    with pytest.raises(UserError, match="does not exist"):
        load_statistics(tmp_path / "c.npz")
