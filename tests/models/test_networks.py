"""The networks of all methods in both protocols: shapes, layers counted in the built trees, norms, initialisation."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from sagan_div.models.attention.sagan import SaganAttention
from sagan_div.models.describe import describe
from sagan_div.models.dot_product import Attention
from sagan_div.models.networks import Critic, Generator, Shape, build
from sagan_div.settings import plain
from sagan_div.study import schema as config
from sagan_div.study.load import load
from support import ROOT

TEXT = load(ROOT / "params.yaml")
CODE = load(ROOT / "params.yaml", [ROOT / "workflow" / "overlays" / "author-code.yaml"])
STUDIES = {"text": TEXT, "code": CODE}
PAPER = Shape(64, 1, 64, 100)
NARROW = Shape(16, 1, 8, 12)

TABLE_1 = {  # image size -> output of each block, with C channels: the paper's Table 1, and its shorter form at 32
    64: (
        [(512, 4, 4), (256, 8, 8), (128, 16, 16), (64, 32, 32), ("C", 64, 64)],
        [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), ()],
    ),
    32: ([(256, 4, 4), (128, 8, 8), (64, 16, 16), ("C", 32, 32)], [(64, 16, 16), (128, 8, 8), (256, 4, 4), ()]),
}


def outputs(network: nn.Sequential, value: Tensor) -> list[tuple[int, ...]]:
    found = []
    for block in network:
        value = block(value)
        found.append(tuple(value.shape[1:]))
    return found


def convolutions(network: nn.Module) -> list[nn.Conv2d | nn.ConvTranspose2d]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [64, 32])
@pytest.mark.parametrize("method", TEXT.methods)
def test_every_block_has_the_shape_of_table_1(method: str, size: int, channels: int) -> None:
    shape = Shape(size, channels, 64, 100)
    generator, critic = build(TEXT.methods[method], shape, seed=0)
    expected_generator, expected_critic = TABLE_1[size]
    with torch.no_grad():
        assert outputs(generator, torch.randn(2, 100, 1, 1)) == [
            tuple(channels if side == "C" else side for side in sides) for sides in expected_generator
        ]
        assert outputs(critic, torch.randn(2, channels, size, size)) == expected_critic


@pytest.mark.parametrize("method", TEXT.methods)
def test_kernels_strides_and_paddings_are_those_of_table_1(method: str) -> None:
    generator, critic = build(TEXT.methods[method], PAPER, seed=0)
    geometry = [
        [(c.kernel_size[0], c.stride[0], c.padding[0]) for c in convolutions(network) if c.kernel_size != (1, 1)]
        for network in (generator, critic)
    ]
    assert geometry == [[(4, 1, 0)] + [(4, 2, 1)] * 4, [(4, 2, 1)] * 4 + [(4, 1, 0)]]


class Census(NamedTuple):
    """What a reader of the two built module trees counts, at 64x64; strings name blocks by their numbers."""

    generator_biases: str
    critic_biases: str
    generator_spectral: str
    attention: int
    attention_spectral: int
    generator_norms: dict[str, int]
    critic_spectral: str
    critic_norms: dict[str, int]
    slopes: set[float]


BATCH, INSTANCE, LAYER = "BatchNorm2d", "InstanceNorm2d", "GroupNorm"
CENSUS = {  # from the rows of the paper's Table 3, and references of docs/protocols.md for the code
    "text": {
        "dcgan": Census("", "", "", 0, 0, {BATCH: 4}, "", {BATCH: 3}, {0.2}),
        "wgan-div": Census("5", "12345", "", 0, 0, {BATCH: 4}, "", {LAYER: 3}, {0.2}),
        "sngan": Census("5", "12345", "", 0, 0, {BATCH: 4}, "12345", {}, {0.1}),
        "sagan-div-a": Census("5", "5", "1234", 4, 16, {INSTANCE: 4}, "12345", {INSTANCE: 4}, {0.2}),
        "sagan-div-b": Census("12345", "12345", "1234", 4, 16, {}, "12345", {}, {0.2}),
        "sagan-div-c": Census("5", "5", "", 4, 0, {INSTANCE: 4}, "", {INSTANCE: 4}, {0.2}),
        "sagan-div-d": Census("5", "12345", "", 4, 0, {INSTANCE: 4}, "12345", {}, {0.2}),
    },
    "code": {
        "dcgan": Census("", "", "", 0, 0, {BATCH: 4}, "", {BATCH: 3}, {0.2}),
        "wgan-div": Census("", "", "", 0, 0, {BATCH: 4}, "", {BATCH: 3}, {0.2}),
        "sngan": Census("", "", "", 0, 0, {BATCH: 4}, "12345", {}, {0.2}),
        "sagan-div-a": Census("", "", "1234", 4, 16, {INSTANCE: 4}, "12345", {INSTANCE: 4}, {0.2}),
        "sagan-div-b": Census("", "", "1234", 4, 16, {}, "12345", {}, {0.2}),
        "sagan-div-c": Census("", "", "", 4, 16, {INSTANCE: 4}, "", {INSTANCE: 4}, {0.2}),
        "sagan-div-d": Census("", "", "", 4, 16, {INSTANCE: 4}, "12345", {}, {0.2}),
    },
}


def census(generator: nn.Sequential, critic: nn.Sequential) -> Census:
    def blocks(network: nn.Sequential, has: Callable[[nn.Module], bool]) -> str:
        return "".join(str(number) for number, block in enumerate(network, start=1) if has(block[0]))

    def biases(network: nn.Sequential) -> str:
        return blocks(network, lambda convolution: convolution.bias is not None)

    def spectral(network: nn.Sequential) -> str:
        return blocks(network, lambda convolution: is_parametrized(convolution, "weight"))

    def norms(network: nn.Sequential) -> dict[str, int]:
        return dict(Counter(name for block in network for name in (type(layer).__name__ for layer in block) if "Norm" in name))

    attention = [module for module in generator.modules() if isinstance(module, SaganAttention)]
    pointwise = [convolution for module in attention for convolution in convolutions(module)]
    slopes = {module.negative_slope for module in critic.modules() if isinstance(module, nn.LeakyReLU)}
    return Census(
        biases(generator),
        biases(critic),
        spectral(generator),
        len(attention),
        sum(is_parametrized(convolution, "weight") for convolution in pointwise),
        norms(generator),
        spectral(critic),
        norms(critic),
        slopes,
    )


@pytest.mark.parametrize("method", CENSUS["text"])
@pytest.mark.parametrize("protocol", STUDIES)
def test_norms_biases_and_attention_are_where_the_variant_says(protocol: str, method: str) -> None:
    generator, critic = build(STUDIES[protocol].methods[method], PAPER, seed=0)
    assert census(generator, critic) == CENSUS[protocol][method]
    assert not any(isinstance(m, Attention) for m in critic.modules())
    assert all(c.bias is None for m in generator.modules() if isinstance(m, Attention) for c in m.convolutions)


@pytest.mark.parametrize("method", CENSUS["text"])
@pytest.mark.parametrize("protocol", STUDIES)
def test_the_weights_are_the_paper_s(protocol: str, method: str) -> None:
    generator, critic = build(STUDIES[protocol].methods[method], PAPER, seed=0)
    weights = [sum(p.numel() for p in network.parameters() if p.ndim == 4) for network in (generator, critic)]
    attention = sum(10 * c * c // 8 for c in (512, 256, 128, 64)) if method.startswith("sagan") else 0
    assert weights == [3_572_736 + attention, 2_761_728]


def test_the_last_blocks_have_neither_norm_nor_relu_and_attention_comes_last() -> None:
    generator, critic = build(TEXT.methods["sagan-div-a"], PAPER, seed=0)
    names = [[type(layer).__name__.removeprefix("Parametrized") for layer in block] for block in generator]
    assert names == [["ConvTranspose2d", "InstanceNorm2d", "ReLU", "SaganAttention"]] * 4 + [["ConvTranspose2d", "Tanh"]]
    names = [[type(layer).__name__.removeprefix("Parametrized") for layer in block] for block in critic]
    assert names == [["Conv2d", "InstanceNorm2d", "LeakyReLU"]] * 4 + [["Conv2d", "Flatten"]]


def test_batch_and_layer_norm_leave_the_critic_s_first_layer_alone() -> None:
    for protocol, method in (("text", "dcgan"), ("text", "wgan-div"), ("code", "wgan-div")):
        _, critic = build(STUDIES[protocol].methods[method], PAPER, seed=0)
        assert [len(block) for block in critic] == [2, 3, 3, 3, 2]


@pytest.mark.parametrize("method", TEXT.methods)
def test_images_lie_in_the_range_of_tanh_and_scores_are_one_per_image(method: str) -> None:
    generator, critic = build(TEXT.methods[method], NARROW, seed=0)
    for count in (1, 3):
        images = generator.eval()(100 * torch.randn(count, 12, 1, 1))
        assert images.abs().max() <= 1
        assert critic.eval()(images).shape == (count,)


# Spectral norm


def sigma(weight: Tensor) -> float:
    """The largest singular value of the (out, in * h * w) matrix, in float64."""
    return float(np.linalg.svd(weight.detach().double().flatten(1).numpy(), compute_uv=False)[0])


def spectral_pairs(network: nn.Module) -> list[tuple[Tensor, Tensor]]:
    """The raw and the normalised weight of every layer with spectral norm, with the output channels first."""
    found = []
    for layer in convolutions(network):
        if is_parametrized(layer, "weight"):
            weights = layer.parametrizations.weight.original.detach(), layer.weight.detach()
            found.append(tuple(w.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else w for w in weights))
    return found


def test_spectral_norm_divides_by_the_largest_singular_value() -> None:
    shape = Shape(32, 1, 16, 100)
    generator, critic = build(TEXT.methods["sagan-div-a"], shape, seed=0)
    with torch.no_grad():
        for _ in range(300):  # one power iteration per pass
            images = generator(torch.randn(2, 100, 1, 1))
            critic(images)
    generator.eval(), critic.eval()
    pairs = spectral_pairs(generator) + spectral_pairs(critic)
    assert len(pairs) == 3 + 3 * 4 + 4
    for raw, normalised in pairs:
        assert torch.allclose(normalised.double(), raw.double() / sigma(raw), rtol=2e-3, atol=1e-6)


def test_spectral_norm_is_warm_at_the_start_because_it_sees_the_initialised_weights() -> None:
    generator, critic = build(TEXT.methods["sagan-div-a"], PAPER, seed=0)
    for raw, normalised in spectral_pairs(generator.eval()) + spectral_pairs(critic.eval()):
        assert raw.std() == pytest.approx(0.02, rel=0.1)
        assert sigma(normalised) == pytest.approx(1, abs=0.15)  # 15 iterations at registration, on these very weights


def test_spectral_norm_of_a_deconvolution_is_that_of_its_output_rows() -> None:
    generator, _ = build(TEXT.methods["sagan-div-b"], NARROW, seed=0)
    with torch.no_grad():
        for _ in range(300):
            generator(torch.randn(2, 12, 1, 1))
    weight = generator.eval()[-2][0].weight  # stored as (in, out, 4, 4)
    assert sigma(weight.transpose(0, 1)) == pytest.approx(1, rel=1e-3)
    assert sigma(weight) != pytest.approx(1, rel=0.1)  # rows of input channels: the other reading


def test_a_pass_iterates_once_in_training_and_never_in_evaluation() -> None:
    _, critic = build(TEXT.methods["sngan"], NARROW, seed=0)
    images = torch.randn(4, 1, 16, 16)
    layer = critic[0][0]
    raw = layer.parametrizations.weight.original.detach().double().flatten(1)
    before = layer.parametrizations.weight[0]._u.double()
    critic.eval()(images)
    assert torch.equal(layer.parametrizations.weight[0]._u.double(), before)
    v = layer.parametrizations.weight[0]._v.double()
    critic.train()(images)
    assert torch.allclose(layer.parametrizations.weight[0]._u.double(), nn.functional.normalize(raw @ v, dim=0), atol=1e-6)


def test_the_gradient_of_spectral_norm_is_that_of_its_paper() -> None:
    """Miyato et al. 2018, equation 12: dL/dW = (G - <G, W/sigma> u v') / sigma, with u and v constant."""
    _, critic = build(TEXT.methods["sngan"], NARROW, seed=0)
    layer = critic.double().eval()[1][0]
    original = layer.parametrizations.weight.original
    direction = torch.randn(original.shape, dtype=torch.float64)
    (found,) = torch.autograd.grad((layer.weight * direction).sum(), original)
    u, v = layer.parametrizations.weight[0]._u, layer.parametrizations.weight[0]._v
    matrix, g = original.detach().flatten(1), direction.flatten(1)
    s = u @ matrix @ v
    expected = (g - (g * matrix / s).sum() * torch.outer(u, v)) / s
    assert torch.allclose(found.flatten(1), expected, rtol=1e-9)


# Other norms


def test_instance_norm_has_nothing_to_learn_and_is_the_same_in_evaluation() -> None:
    generator, _ = build(TEXT.methods["sagan-div-c"], NARROW, seed=0)
    norm = next(module for module in generator.modules() if isinstance(module, nn.InstanceNorm2d))
    assert not list(norm.parameters())
    assert not list(norm.buffers())
    maps = torch.randn(3, norm.num_features, 5, 5, dtype=torch.float64)
    expected = torch.empty_like(maps)
    for sample in range(3):
        for channel in range(norm.num_features):
            plane = maps[sample, channel]
            expected[sample, channel] = (plane - plane.mean()) / (plane.var(unbiased=False) + 1e-5).sqrt()
    assert torch.allclose(norm.train()(maps), expected)
    assert torch.allclose(norm.eval()(maps), expected)


def test_layer_norm_takes_its_statistics_over_all_of_a_sample() -> None:
    _, critic = build(TEXT.methods["wgan-div"], NARROW, seed=0)
    norm = next(module for module in critic.double().modules() if isinstance(module, nn.GroupNorm))
    maps = torch.randn(3, norm.num_channels, 4, 4, dtype=torch.float64)
    expected = torch.stack([(each - each.mean()) / (each.var(unbiased=False) + 1e-5).sqrt() for each in maps])
    assert torch.allclose(norm(maps), expected)


@pytest.mark.parametrize(("protocol", "alone"), [("text", True), ("code", False)])
def test_only_batch_norm_ties_the_images_of_a_batch_together(protocol: str, alone: bool) -> None:
    _, critic = build(STUDIES[protocol].methods["wgan-div"], NARROW, seed=0)
    images = torch.randn(4, 1, 16, 16).double().requires_grad_(True)
    (gradients,) = torch.autograd.grad(critic.double()(images)[0], images)
    assert (gradients[1:].abs().max() == 0) == alone


# Initialisation


@pytest.mark.parametrize("method", TEXT.methods)
def test_weights_start_as_in_dcgan(method: str) -> None:
    for network in build(TEXT.methods[method], PAPER, seed=0):
        for name, parameter in network.named_parameters():
            if parameter.ndim == 4:
                weights, tolerance = parameter.detach(), 4 * 0.02 / parameter.numel() ** 0.5
                assert weights.mean() == pytest.approx(0, abs=tolerance), name
                assert weights.std() == pytest.approx(0.02, abs=tolerance), name
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.weight.detach().mean() == pytest.approx(1, abs=0.02)
                assert module.weight.detach().std() == pytest.approx(0.02, rel=0.5)
                assert module.bias.abs().max() == 0
            elif isinstance(module, nn.GroupNorm):
                assert module.weight.min() == module.weight.max() == 1
            elif isinstance(module, SaganAttention):
                assert module.gamma == 0


def test_the_initial_networks_depend_on_the_seed_alone() -> None:
    method = TEXT.methods["sagan-div-a"]
    torch.manual_seed(1)
    expected = torch.rand(())
    torch.manual_seed(1)
    first, again, other = (build(method, NARROW, seed)[0].state_dict() for seed in (0, 0, 1))
    assert torch.rand(()) == expected, "the caller's random numbers are not touched"
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["0.0.parametrizations.weight.original"], other["0.0.parametrizations.weight.original"])


