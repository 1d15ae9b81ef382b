"""What the numbers of a claim's tests decide, and the reasons in words.

A claim is a conjunction. It holds when each of its tests holds at 5 %, which needs no correction: a false conjunction has a
false test, and that one passes in 5 % of studies at most (intersection-union, Berger 1982). It does not hold as soon as one
test is refuted; of several tests one may be refuted by luck, so refutations are corrected after Holm over the claim's
comparisons.
"""

from collections.abc import Sequence
from dataclasses import replace

from sagan_div.report import paper, stats, words
from sagan_div.report.outcomes import MARGIN, Outcome, Verdict, sides


def decided(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The tests of one claim with their verdicts; what is decided already stays as it is."""
    places = [place for place, outcome in enumerate(outcomes) if outcome.relation != "steady" and outcome.p is not None]
    adjusted = stats.holm([outcomes[place].p or 0.0 for place in places])
    found = dict(zip(places, adjusted, strict=True))
    return [
        _decided(replace(outcome, p_holm=found[place]), len(places)) if place in found else _without_p(outcome)
        for place, outcome in enumerate(outcomes)
    ]


def _without_p(outcome: Outcome) -> Outcome:
    if outcome.reason:
        return outcome
    return replace(outcome, reason="one seed has no spread")


def _decided(outcome: Outcome, tests: int) -> Outcome:
    agrees = outcome.observed == "agrees"
    p = outcome.p if agrees else outcome.p_holm
    assert p is not None
    verdict: Verdict = "not decidable"
    if p <= stats.ALPHA:
        verdict = "holds" if agrees else "does not hold"
    how = f"{_p(p)}{f' after Holm over {tests}' if tests > 1 and not agrees else ''}, {_by(outcome)}"
    return replace(outcome, verdict=verdict, reason=f"{_statement(outcome, verdict)} ({how})")


def _p(p: float) -> str:
    return f"p = {p:.2g}" if p >= 1e-4 else "p < 0.0001"


def _by(outcome: Outcome) -> str:
    """`paired t over 3 seeds`, `ranks of 3 and 2 runs`."""
    if outcome.paired:
        return f"{outcome.by} over {words.counted(outcome.seeds, 'seed')}"
    return f"{outcome.by} of {outcome.seeds} and {words.counted(outcome.seeds_than, 'run')}"


def _statement(outcome: Outcome, verdict: Verdict) -> str:
    """What was tested, in the direction in which it was: `on MNIST SAGAN-div d lies below SAGAN-div b`."""
    forms = {"lower": _lower, "close": _close}
    return f"on {paper.dataset_label(outcome.dataset)} {forms[outcome.relation](outcome, verdict)}"


def _lower(outcome: Outcome, verdict: Verdict) -> str:
    """The one with the lower mean comes first, whichever the claim has there."""
    first, second = (paper.label(name) for name in sides(outcome))
    low, high = (first, second) if outcome.observed == "agrees" else (second, first)
    what = {"fid": "", "cost": "in time per image ", "unrest": "in unrest "}[outcome.measure]
    if outcome.chance == 0.5 and (outcome.by == "ranks" or outcome.difference == 0):
        return f"{what}{first} and {second} are the same"
    return f"{what}{low} lies below {high}" if verdict != "not decidable" else f"{what}{low} is not shown to lie below {high}"


def _close(outcome: Outcome, verdict: Verdict) -> str:
    first, second = (paper.label(name) for name in sides(outcome))
    if outcome.by == "ranks":
        return f"{first} and {second} cannot be close where runs have no number"
    share = outcome.relative or 0.0
    mean = f"{first}’s mean lies {abs(share):.0%} {'below' if share < 0 else 'above'} {second}’s"
    within = "within" if outcome.observed == "agrees" else "beyond"
    return f"{mean}, {'' if verdict != 'not decidable' else 'not shown to be '}{within} {MARGIN:.0%}"


def conclusion(outcomes: Sequence[Outcome]) -> tuple[Verdict, str]:
    """The verdict on a claim, and what it rests on: the tests that decide it."""
    for verdict in ("does not hold", "not decidable"):
        reasons = list(dict.fromkeys(outcome.reason for outcome in outcomes if outcome.verdict == verdict))
        if reasons:
            more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
            held = sum(outcome.verdict == "holds" for outcome in outcomes)
            some = f"; {held} of {len(outcomes)} tests hold" if held and verdict == "not decidable" else ""
            return verdict, "; ".join(reasons[:3]) + more + some
    weakest = max((outcome.p for outcome in outcomes if outcome.p is not None), default=None)
    every = f"each of its {len(outcomes)} tests holds" if len(outcomes) > 1 else "its test holds"
    return "holds", every if weakest is None else f"{every}, the weakest with {_p(weakest)}"


def exact_beside(outcomes: Sequence[Outcome]) -> str:
    """Where the exact p that stands beside a decision by t says otherwise, and whether it could have agreed at all."""
    compared = [outcome for outcome in outcomes if outcome.p is not None and outcome.p_exact is not None]
    apart = [each for each in compared if ((each.p or 0) <= stats.ALPHA) != ((each.p_exact or 0) <= stats.ALPHA)]
    if not apart:
        return ""
    least = max(stats.smallest_p(each.seeds, each.seeds_than, each.paired) for each in apart)
    few = f"; of so few runs it cannot fall below {least:.2g}" if least > stats.ALPHA else ""
    every = "the comparison" if len(compared) == 1 else f"{len(apart)} of {len(compared)} comparisons"
    return f"the exact p beside it disagrees with t at {stats.ALPHA:g} in {every}{few}"
