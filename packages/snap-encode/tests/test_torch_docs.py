import pytest
from snap_catalog import SnapError, corpus
from snap_encode.torch_docs import official_description

_LEFT_OUT = {
    # Losses compare a network's output with a target; they are no part of the network.
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "LinearCrossEntropyLoss",
    "MSELoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "NLLLoss2d",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    # Containers hold other modules or parameters, and compute nothing of their own.
    "Container",
    "DataParallel",
    "ModuleDict",
    "ModuleList",
    "ParameterDict",
    "ParameterList",
    "Sequential",
    # Base classes cannot be run.
    "Module",
    "RNNBase",
    "RNNCellBase",
    # Torch's older, undocumented form of LocalResponseNorm.
    "CrossMapLRN2d",
}


@pytest.fixture(scope="module")
def modules() -> set[str]:
    """The names of torch.nn's module classes."""
    from torch import nn

    found = {name: value for name, value in vars(nn).items() if isinstance(value, type)}
    return {name for name, value in found.items() if issubclass(value, nn.Module)}


def test_every_module_of_torch_is_in_the_corpus_or_left_out_for_a_reason(modules: set[str]) -> None:
    assert {term.name for term in corpus().values() if term.torch} == modules - _LEFT_OUT
    assert modules >= _LEFT_OUT


@pytest.mark.parametrize("name", [term.name for term in corpus().values() if term.torch])
def test_torch_describes_each_of_its_operators_in_one_plain_sentence(name: str) -> None:
    text = official_description(name)
    assert text.endswith(".")
    assert not set(text) & set("`\\{}\n")
    assert len(text.split()) > 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        # Of two lines.
        (
            "Conv2d",
            "Applies a 2D convolution over an input signal composed of several input planes.",
        ),
        # Below a signature, with TeX.
        (
            "RNN",
            "Apply a multi-layer Elman RNN with tanh or ReLU non-linearity to an input sequence.",
        ),
        ("Linear", "Applies an affine linear transformation to the incoming data: y = xA^T + b."),
        ("LogSoftmax", "Applies the log(Softmax(x)) function to an n-dimensional input Tensor."),
        # With roles and literals.
        ("MaxUnpool2d", "Computes a partial inverse of MaxPool2d."),
        ("LazyLinear", "A torch.nn.Linear module where in_features is inferred."),
        # With a formula below.
        (
            "BCELoss",
            "Creates a criterion that measures the Binary Cross Entropy between the target and the "
            "input probabilities.",
        ),
        # With a second sentence in the same paragraph.
        ("Unflatten", "Unflattens a tensor dim expanding it to a desired shape."),
    ],
)
def test_markup_becomes_plain_text(name: str, text: str) -> None:
    assert official_description(name) == text


@pytest.mark.parametrize("name", ["Conv9d", "functional", "Parameter", "__doc__", ""])
def test_what_is_no_module_of_torch_is_reported_with_the_remedy(name: str) -> None:
    with pytest.raises(SnapError, match=rf"no module torch\.nn\.{name};.* check the spelling"):
        official_description(name)


def test_an_undocumented_module_does_not_get_the_words_of_its_base() -> None:
    with pytest.raises(SnapError, match=r"describes no module torch\.nn\.CrossMapLRN2d"):
        official_description("CrossMapLRN2d")