# Parameters of the networks: taking one away, or another value, changes the tree


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("generator", {"norm": "none"}),
        ("generator", {"norm": "batch"}),
        ("generator", {"spectral": "all"}),
        ("generator", {"spectral": "none"}),
        ("generator", {"attention": "wang"}),
        ("generator", {"attention": "none"}),
        ("generator", {"attention_spectral": False}),
        ("generator", {"bias": "all"}),
        ("generator", {"bias": "none"}),
        ("critic", {"norm": "layer"}),
        ("critic", {"norm": "none"}),
        ("critic", {"norm_from": 2}),
        ("critic", {"spectral": "hidden"}),
        ("critic", {"spectral": "none"}),
        ("critic", {"slope": 0.1}),
        ("critic", {"bias": "all"}),
        ("critic", {"bias": "none"}),
    ],
)
def test_every_parameter_of_a_network_shows_in_its_tree(part: str, change: dict[str, object]) -> None:
    method = TEXT.methods["sagan-div-a"]
    settings = plain(getattr(method, part))
    kind, network = {"generator": (config.GeneratorConfig, Generator), "critic": (config.CriticConfig, Critic)}[part]
    trees = [repr(network(kind(**(settings | each)), NARROW)) for each in ({}, change)]
    assert trees[0] != trees[1]


