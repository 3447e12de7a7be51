"""What a description was read as."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from snap_catalog.definition import COMMON
from snap_catalog.readings import SURE

from snap_encode.reading.kinds import KINDS
from snap_encode.reading.numbers import IMPLIED

UNSURE = 0.3
"""Confidence below which the words alone count, as from `SURE` on the meaning alone does."""
_CERTAIN = 0.9
"""Confidence from which on an operator's name counts against its description: names say little."""
_OF_ENDS = frozenset({*COMMON, "identity", "addition", "concatenation"})
"""Kinds that the input and the output of a graph are rightly described as."""


@dataclass(frozen=True)
class Reading:
    """An operator as its description was understood.

    Attributes:
        text: the description.
        kind: of operator, one of `snap_encode.reading.kinds.KINDS`: the likeliest.
        kernel: height and width of its window; None if the kind has none.
        stride: None if the text states none, as with the three that follow.
        dilation: distance between the positions of the window.
        groups: into which the channels are parted.
        expansion: by how much an inverted residual widens.
        function: which normalisation, activation or recurrent network.
        follows: what comes after the operator: normalisation and activation, in that order.
        confidence: `kind`, and each number that is not None, from 0 (assumed) to 1.
        sentence: the catalog's way to describe such an operator.
    """

    text: str
    kind: str
    kernel: tuple[int, int] | None = None
    stride: int | None = None
    dilation: int | None = None
    groups: int | None = None
    expansion: int | None = None
    function: str | None = None
    follows: tuple[str, ...] = ()
    confidence: Mapping[str, float] = field(default_factory=dict)
    sentence: str = ""

    @property
    def weight(self) -> float:
        """Share of the meaning in the operator's vector; the rest is that of its own words."""
        return min(max((self.confidence["kind"] - UNSURE) / (SURE - UNSURE), 0.0), 1.0)

    @property
    def readable(self) -> bool:
        """Whether the text was recognised as the description of an operator."""
        return self.confidence["kind"] >= UNSURE

    def contradicts(self, other: "Reading") -> bool:
        """Whether a certain name and a surely read description mean different operators.

        Args:
            other: the description; `self` is the name.
        """
        if self.confidence["kind"] < _CERTAIN or other.confidence["kind"] < SURE:
            return False
        if self.kind in COMMON and other.kind in _OF_ENDS:
            return False
        general = [KINDS[kind].general or kind for kind in (self.kind, other.kind)]
        if general[0] != general[1]:
            return True
        certain = min(each.confidence.get("kernel", 0) for each in (self, other)) >= IMPLIED
        return certain and self.kernel != other.kernel

    def doubt(self, name: "Reading") -> str | None:
        """Say what is wrong with a description, if anything is.

        Args:
            name: what the operator's name was read as.
        """
        if not self.readable:
            return "not recognised as an operator; describe what it computes, and its kernel"
        if name.contradicts(self):
            said = f"; its description {self.summary}" if name.kind in COMMON else ""
            return f"its name {name.text!r} says {name.summary}{said}; correct one of them"
        return None

    @property
    def summary(self) -> str:
        """The reading in one line: `convolution, kernel 3x3, stride 2 (batch norm, relu)`."""
        parts = [" ".join(filter(None, (self.function, self.kind.replace("_", " "))))]
        if self.kernel is not None:
            assumed = "" if self.confidence["kernel"] else " (assumed)"
            parts.append(f"kernel {self.kernel[0]}x{self.kernel[1]}{assumed}")
        for name in ("stride", "dilation", "groups", "expansion"):
            value = getattr(self, name)
            if value is not None:
                parts.append(f"{name} {value}")
        after = f", then {', '.join(self.follows)}" if self.follows else ""
        return ", ".join(parts) + after


def sentence(reading: Reading) -> str:
    """Describe an operator as the catalog would."""
    kind = KINDS[reading.kind]
    height, width = reading.kernel or (0, 0)
    shown = kind.sentence.format(
        kernel=f"{height}x{width}",
        side=max(height, width),
        function=FUNCTIONS.get(reading.function or "", (reading.function or "").capitalize()),
    ).strip()
    details = []
    if reading.dilation is not None and reading.dilation != (kind.dilation or 1):
        details.append(f"dilation {reading.dilation}")
    if (reading.stride or 1) > 1 and "pooling" not in reading.kind:
        details.append(f"stride {reading.stride}")
    if reading.expansion is not None:
        details.append(f"expansion {reading.expansion}")
    if (reading.groups or 1) > 1 and reading.kind != "grouped_convolution":
        details.append("grouped")
    return ", ".join((shown, *details))


FUNCTIONS = {
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "prelu": "PReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "rms": "RMS",
    "local_response": "Local response",
    "lstm": "LSTM",
    "gru": "GRU",
    "rnn": "Recurrent",
}
"""Names of functions that are not just capitalised."""
