"""The reading of a description."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from snap_catalog.definition import COMMON
from snap_catalog.readings import SURE

from snap_encode.reading.kinds import KINDS
from snap_encode.reading.numbers import IMPLIED

UNSURE = 0.3
"""Confidence below which the vector is that of the text; from `SURE`, it is that of the meaning."""
_CERTAIN = 0.9
"""Confidence from which the name of an operator can contradict its description."""
_OF_ENDS = frozenset({*COMMON, "identity", "addition", "concatenation"})
"""Kinds that are valid descriptions of the input and the output of a graph."""


@dataclass(frozen=True)
class Reading:
    """An operator as read from a description.

    Attributes:
        text: the description.
        kind: most likely kind of operator, one of `snap_encode.reading.kinds.KINDS`.
        kernel: height and width of its window; None if the kind has none.
        stride: None if the text states none; the same for the next three.
        dilation: distance between the positions of the window.
        groups: number of channel groups.
        expansion: expansion ratio of an inverted residual.
        function: name of the normalisation, activation or recurrent network.
        follows: normalisation and activation after the operator, in that order.
        confidence: `kind`, and each number that is not None, from 0 (assumed) to 1.
        sentence: the catalog's sentence for such an operator.
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
        """Weight of the meaning in the operator's vector; the rest is the vector of the text."""
        return min(max((self.confidence["kind"] - UNSURE) / (SURE - UNSURE), 0.0), 1.0)

    @property
    def readable(self) -> bool:
        """Whether the text was recognised as the description of an operator."""
        return self.confidence["kind"] >= UNSURE

    def contradicts(self, other: "Reading") -> bool:
        """Return whether a name (`self`) and its description, both read with confidence, differ."""
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
        """Return the problem of a description, or None; `name` is the reading of its name."""
        if not self.readable:
            return "not recognised as an operator; describe what it computes, and its kernel"
        if name.contradicts(self):
            own = f"; its description {self.summary}" if name.kind in COMMON else ""
            return f"its name {name.text!r} says {name.summary}{own}; correct one of them"
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
    """Describe an operator in the words of the catalog."""
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
"""Names of functions that are not simply capitalised."""
