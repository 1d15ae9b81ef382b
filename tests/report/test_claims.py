"""Claims on synthetic studies whose truth is known."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sagan_div.report import claims, paper
from sagan_div.report.claims import Judgement
from sagan_div.report.outcomes import Outcome

BOTH = ("mnist", "fashion-mnist")
PAPERS_ORDER = {  # FIDs in which every claim is true
    "sngan": 20.0,
    "dcgan": 40.0,
    "sagan-div-d": 55.0,
    "sagan-div-b": 60.0,
    "wgan-div": 58.0,
    "sagan-div-a": 87.0,
    "sagan-div-c": 101.0,
}

TURNED = {method: 120 - fid for method, fid in PAPERS_ORDER.items()}


def scores(
    means: dict[str, float], seeds: Sequence[int], spread: float = 0.1, extractor: str = "classifier", **columns: Any
) -> pd.DataFrame:
    """A frame of scores: every method's mean on both datasets, with a little spread over the seeds."""
    generator = np.random.default_rng(1)
    rows = [
        {"dataset": dataset, "method": method, "seed": seed, "extractor": extractor, "fid": mean + generator.normal(0, spread)}
        for dataset in BOTH
        for method, mean in means.items()
        for seed in seeds
    ]
    return pd.DataFrame(rows).assign(**columns)


def runs(seeds: Sequence[int], **changes: Any) -> pd.DataFrame:
    """A frame of runs in which `a` is the dearest, the divergence's methods are calmer than DCGAN, and all is on one device."""
    cost = dict.fromkeys(PAPERS_ORDER, 10.0) | {"sagan-div-a": 15.0}
    unrest = dict.fromkeys(PAPERS_ORDER, 2.0) | {"dcgan": 8.0}
    rows = [
        {
            "dataset": dataset,
            "method": method,
            "seed": seed,
            "cost": cost[method] + 0.01 * seed,
            "steady": True,
            "device": "one",
        }
        | {"unrest": unrest[method] + 0.01 * seed}
        for dataset in BOTH
        for method in PAPERS_ORDER
        for seed in seeds
    ]
    return pd.DataFrame(rows).assign(**changes)


def judged(frame: pd.DataFrame, of: pd.DataFrame | None = None, datasets: Sequence[str] = BOTH) -> dict[int, Judgement]:
    if of is None:
        of = runs(sorted(frame["seed"].unique()))
    return {judgement.number: judgement for judgement in claims.judge(frame, of, datasets)}


def outcome(judgement: Judgement, dataset: str, method: str, than: str | None, measure: str = "fid") -> Outcome:
    found = [o for o in judgement.outcomes if (o.dataset, o.method, o.than, o.measure) == (dataset, method, than, measure)]
    assert len(found) == 1
    return found[0]


def test_every_claim_of_the_paper_holds_where_it_is_true() -> None:
    found = judged(scores(PAPERS_ORDER, range(10)))
    assert {number: judgement.verdict for number, judgement in found.items()} == dict.fromkeys(range(1, 8), "holds")
    assert found[1].order_share == {"mnist": 1.0, "fashion-mnist": 1.0}
    first = outcome(found[1], "mnist", "sagan-div-d", "sagan-div-b")
    assert (first.paired, first.seeds, first.p, first.chance) == (True, 10, pytest.approx(2 / 1024), 1.0)
    assert first.p_holm == pytest.approx(6 * 2 / 1024)
    assert first.relative == pytest.approx(-5 / 60, abs=0.01)
    assert first.interval is not None
    assert first.interval[0] < -5 < first.interval[1]


def test_what_is_the_other_way_round_does_not_hold() -> None:
    found = judged(scores(TURNED, range(10)))
    assert {number: found[number].verdict for number in (1, 2, 3, 4, 6)} == dict.fromkeys((1, 2, 3, 4, 6), "does not hold")
    assert found[1].order_share["mnist"] == 0.0
    assert found[2].observed == "0 of 2 tests point the paper’s way"


