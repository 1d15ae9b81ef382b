"""The error of KID against the same decomposition written out in loops."""

import numpy as np
import pytest

from sagan_div.evaluation.kid_error import Kernels, Spread

M, N, SIZE = 9, 11, 6


def interaction(kernel: np.ndarray) -> float:
    rows, columns = kernel.shape
    rest = [kernel[i, j] - kernel[i].mean() - kernel[:, j].mean() + kernel.mean() for i in range(rows) for j in range(columns)]
    return float(sum(each**2 for each in rest) / ((rows - 1) * (columns - 1)))


def single(count: int, subsets: list[tuple[np.ndarray, np.ndarray, np.ndarray]], pairs: float) -> float:
    """The variance of single features, from (places, kernel within, kernel across) of each subset."""
    found = {}
    for place in range(count):
        own = []
        for chosen, within, across in subsets:
            all_of_them = [
                sum(within[i, j] for j in range(SIZE) if j != i) / (SIZE - 2) - across[i].mean() for i in range(SIZE)
            ]
            own += [all_of_them[i] - np.mean(all_of_them) for i in range(SIZE) if chosen[i] == place]
        if own:
            noise = pairs / SIZE / len(own) * (1 + (len(own) - 1) * SIZE / count)
            found[place] = np.mean(own) ** 2 - noise
    return float(np.mean(list(found.values())))


def test_the_error_is_hoeffdings_decomposition_written_out() -> None:
    random, spread = np.random.default_rng(1), Spread(M, N, SIZE)
    of_a, of_b, across = [], [], []
    x, y = random.normal(size=(M, 3)) + 2, random.normal(size=(N, 3)) * 2
    for _ in range(4):
        a, b = random.choice(M, SIZE, replace=False), random.choice(N, SIZE, replace=False)
        kernels = Kernels((x[a] @ x[a].T) ** 2, (y[b] @ y[b].T) ** 2, (x[a] @ y[b].T) ** 2)
        spread.add(a, b, kernels)
        of_a.append((a, kernels.a, kernels.across))
        of_b.append((b, kernels.b, kernels.across.T))
        across.append(interaction(kernels.across))
    pairs_a, pairs_b = (np.mean([interaction(within[:3, 3:]) for _, within, _ in side]) for side in (of_a, of_b))
    both = np.mean(across)
    single_a, single_b = single(M, of_a, pairs_a + both), single(N, of_b, pairs_b + both)

    def variance(m: int, n: int) -> float:
        return float(
            4 * single_a / m + 4 * single_b / n + 2 * pairs_a / m / (m - 1) + 2 * pairs_b / n / (n - 1) + 4 * both / m / n
        )

    assert single_a > 0
    assert single_b > 0
    expected = 0.75 * variance(M, N) + variance(SIZE, SIZE) / 4
    assert spread.error() == pytest.approx(expected**0.5, rel=1e-9)
