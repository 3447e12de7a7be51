"""The formulas of the proxies, on networks for which their values are known."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

torch = pytest.importorskip("torch")

from snap_evo.proxies import NO_SCORE, Settings, measure_network, score_network  # noqa: E402
from snap_evo.proxies.activations import _Patterns, nwot, spectral_entropy  # noqa: E402
from snap_evo.proxies.blocks import az_trainability, blocks_of, spectral_norm  # noqa: E402
from snap_evo.proxies.gradients import Gradients, without_batch_norm, zico  # noqa: E402
from snap_evo.proxies.images import Noise  # noqa: E402
from snap_evo.proxies.jacobian import Jacobian, epe_nas, jacov  # noqa: E402
from snap_evo.proxies.perturbation import Response, last_feature_map, zen  # noqa: E402
from snap_evo.proxies.proxy import Batch  # noqa: E402
from snap_evo.proxies.registry import PROXIES, combine  # noqa: E402
from snap_evo.proxies.watch import ActivationWatch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

Floats = npt.NDArray[np.float64]
SMALL = Settings(batch=6, image=8)


def linear(*widths: int) -> nn.Sequential:
    """Return a network of linear layers without biases."""
    torch.manual_seed(0)
    layers = [nn.Linear(a, b, bias=False) for a, b in pairwise(widths)]
    return nn.Sequential(nn.Flatten(), *layers)


def weights(network: nn.Module) -> list[Floats]:
    return [p.detach().double().numpy() for p in network.parameters()]


def softmax_errors(logits: Floats, labels: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return (b, c) probabilities, and the gradient of the mean cross-entropy by logits."""
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return shares, (shares - np.eye(logits.shape[1])[labels]) / len(logits)


def batch(classes: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    drawn = Noise().draw(SMALL.batch, 8, classes, SMALL.seed, 0)
    return drawn.images.flatten(1).double().numpy(), drawn.labels.numpy()


def test_proxies_of_a_linear_network_have_their_closed_forms() -> None:
    network = linear(192, 5, 4)
    first, second = weights(network)
    x, labels = batch(4)
    hidden = x @ first.T
    logits = hidden @ second.T
    _, errors = softmax_errors(logits, labels)
    back = errors @ second
    gradients = [back.T @ x, errors.T @ hidden]
    names = ("params", "flops", "l2_norm", "grad_norm", "snip", "plain", "fisher", "synflow")
    expected = {
        "params": 192 * 5 + 5 * 4,
        "flops": 192 * 5 + 5 * 4,
        "l2_norm": sum(np.linalg.norm(w) for w in (first, second)),
        "grad_norm": sum(np.linalg.norm(g) for g in gradients),
        "snip": sum(np.abs(w * g).sum() for w, g in zip((first, second), gradients, strict=True)),
        "plain": 2 * (errors * logits).sum(),
        "fisher": sum((a**2).mean(0).sum() / 2 for a in (hidden * back, logits * errors)),
        "synflow": math.log(2 * (np.abs(second) @ np.abs(first)).sum()),
    }
    assert score_network(network, names, SMALL) == pytest.approx(expected, rel=1e-4)


def test_grasp_of_a_linear_layer_is_minus_the_weights_times_hessian_times_gradient() -> None:
    network = linear(192, 4)
    (weight,), (x, labels) = weights(network), batch(4)
    shares, errors = softmax_errors(x @ weight.T, labels)
    gradient = errors.T @ x
    change = x @ gradient.T
    change = shares * (change - (shares * change).sum(1, keepdims=True)) / len(x)
    expected = -(weight * (change.T @ x)).sum()
    assert score_network(network, ["grasp"], SMALL)["grasp"] == pytest.approx(expected, rel=1e-4)


def test_jacov_of_uncorrelated_and_of_equal_jacobians() -> None:
    signs = np.array([[1.0, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])
    labels = np.zeros(3, np.int64)
    uncorrelated, equal = jacov(Jacobian(signs, labels)), jacov(Jacobian(signs[[0, 0, 0]], labels))
    assert uncorrelated == pytest.approx(-3 * (math.log(1 + 1e-5) + 1 / (1 + 1e-5)))
    assert equal < -1e5
    assert math.isnan(jacov(Jacobian(np.zeros((3, 4)), labels)))


def test_epe_nas_sums_logarithms_of_correlations_within_classes() -> None:
    signs = np.array([[1.0, 1, -1, -1], [1, -1, 1, -1], [1, 1, -1, -1], [2, 3, 4, 9]])
    found = epe_nas(Jacobian(signs, np.array([0, 0, 1, 2])))
    assert found == pytest.approx(abs(2 * math.log(1 + 1e-5) + 2 * math.log(1e-5)))
    assert math.isnan(epe_nas(Jacobian(signs, np.arange(4))))


def test_epe_nas_averages_differences_between_many_classes() -> None:
    rows, labels = np.random.default_rng(0).normal(size=(202, 6)), np.repeat(np.arange(101), 2)
    r = [np.corrcoef(rows[labels == c])[0, 1] for c in range(101)]
    means = np.log(np.abs(r) + 1e-5) + math.log(1 + 1e-5)
    expected = np.abs(means[:, None] - means).mean()
    assert epe_nas(Jacobian(rows, labels)) == pytest.approx(expected)


def test_zico_relates_gradients_to_their_deviation_and_leaves_out_constant_ones() -> None:
    def of(*values: float) -> list[Tensor]:
        return [torch.tensor(values), torch.ones(2)]

    found = zico(Gradients([], of(1.0, -2.0, 5.0), []), [of(3.0, 6.0, 5.0)])
    assert found == pytest.approx(math.log(2 / 1 + 4 / 2))


def test_zen_adds_logarithms_of_deviations() -> None:
    assert zen(Response(math.e, [4.0, 1.0])) == pytest.approx(1 + math.log(2))
    assert zen(Response(0.0, [1.0])) == -math.inf
    assert zen(Response(1.0, [0.0])) == -math.inf


def test_zen_does_not_depend_on_the_weights_of_the_network() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2))
    before = score_network(network, ["zen"], SMALL)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3)
    network(torch.randn(4, 3, 8, 8))
    assert score_network(network, ["zen"], SMALL) == before