def changed(method: str, **parts: dict[str, object]) -> config.MethodConfig:
    """A method of the text with other settings of its networks."""
    found = TEXT.methods[method]
    return found.model_copy(update={part: getattr(found, part).model_copy(update=change) for part, change in parts.items()})


@pytest.mark.parametrize("part", ["generator", "critic"])
def test_biases_start_from_zero_beside_the_same_weights(part: str) -> None:
    """So that a run with them differs from one without by nothing else."""
    index = ["generator", "critic"].index(part)
    without, found = (build(changed("sagan-div-a", **{part: {"bias": bias}}), NARROW, 0)[index] for bias in ("none", "all"))
    added = {name for name in found.state_dict() if name not in without.state_dict()}
    assert added == {f"{block}.0.bias" for block in range(len(found))}
    assert all(not found.state_dict()[name].any() for name in added)
    assert all(torch.equal(found.state_dict()[name], value) for name, value in without.state_dict().items())


# What a critic without biases cannot see (A20)


def learnt(method: str, bias: str) -> nn.Module:
    """A critic at weights and biases that training might reach, in float64: those of the start are small, and 0."""
    _, critic = build(changed(method, critic={"bias": bias}), NARROW, seed=0)
    random = torch.Generator().manual_seed(0)
    for parameter in critic.double().parameters():
        parameter.data += 0.2 * torch.randn(parameter.shape, generator=random)
    return critic.eval()


