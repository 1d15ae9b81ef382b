"""Twelve synthetic studies whose truth is known, and a thousand in which there is nothing to find."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from studies import BOTH, PAPERS_ORDER, TURNED, judged, put, runs, scores

from sagan_div.report.claims import Judgement
from sagan_div.report.outcomes import MARGIN, Outcome

HOLDS, FAILS, OPEN = "holds", "does not hold", "not decidable"


@dataclass(frozen=True)
class Study:
    """Numbers, and the verdict that each claim must have, with a part of its reason."""

    name: str
    scores: pd.DataFrame
    expected: dict[int, tuple[str, str]]
    runs: pd.DataFrame = field(default_factory=lambda: runs(range(3)))
    datasets: tuple[str, ...] = BOTH


def gapped(changes: dict[str, float], seeds: int = 3, spread: float = 0.1) -> pd.DataFrame:
    return scores(PAPERS_ORDER | changes, range(seeds), spread)


def few_shared() -> pd.DataFrame:
    """Variant b has seeds of its own but for one."""
    frame = scores(PAPERS_ORDER, range(4))
    frame.loc[(frame["method"] == "sagan-div-b") & (frame["seed"] > 0), "seed"] += 100
    return frame


def d_and_b(frame: pd.DataFrame) -> pd.DataFrame:
    """The gap that three seeds must decide: 13 ± 1 against 28 ± 2."""
    for dataset in BOTH:
        frame = put(frame, dataset, "sagan-div-d", fid=[12.0, 13.1, 13.9])
        frame = put(frame, dataset, "sagan-div-b", fid=[29.8, 26.1, 28.2])
    return frame


EVERY = dict.fromkeys(range(1, 8), (HOLDS, "each of its"))
STUDIES = [
    Study("the paper’s own order", gapped({}), EVERY),
    Study(
        "the other way round",
        scores(TURNED, range(3)),
        {
            1: (FAILS, "on MNIST SAGAN-div b lies below SAGAN-div d"),
            2: (FAILS, "on Fashion-MNIST SAGAN-div b lies below SAGAN-div d"),
            3: (FAILS, "on MNIST SAGAN-div a lies below SAGAN-div d"),
            4: (FAILS, "on MNIST SAGAN-div c lies below SAGAN-div a"),
            6: (FAILS, "on MNIST DCGAN lies below SNGAN"),
            7: (HOLDS, "each of its 8 tests holds"),
        },
    ),
    Study(
        "13 ± 1 against 28 ± 2 with three seeds",
        d_and_b(gapped({})),
        {2: (HOLDS, "each of its 2 tests holds, the weakest with p = 0.0"), 4: (HOLDS, "each of its 6 tests holds")},
    ),
    Study(
        "one seed",
        gapped({}, seeds=1),
        dict.fromkeys((1, 2, 3, 4, 6), (OPEN, "one seed has no spread"))
        | {5: (OPEN, "one seed has no spread to judge closeness by")},
        runs([0]),
    ),
    Study(
        "ties",
        scores(dict.fromkeys(PAPERS_ORDER, 50.0), range(3), spread=0.0),
        {
            2: (OPEN, "SAGAN-div d and SAGAN-div b are the same (p = 1"),
            5: (OPEN, "on MNIST SAGAN-div d and WGAN-div are the same"),
        },
    ),
    Study(
        "a spread that swamps the gap",
        gapped({}, spread=40.0),
        {2: (OPEN, "is not shown to lie below"), 6: (OPEN, "is not shown to lie below")},
    ),
    Study(
        "refuted on one dataset alone",
        put(gapped({}), "fashion-mnist", "sagan-div-d", fid=[63.9, 64.1, 64.2]),
        {
            1: (FAILS, "on Fashion-MNIST SAGAN-div b lies below SAGAN-div d"),
            2: (FAILS, "on Fashion-MNIST SAGAN-div b lies below SAGAN-div d"),
            3: (HOLDS, "each of its"),
            5: (OPEN, "on Fashion-MNIST SAGAN-div d’s mean lies 10% above WGAN-div’s, not shown to be"),
        },
    ),
    Study(
        "against the claim, but not enough for the least of six comparisons",
        put(put(gapped({}), "mnist", "sagan-div-a", fid=[105.0, 110.0, 115.0]), "mnist", "sagan-div-b", fid=[59.8, 60.1, 60.2]),
        {1: (OPEN, "on MNIST SAGAN-div c is not shown to lie below SAGAN-div a (p ="), 2: (HOLDS, "each of its 2 tests")},
    ),
    Study(
        "one dataset",
        gapped({}),
        {
            1: (OPEN, "Fashion-MNIST is not part of this study; 3 of 6 tests hold"),
            2: (OPEN, "Fashion-MNIST is not part of this study; 1 of 2 tests hold"),
        },
        datasets=("mnist",),
    ),
    Study(
        "few shared seeds",
        few_shared(),
        {2: (HOLDS, "each of its 2 tests holds"), 1: (HOLDS, "each of its 6 tests holds")},
        runs(range(4)),
    ),
    Study(
        "a run that diverged and left nothing",
        put(gapped({}), "mnist", "wgan-div", fid=[58.0, 58.1, np.nan]),
        {
            1: (HOLDS, "each of its 6 tests"),
            5: (OPEN, "on MNIST SAGAN-div d is not shown to lie below WGAN-div (p = 0.1, ranks of 3 and 3 runs)"),
            6: (OPEN, "on MNIST DCGAN is not shown to lie below WGAN-div (p = 0.1, ranks of 3 and 3 runs)"),
            7: (FAILS, "WGAN-div on MNIST diverged"),
        },
        put(runs(range(3)), "mnist", "wgan-div", diverged=[np.nan, np.nan, 128_000]),
    ),
    Study(
        "a method of which every run diverged, and one whose only measured FID is infinite",
        put(put(gapped({}), "mnist", "sagan-div-c", fid=np.nan), "mnist", "sagan-div-b", fid=[60.0, 60.1, math.inf]),
        {
            4: (OPEN, "on MNIST SAGAN-div b is not shown to lie below SAGAN-div c (p = 0.4, ranks of 3 and 3 runs)"),
            1: (OPEN, "on MNIST SAGAN-div d is not shown to lie below SAGAN-div b (p = 0.1"),
            3: (OPEN, "on MNIST SAGAN-div b is not shown to lie below SAGAN-div a (p = 0.7"),
        },
        put(runs(range(3)), "mnist", "sagan-div-c", diverged=1000),
    ),
]


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_the_verdicts_on_a_study_of_known_truth(study: Study) -> None:
    found = judged(study.scores, study.runs, study.datasets)
    for number, (verdict, why) in study.expected.items():
        assert (found[number].verdict, why in found[number].reason) == (verdict, True), found[number].reason


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_every_p_and_verdict_is_what_scipy_gives(study: Study) -> None:
    for judgement in judged(study.scores, study.runs, study.datasets).values():
        expected = [_independent(study, outcome) for outcome in judgement.outcomes]
        for outcome, (p, exact) in zip(judgement.outcomes, expected, strict=True):
            assert outcome.p == (p if p is None else pytest.approx(p, rel=1e-9, abs=1e-12))
            assert outcome.p_exact == (exact if exact is None else pytest.approx(exact))
        assert judgement.verdict == _conjunction(judgement, [p for p, _ in expected])


def _numbers(study: Study, outcome: Outcome, method: str) -> pd.Series:
    frame = study.scores if outcome.measure == "fid" else study.runs
    rows = frame[(frame["dataset"] == outcome.dataset) & (frame["method"] == method)].set_index("seed")
    numbers = rows[outcome.measure].copy()
    if "diverged" in study.runs:
        lost = study.runs.dropna(subset=["diverged"])
        lost = lost[(lost["dataset"] == outcome.dataset) & (lost["method"] == method)]["seed"]
        kept = numbers.dropna().index if outcome.measure == "fid" else []
        numbers = numbers.reindex(numbers.index.union(lost))
        numbers[[seed for seed in lost if seed not in kept]] = math.inf if outcome.measure != "cost" else np.nan
    return numbers.dropna()


def _independent(study: Study, outcome: Outcome) -> tuple[float | None, float | None]:
    """p and exact p of a comparison by SciPy's own functions."""
    if outcome.than is None or outcome.dataset not in study.datasets:
        return None, None
    a, b = (_numbers(study, outcome, name) for name in (outcome.method, outcome.than))
    if min(len(a), len(b)) < 2:
        return None, None
    shared = a.index.intersection(b.index)
    if np.isinf([*a, *b]).any():
        p = stats.mannwhitneyu(a, b, method=stats.PermutationMethod()).pvalue
        lost = int(np.isinf(a).sum()), int(np.isinf(b).sum())
        if lost in ((len(a), 0), (0, len(b))):
            p = min(p, stats.barnard_exact([lost, (len(a) - lost[0], len(b) - lost[1])]).pvalue)
        return float(p), None
    paired = len(shared) >= 3
    a, b = (a[shared], b[shared]) if paired else (a, b)
    test: Callable[..., stats._result_classes.TtestResult] = (
        stats.ttest_rel if paired else lambda *x, **how: stats.ttest_ind(*x, equal_var=False, **how)
    )
    if outcome.relation == "close":
        below = [test(a, share * b, alternative="less").pvalue for share in (1 + MARGIN, 1 - MARGIN)]
        if outcome.observed == "agrees":
            return max(below[0], 1 - below[1]) if a.std() or b.std() else 0.0, None
        return min(1.0, 2 * min(1 - below[0], below[1])), None
    p = float(test(a, b).pvalue)
    exact = stats.permutation_test(
        (a, b), lambda x, y, axis: x.mean(axis) - y.mean(axis), permutation_type="samples" if paired else "independent"
    )
    return 1.0 if math.isnan(p) else p, float(exact.pvalue)