def test_the_last_feature_map_is_what_global_pooling_takes() -> None:
    parts = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)]
    images = torch.randn(2, 3, 8, 8)
    found = last_feature_map(nn.Sequential(*parts), images)
    assert torch.equal(found, parts[1](parts[0](images)))
    assert last_feature_map(nn.Flatten(), images).shape == (2, 192)


@given(
    arrays(
        np.float32,
        array_shapes(min_dims=2, max_dims=4, max_side=5),
        elements=st.sampled_from([-1.0, 0.0, 2.0]),
    )
)
@settings(max_examples=50, deadline=None)
def test_patterns_are_counted_as_by_comparing_all_of_them(values: npt.NDArray[np.float32]) -> None:
    patterns = _Patterns(len(values))
    patterns.add(torch.from_numpy(values))
    patterns.add(torch.from_numpy(-values))
    on = np.hstack([(sign * values.reshape(len(values), -1)) > 0 for sign in (1, -1)])
    agreements = [[(a == b).sum() for b in on] for a in on]
    assert patterns.agreements.tolist() == agreements
    assert patterns.distinct() == len(np.unique(on.T, axis=0))


@pytest.mark.parametrize(
    "function",
    [torch.relu, functional.relu6, functional.gelu, functional.silu, nn.PReLU(), nn.LeakyReLU()],
)
def test_every_rectifier_is_seen(function: Callable[[Tensor], Tensor]) -> None:
    seen: list[Tensor] = []
    with ActivationWatch(seen.append):
        function(torch.ones(2, 3))
    assert [tuple(x.shape) for x in seen] == [(2, 3)]


class Shuffled(Noise):
    """Noise in another order."""

    def draw(self, size: int, side: int, classes: int, seed: int, number: int) -> Batch:
        drawn = super().draw(size, side, classes, seed, number)
        order = torch.randperm(size, generator=torch.Generator().manual_seed(1))
        return Batch(drawn.images[order], drawn.labels[order])