def pictures() -> Tensor:
    return torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(1)).double() * 2 - 1


@pytest.mark.parametrize("method", ["sngan", "sagan-div-b", "sagan-div-d"])
def test_without_biases_and_norms_mid_grey_scores_nothing_and_half_the_contrast_half(method: str) -> None:
    images = pictures()
    without, critic = learnt(method, "none"), learnt(method, TEXT.methods[method].critic.bias)
    assert not without(torch.zeros_like(images)).any()
    assert torch.allclose(without(images / 2), without(images) / 2, rtol=1e-12)
    assert critic(torch.zeros_like(images)).abs().min() > 0.01
    assert not torch.allclose(critic(images / 2), critic(images) / 2, rtol=0.05)


def test_with_layer_norm_it_is_blind_to_contrast_unless_it_has_biases() -> None:
    def apart(critic: nn.Module) -> float:
        faint, strong = critic(pictures() / 2), critic(pictures() * 2)
        return float(((faint - strong).norm() / strong.norm()).detach())

    assert apart(learnt("wgan-div", "none")) < 1e-3
    assert apart(learnt("wgan-div", TEXT.methods["wgan-div"].critic.bias)) > 0.03
    assert apart(learnt("sagan-div-c", "all")) < 1e-3, "instance norm after the first layer: the paper's own design"