def _conjunction(judgement: Judgement, ps: list[float | None]) -> str:
    """The verdict by the rules alone: all tests at 5 %, or one against it after Holm."""
    known = sorted(p for p in ps if p is not None)
    stepped = [min(1.0, (len(known) - rank) * p) for rank, p in enumerate(known)]
    holm = {p: max(stepped[: rank + 1]) for rank, p in enumerate(known)}
    verdicts = []
    for outcome, p in zip(judgement.outcomes, ps, strict=True):
        if outcome.relation == "steady":
            verdicts.append(outcome.verdict)
        elif p is None:
            verdicts.append(OPEN)
        elif outcome.observed == "agrees":
            verdicts.append(HOLDS if p <= 0.05 else OPEN)
        else:
            verdicts.append(FAILS if holm[p] <= 0.05 else OPEN)
    return FAILS if FAILS in verdicts else OPEN if OPEN in verdicts else HOLDS


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3])
def test_equal_methods_are_told_apart_in_six_per_cent_of_studies_at_most(seeds: int) -> None:
    """1,000 studies in which all methods draw FIDs, times and unrest from the same distributions."""
    generator, false = np.random.default_rng(seeds), dict.fromkeys(range(1, 8), 0)
    template, of = scores(PAPERS_ORDER, range(seeds)), runs(range(seeds))
    for _ in range(1000):
        frame = template.assign(fid=generator.normal(50, 5, len(template)))
        drawn = of.assign(cost=generator.normal(10, 0.1, len(of)), unrest=generator.normal(5, 1, len(of)))
        for number, judgement in judged(frame, drawn).items():
            false[number] += judgement.verdict != OPEN
    print({number: f"{count / 1000:.1%}" for number, count in false.items()})
    assert max(false.values()) <= 60, false