def convolutional() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True)),
        *(nn.Conv2d(8, 8, 3, stride=2, padding=1), nn.ReLU(inplace=True)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)),
    )


def test_the_order_of_images_changes_nothing() -> None:
    names = [name for name in PROXIES if name not in ("zen", "az_trainability")]
    network = convolutional()
    ours = measure_network(network, names, SMALL).values
    shuffled = measure_network(network, names, SMALL, Shuffled()).values
    for name in ("nwot", "swap", "synflow", "params"):
        assert shuffled[name] == pytest.approx(ours[name], rel=1e-6)
    assert shuffled == pytest.approx(ours, rel=0.02, abs=1e-6)


def test_the_spectral_entropy_is_that_of_the_principal_components() -> None:
    line = torch.randn(2, 1, 4, 4).expand(-1, 3, -1, -1)
    assert spectral_entropy(line) == pytest.approx(0, abs=1e-6)
    corners = torch.eye(3).view(3, 3, 1, 1)
    both = torch.cat([corners, -corners])
    assert spectral_entropy(both) == pytest.approx(math.log(3))
    assert spectral_entropy(torch.ones(2, 3, 4, 4)) == 0


def test_the_spectral_norm_is_that_of_the_jacobian() -> None:
    signs = torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    signs = signs.view(1, 4, 2, 2)
    assert spectral_norm(signs, 3 * signs) == pytest.approx(3)
    pooled = functional.interpolate(signs, scale_factor=2) / 4
    assert spectral_norm(signs, pooled) == pytest.approx(1 / 2)
    assert spectral_norm(signs, pooled[..., :3, :3]) > 0


@given(st.floats(0.01, 100))
def test_trainability_is_best_where_gradients_keep_their_size(norm: float) -> None:
    assert az_trainability([norm]) <= az_trainability([1.0]) + 1e-5
    assert az_trainability([1.0]) == pytest.approx(0, abs=1e-5)


def test_blocks_are_the_outermost_modules_made_of_others() -> None:
    def block() -> nn.Module:
        module = nn.Module()
        module.layers = nn.Sequential(nn.ReLU(), nn.Conv2d(3, 3, 1))
        return module

    cells, stem = [block() for _ in range(3)], nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU())
    nested = nn.Sequential(stem, nn.Sequential(*cells[:2]), nn.ReLU(), cells[2])
    assert blocks_of(nested) == [stem, *cells]
    plain = convolutional()
    assert blocks_of(plain) == [plain[0], plain[3], plain[7]]


def test_batch_normalisations_are_left_out_at_any_depth() -> None:
    network = nn.Sequential(nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)), nn.BatchNorm2d(3))
    found = without_batch_norm(network)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in found.modules())


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 4), st.integers(1, 6)),
        elements=st.floats(-100, 100, allow_subnormal=False),
    )
)
def test_combining_prefers_networks_that_every_proxy_prefers(columns: Floats) -> None:
    found = combine(list(columns))
    assert (found <= 1e-12).all()
    for i, j in np.ndindex(len(found), len(found)):
        if (columns[:, i] >= columns[:, j]).all():
            assert found[i] >= found[j] - 1e-9


def test_combining_adds_logarithms_of_ranks() -> None:
    found = combine([np.array([1.0, 5.0, 3.0, 3.0]), np.array([4.0, 3.0, 2.0, 1.0])])
    ranks = np.array([[1, 4, 2.5, 2.5], [4, 3, 2, 1]])
    assert found == pytest.approx(np.log(ranks / 4).sum(0))


def test_identical_activations_have_no_volume() -> None:
    from snap_evo.proxies.activations import Activations

    assert nwot(Activations(np.full((3, 3), 7.0), 1, [])) == -math.inf


@pytest.mark.parametrize("make", [lambda: linear(192, 3), convolutional])
def test_every_score_is_finite(make: Callable[[], nn.Module]) -> None:
    values = score_network(make(), PROXIES, SMALL)
    assert list(values) == list(PROXIES)
    assert all(math.isfinite(value) and value >= NO_SCORE for value in values.values())
