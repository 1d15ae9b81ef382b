"""Claims: how a verdict comes about, and what it says. Twelve whole studies are in test_claims_known."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from studies import BOTH, PAPERS_ORDER, TURNED, judged, outcome, put, runs, scores

from sagan_div.report import claims, paper


def test_every_claim_of_the_paper_holds_where_it_is_true() -> None:
    found = judged(scores(PAPERS_ORDER, range(10)))
    assert {number: judgement.verdict for number, judgement in found.items()} == dict.fromkeys(range(1, 8), "holds")
    assert found[1].order_share == {"mnist": 1.0, "fashion-mnist": 1.0}
    first = outcome(found[1], "mnist", "sagan-div-d", "sagan-div-b")
    assert (first.paired, first.seeds, first.p_exact, first.chance) == (True, 10, pytest.approx(2 / 1024), 1.0)
    assert (first.by, first.verdict) == ("paired t", "holds")
    assert first.relative == pytest.approx(-5 / 60, abs=0.01)
    assert first.interval is not None
    assert first.interval[0] < -5 < first.interval[1]


def test_what_is_the_other_way_round_does_not_hold() -> None:
    found = judged(scores(TURNED, range(10)))
    assert {number: found[number].verdict for number in (1, 2, 3, 4, 6)} == dict.fromkeys((1, 2, 3, 4, 6), "does not hold")
    assert found[1].order_share["mnist"] == 0.0
    assert found[2].observed == "0 of 2 tests point the paper’s way"


def test_three_seeds_decide_a_clear_gap_and_the_exact_p_that_cannot_agree_is_said() -> None:
    found = judged(scores(PAPERS_ORDER, range(3)))[2]
    assert found.verdict == "holds"
    assert [each.p_exact for each in found.outcomes] == [0.25, 0.25]
    assert found.remarks == (
        "the exact p beside it disagrees with t at 0.05 in 2 of 2 comparisons; of so few runs it cannot fall below 0.25",
    )
    assert judged(scores(PAPERS_ORDER, range(10)))[2].remarks == ()


def test_a_conjunction_holds_without_correction_and_is_refuted_with_it() -> None:
    """A p between 0.05 / 6 and 0.05 is enough for a test to hold, and not enough to refute one of six."""
    close = [59.0, 60.0, 62.2]
    held = judged(put(scores(PAPERS_ORDER, range(3)), "mnist", "sagan-div-b", fid=close))[1]
    test = outcome(held, "mnist", "sagan-div-d", "sagan-div-b")
    assert test.p is not None
    assert 0.05 / 6 < test.p < 0.05
    assert held.verdict == "holds"
    turned = judged(put(scores(PAPERS_ORDER | {"sagan-div-d": 65.3}, range(3)), "mnist", "sagan-div-b", fid=close))
    against = outcome(turned[1], "mnist", "sagan-div-d", "sagan-div-b")
    assert against.p is not None
    assert 0.05 / 6 < against.p < 0.05
    assert against.p_holm == pytest.approx(min(1, against.p))  # the five others are smaller, and rejected first
    assert against.verdict == "does not hold"


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
        assert "are the same (p = 1" in found[number].reason
    assert found[2].outcomes[0].observed == "disagrees"  # a tie is not "better"
    assert found[5].verdict == "not decidable"  # close on Fashion-MNIST, yet not better on MNIST
    assert outcome(found[5], "fashion-mnist", "sagan-div-d", "wgan-div").verdict == "holds"


def test_noise_that_swamps_the_difference_is_not_distinguishable() -> None:
    assert judged(scores(PAPERS_ORDER, range(8), spread=20.0))[2].verdict == "not decidable"


def test_a_missing_method_leaves_the_claim_open_and_names_it() -> None:
    frame = scores(PAPERS_ORDER, range(10))
    found = judged(frame[~((frame["method"] == "sngan") & (frame["dataset"] == "fashion-mnist"))])
    assert found[6].verdict == "not decidable"
    assert found[6].reason == "SNGAN has no FID on Fashion-MNIST; 5 of 6 tests hold"
    assert found[1].verdict == "holds"


def test_a_claim_that_fails_on_one_dataset_fails_though_the_other_is_missing() -> None:
    frame = scores(PAPERS_ORDER | {"sagan-div-d": 80.0}, range(10))
    found = judged(frame[frame["dataset"] == "mnist"], datasets=["mnist"])
    assert found[2].verdict == "does not hold"
    reason = judged(scores(PAPERS_ORDER, range(10)), datasets=["mnist"])[2].reason
    assert reason == "Fashion-MNIST is not part of this study; 1 of 2 tests hold"


def test_a_floor_and_the_noise_of_a_checkpoint_stand_beside_a_difference_and_forbid_nothing() -> None:
    found = judged(scores(PAPERS_ORDER, range(10), floor=7.0, noise=12.0))[2]
    assert found.verdict == "holds"
    first = found.outcomes[0]
    assert (first.floor, first.noise) == (7.0, pytest.approx(12 * math.sqrt(2 / 10)))
    assert first.beside == "noise of a checkpoint 5.37, perfect generator 7.00"


def test_seeds_that_are_not_shared_are_compared_unpaired() -> None:
    frame = scores(PAPERS_ORDER, range(6))
    frame.loc[frame["method"] == "sagan-div-b", "seed"] += 100
    first = outcome(judged(frame)[2], "mnist", "sagan-div-d", "sagan-div-b")
    assert (first.paired, first.seeds, first.seeds_than, first.by) == (False, 6, 6, "Welch’s t")
    assert first.p_exact == pytest.approx(2 / 924)
    assert "Welch’s t of 6 and 6 runs" in first.reason
    assert first.verdict == "holds"


@pytest.mark.parametrize(("own", "paired", "counts"), [(6, False, (8, 8)), (4, True, (4, 4)), (5, False, (8, 8))])
def test_few_shared_seeds_fall_back_to_all_seeds_unpaired(own: int, paired: bool, counts: tuple[int, int]) -> None:
    frame = scores(PAPERS_ORDER, range(8))
    frame.loc[(frame["method"] == "sagan-div-b") & (frame["seed"] < own), "seed"] += 100
    first = outcome(judged(frame)[2], "mnist", "sagan-div-d", "sagan-div-b")
    assert (first.paired, (first.seeds, first.seeds_than)) == (paired, counts)


def test_two_seeds_are_compared_unpaired() -> None:
    first = outcome(judged(scores(PAPERS_ORDER, range(2)))[2], "mnist", "sagan-div-d", "sagan-div-b")
    assert (first.by, first.verdict) == ("Welch’s t", "holds")


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


def test_a_partly_measured_inception_does_not_come_first() -> None:
    inception = scores(PAPERS_ORDER, range(10), extractor="inception")
    part = inception[~((inception["method"] == "sngan") & (inception["seed"] > 7))]
    found = judged(pd.concat([scores(TURNED, range(10)), part]))
    assert (found[2].extractor, found[2].verdict) == ("classifier", "does not hold")
    assert [(other.extractor, other.verdict) for other in found[2].elsewhere] == [("inception", "holds")]
    unmeasured = pd.concat([scores(TURNED, range(10)), inception.assign(fid=math.nan)])
    assert judged(unmeasured)[2].elsewhere == ()


def test_a_verdict_carries_its_scope() -> None:
    both = pd.concat([scores(PAPERS_ORDER, range(3)), scores(PAPERS_ORDER, range(3), extractor="inception")])
    found = {each.number: each for each in claims.judge(both, runs(range(3)), BOTH, "at 256,000 real images per critic")}
    assert found[2].scope == "at 256,000 real images per critic, in Inception features"
    assert found[2].elsewhere[0].scope == "at 256,000 real images per critic, in classifier features"
    assert found[7].scope == "at 256,000 real images per critic"
    assert judged(both)[2].scope == "at this budget, in Inception features"


def test_a_method_of_which_every_run_diverged_is_worse_than_one_of_which_none_did() -> None:
    frame, of = scores(PAPERS_ORDER, range(3)), runs(range(3))
    for dataset in BOTH:
        frame = put(frame, dataset, "sagan-div-c", fid=np.nan)
        of = put(of, dataset, "sagan-div-c", diverged=1000)
    found = judged(frame, of)
    first = outcome(found[4], "mnist", "sagan-div-d", "sagan-div-c")
    assert (first.by, first.p, first.verdict) == ("ranks", pytest.approx(1 / 32), "holds")
    assert found[4].verdict == "holds"
    assert "on MNIST" not in found[4].reason
    assert json.loads(json.dumps(claims.as_json([found[4]]), allow_nan=False))[0]["outcomes"][0]["mean_than"] is None


def test_a_diverged_run_with_a_best_generator_counts_as_its_number_and_refutes_stability() -> None:
    of = put(runs(range(3)), "mnist", "sagan-div-d", diverged=[np.nan, 90_000, np.nan])
    found = judged(scores(PAPERS_ORDER, range(3)), of)
    assert found[2].verdict == "holds"
    assert (found[7].verdict, "SAGAN-div d on MNIST diverged" in found[7].reason) == ("does not hold", True)
    calm = outcome(found[7], "mnist", "sagan-div-d", "dcgan", "unrest")
    assert (calm.by, calm.verdict) == ("ranks", "not decidable")


def test_marked_runs_count_as_their_numbers_and_are_said() -> None:
    of = put(runs(range(10)), "mnist", "sagan-div-b", mark=["not left its start", "", "collapsed", *[""] * 7])
    found = judged(scores(PAPERS_ORDER, range(10)), of.fillna({"mark": ""}))
    assert found[2].verdict == "holds"
    assert found[2].remarks == (
        "SAGAN-div b on MNIST: not left its start (seed 0)",
        "SAGAN-div b on MNIST: collapsed (seed 2)",
    )
    assert found[6].remarks == ()


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
    assert found.reason == "the two were timed on different devices; 4 of 8 tests hold"


def test_one_collapsed_run_refutes_stability() -> None:
    of = runs(range(3))
    of.loc[(of["method"] == "wgan-div") & (of["dataset"] == "mnist") & (of["seed"] == 1), "steady"] = False
    found = judged(scores(PAPERS_ORDER, range(3)), of)[7]
    assert found.verdict == "does not hold"
    assert (
        "WGAN-div on MNIST diverged, or ended in numbers that are not finite or at over twice its best rating" in found.reason
    )
    assert found.reason.endswith("seed 1")


def test_far_better_is_not_close() -> None:
    found = judged(scores(PAPERS_ORDER | {"sagan-div-d": 30.0}, range(10)))[5]
    assert found.verdict == "does not hold"
    assert "on Fashion-MNIST SAGAN-div d’s mean lies 48% below WGAN-div’s, beyond 10%" in found.reason


def test_closeness_takes_both_means_to_be_uncertain() -> None:
    """Within 10 % by the means, and not shown to be: b's spread moves the margin itself."""
    frame = put(scores(PAPERS_ORDER, range(4)), "fashion-mnist", "wgan-div", fid=[50.0, 56.0, 60.0, 66.0])
    found = outcome(judged(frame)[5], "fashion-mnist", "sagan-div-d", "wgan-div")
    assert (found.observed, found.verdict) == ("agrees", "not decidable")
    assert "not shown to be within 10%" in found.reason


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