def test_a_norm_takes_the_bias_before_it_back_but_layer_norm_only_their_mean() -> None:
    """Which is what `where-no-norm` leaves out; WGAN-div's critic has `all`."""
    for norm, same in (("batch", True), ("instance", True), ("layer", False)):
        _, critic = build(changed("wgan-div", critic={"norm": norm, "bias": "all"}), NARROW, seed=0)
        images = pictures()
        before = critic.double()(images)
        torch.nn.init.normal_(critic[1][0].bias, std=0.1)
        assert torch.allclose(critic(images), before, rtol=1e-9) == same, norm


def test_of_one_channel_the_last_deconvolution_s_spectral_norm_is_the_norm_of_its_weights() -> None:
    """So that spectral norm there caps what the generator draws, whatever it has learnt (A8)."""
    generator, _ = build(changed("sagan-div-b", generator={"spectral": "all"}), NARROW, seed=0)
    last = generator.eval()[-1][0]
    assert last.weight.detach().norm() == pytest.approx(1, rel=1e-5)
    last.parametrizations.weight.original.data *= 100
    assert last.weight.detach().norm() == pytest.approx(1, rel=1e-5)


# describe


def test_describe_counts_parameters_and_multiplications() -> None:
    """FLOPs of a convolution: 2 in out 16 per output position (input position where it is transposed)."""
    generator, critic = build(TEXT.methods["sagan-div-d"], PAPER, seed=0)
    rows = describe(generator, PAPER)
    assert sum(row.parameters for row in rows) == 4_007_940 + 1  # the last bias
    assert [row.block for row in rows if row.name == "deconv"] == [1, 2, 3, 4, 5]  # as Table 1 numbers them
    deconvolutions = [row.flops for row in rows if row.name == "deconv"]
    pairs = [(100, 512, 1), (512, 256, 4), (256, 128, 8), (128, 64, 16), (64, 1, 32)]
    assert deconvolutions == [2 * a * b * 16 * side * side for a, b, side in pairs]
    attention = [row.flops for row in rows if row.name == "SaganAttention"]
    for flops, (c, side) in zip(attention, [(512, 4), (256, 8), (128, 16), (64, 32)], strict=True):
        queries, keys = side * side, side * side // 4
        assert flops == 2 * (queries * (2 * c * c // 8 + 2 * c * c // 2) + queries * keys * (c // 8 + c // 2))
    rows = describe(critic, PAPER)
    assert [row.flops for row in rows if row.name.startswith("conv")][:2] == [2 * 16 * 64 * 32**2, 2 * 64 * 16 * 128 * 16**2]
    assert [row.name for row in rows][-2:] == ["conv + SN", "score"]
    assert rows[-2].kernel == "4 / 1 / 0"


def test_describe_leaves_the_network_as_it_was() -> None:
    generator, critic = build(TEXT.methods["sagan-div-a"], NARROW, seed=0)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    describe(generator, NARROW)
    assert generator.training
    assert all(torch.equal(before[name], value) for name, value in generator.state_dict().items())
    describe(critic.eval(), NARROW)
    assert not critic.training