def test_three_seeds_decide_no_comparison_however_clear() -> None:
    found = judged(scores(PAPERS_ORDER, range(3), spread=1e-6))
    for number in (1, 2, 3, 4, 6):
        assert found[number].verdict == "not decidable"
        assert "3 seeds cannot give a p below 0.25" in found[number].reason
    assert found[2].observed == "2 of 2 tests point the paper’s way"


def test_holm_asks_for_more_seeds_than_a_single_test() -> None:
    found = judged(scores(PAPERS_ORDER, range(6)))
    single = outcome(found[2], "mnist", "sagan-div-d", "sagan-div-b")
    assert single.p == pytest.approx(2 / 64)
    assert single.verdict == "not decidable"
    assert "needs 7 paired seeds" in single.reason
    assert judged(scores(PAPERS_ORDER, range(7)))[2].verdict == "holds"


def test_one_seed_has_no_spread() -> None:
    found = judged(scores(PAPERS_ORDER, [0]))
    assert found[2].reason == "one seed has no spread"
    first = outcome(found[2], "mnist", "sagan-div-d", "sagan-div-b")
    assert first.interval is None
    assert first.observed == "agrees"
    assert found[1].order_share == {"mnist": None, "fashion-mnist": None}
    assert "one seed has no spread to judge closeness by" in found[5].reason


def test_ties_are_not_distinguishable() -> None:
    found = judged(scores(dict.fromkeys(PAPERS_ORDER, 50.0), range(10), spread=0.0))
    for number in (1, 2, 4, 6):
        assert found[number].verdict == "not decidable"
        assert "not distinguishable, p = 1" in found[number].reason
    assert found[2].outcomes[0].observed == "disagrees"  # a tie is not "better"
    assert found[5].verdict == "not decidable"  # close on Fashion-MNIST, yet not better on MNIST
    assert outcome(found[5], "fashion-mnist", "sagan-div-d", "wgan-div").verdict == "holds"


def test_noise_that_swamps_the_difference_is_not_distinguishable() -> None:
    assert judged(scores(PAPERS_ORDER, range(8), spread=20.0))[2].verdict == "not decidable"


def test_a_missing_method_leaves_the_claim_open_and_names_it() -> None:
    frame = scores(PAPERS_ORDER, range(10))
    found = judged(frame[~((frame["method"] == "sngan") & (frame["dataset"] == "fashion-mnist"))])
    assert found[6].verdict == "not decidable"
    assert found[6].reason == "SNGAN has no FID on Fashion-MNIST"
    assert found[1].verdict == "holds"


def test_a_claim_that_fails_on_one_dataset_fails_though_the_other_is_missing() -> None:
    frame = scores(PAPERS_ORDER | {"sagan-div-d": 80.0}, range(10))
    found = judged(frame[frame["dataset"] == "mnist"], datasets=["mnist"])
    assert found[2].verdict == "does not hold"
    assert judged(scores(PAPERS_ORDER, range(10)), datasets=["mnist"])[2].reason == "Fashion-MNIST is not part of this study"


def test_a_difference_within_the_floor_decides_nothing() -> None:
    assert judged(scores(PAPERS_ORDER, range(10), floor=3.0))[2].verdict == "holds"
    found = judged(scores(PAPERS_ORDER, range(10), floor=7.0))[2]
    assert found.verdict == "not decidable"
    assert "within the floor of 7" in found.reason


def test_a_difference_within_the_checkpoint_noise_decides_nothing() -> None:
    assert judged(scores(PAPERS_ORDER, range(10), noise=5.0))[2].verdict == "holds"  # 5 * sqrt(2 / 10) = 2.2 < 5
    found = judged(scores(PAPERS_ORDER, range(10), noise=12.0))[2]  # 12 * sqrt(2 / 10) = 5.4 > 5
    assert found.verdict == "not decidable"
    assert "within the checkpoint noise of 5.37" in found.reason


def test_seeds_that_are_not_shared_are_permuted() -> None:
    frame = scores(PAPERS_ORDER, range(6))
    frame.loc[frame["method"] == "sagan-div-b", "seed"] += 100
    first = outcome(judged(frame)[2], "mnist", "sagan-div-d", "sagan-div-b")
    assert (first.paired, first.seeds, first.seeds_than) == (False, 6, 6)
    assert first.p == pytest.approx(2 / 924)
    assert first.verdict == "holds"


