"""The registry of metrics and what reads it: each is its own function, and one that fails leaves the others."""

import numpy as np
import pytest
from features import comparison, features

from sagan_div.errors import UserError
from sagan_div.evaluation import arithmetic, fid_infinity, frechet, inception_score, kid, neighbours, prdc
from sagan_div.evaluation.score import score
from sagan_div.study.metrics import METRICS

MEASURED = [METRICS[name] for name in ("fid", "fid-infinity", "kid", "is", "prdc")]


def test_score_has_what_is_wanted_and_each_is_its_function() -> None:
    real, fake = features(900, 12, 1), features(800, 12, 2)
    given = comparison(fake, real)
    found = score(given, MEASURED)
    assert found["fid"] == frechet.frechet_distance(frechet.moments(fake), given.reference)
    assert (found["fid_infinity"], found["fid_infinity_std"]) == fid_infinity.frechet_infinity(fake, given.reference)
    assert (found["kid"], found["kid_std"], found["kid_error"]) == kid.kernel_distance(fake, real, size=400)
    assert found["kid_subset"] == 400
    assert (found["is"], found["is_std"]) == inception_score.inception_score(given.probabilities)
    assert (found["recall"], found["precision"]) == pytest.approx(prdc.manifold(fake, real)[:2], abs=1e-12)
    assert set(score(given, [METRICS["is"]])) == {"is", "is_std"}


def test_a_metric_that_cannot_be_had_gives_its_reason_and_the_others_stand() -> None:
    given = comparison(features(5, 12, 2), features(900, 12, 1))
    found = score(given, MEASURED)
    assert {name for name, value in found.items() if value is None} == {
        *("fid_infinity", "fid_infinity_std", "kid_error", "is", "is_std"),
        *prdc.Manifold._fields,
    }
    assert found["why_is"] == "an Inception score over 10 splits needs as many images, not 5"
    assert found["why_fid-infinity"] == "FID of so few images is no line in 1/N: 12 features need more than 48, not 5"
    assert found["why_prdc"] == "precision and recall need more than 5 images on each side, not 5"
    assert found["fid"] == frechet.frechet_distance(frechet.moments(given.fake), given.reference)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_features_that_are_not_finite_have_no_score(broken: float) -> None:
    fake = features(300, 12, 2)
    fake[7, 3] = broken
    found = score(comparison(fake, features(300, 12, 1)), MEASURED)
    assert all(found[name] is None for name in ("fid", "fid_infinity", "kid", "precision", "coverage"))
    assert {text for name, text in found.items() if name in ("why_fid", "why_fid-infinity", "why_kid", "why_prdc")} == {
        "some features are not finite; the network's weights or the images are damaged"
    }
    for compute in (arithmetic.exact_moments, lambda found: neighbours.nearest(found, found)):
        with pytest.raises(UserError, match="not finite"):
            compute(fake)