def test_only_shared_seeds_are_paired() -> None:
    frame = scores(PAPERS_ORDER, range(10))
    frame = frame[~((frame["method"] == "sagan-div-b") & (frame["seed"] < 3))]
    assert outcome(judged(frame)[2], "mnist", "sagan-div-d", "sagan-div-b").seeds == 7


def test_inception_is_judged_by_where_it_was_measured() -> None:
    both = pd.concat([scores(TURNED, range(10)), scores(PAPERS_ORDER, range(10), extractor="inception")])
    found = judged(both)
    assert found[2].extractor == "inception"
    assert found[2].verdict == "holds"
    assert judged(both[both["extractor"] == "classifier"])[2].verdict == "does not hold"


def test_a_claim_about_scores_is_judged_in_the_other_space_too() -> None:
    both = pd.concat([scores(TURNED, range(10)), scores(PAPERS_ORDER, range(10), extractor="inception")])
    found = judged(both)
    assert [(other.extractor, other.verdict) for other in found[2].elsewhere] == [("classifier", "does not hold")]
    alone = judged(both[both["extractor"] == "classifier"])
    assert found[2].elsewhere[0] == alone[2]  # the same numbers as if the other space were not there
    assert found[7].elsewhere == ()  # about stability, whatever the features
    assert alone[2].elsewhere == ()
    (plain,) = claims.as_json([found[2]])[0]["elsewhere"]
    assert plain["verdict"] == "does not hold"


def test_times_of_different_devices_are_not_compared() -> None:
    of = runs(range(10))
    of.loc[of["method"] == "sagan-div-a", "device"] = "another"
    found = judged(scores(PAPERS_ORDER, range(10)), of)[3]
    assert found.verdict == "not decidable"
    assert found.reason == "the two were timed on different devices"


def test_one_collapsed_run_refutes_stability() -> None:
    of = runs(range(3))
    of.loc[(of["method"] == "wgan-div") & (of["dataset"] == "mnist") & (of["seed"] == 1), "steady"] = False
    found = judged(scores(PAPERS_ORDER, range(3)), of)[7]
    assert found.verdict == "does not hold"
    assert "WGAN-div on MNIST ended in numbers that are not finite or at over twice its best rating, seed 1" in found.reason


def test_far_better_is_not_close() -> None:
    found = judged(scores(PAPERS_ORDER | {"sagan-div-d": 30.0}, range(10)))[5]
    assert found.verdict == "does not hold"
    assert "SAGAN-div d’s mean lies 48% below WGAN-div’s" in found.reason


@pytest.mark.parametrize("datasets", [["digits"], []])
def test_a_study_of_other_data_tests_nothing(datasets: list[str]) -> None:
    frame = scores(PAPERS_ORDER, range(10)).assign(dataset="digits")
    found = judged(frame, runs(range(10)).assign(dataset="digits"), datasets)
    assert all(judgement.verdict == "not decidable" and judgement.extractor is None for judgement in found.values())
    assert "MNIST is not part of this study" in found[1].reason


def test_nothing_measured_yet() -> None:
    empty = pd.DataFrame(columns=["dataset", "method", "seed", "extractor", "fid"])
    found = judged(empty, pd.DataFrame(columns=["dataset", "method", "seed"]))
    assert {judgement.verdict for judgement in found.values()} == {"not decidable"}


def test_json_has_no_nan_and_all_seven() -> None:
    frame = scores(PAPERS_ORDER, range(2))
    frame.loc[frame["method"] == "sngan", "fid"] = float("nan")
    text = json.dumps(claims.as_json(list(judged(frame).values())), allow_nan=False)
    assert [entry["number"] for entry in json.loads(text)] == [1, 2, 3, 4, 5, 6, 7]


def test_the_papers_own_values_agree_with_its_claims() -> None:
    """paper.yaml's tables reproduce the order that its claims state, so that neither has a slip of the pen."""
    for claim in paper.claims():
        for dataset in BOTH if claim.order else ():
            printed = [paper.fid(dataset, method) for method in claim.order]
            assert None not in printed
            assert printed == sorted(printed)  # type: ignore[type-var]
