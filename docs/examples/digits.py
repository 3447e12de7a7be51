"""The blocks of digits.toml; each is called as Class(in_channels, out_channels, stride)."""

from torch import Tensor, nn


class Convolution1(nn.Sequential):
    """Convolution 1x1, batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        """Build it."""
        super().__init__(*_convolution(in_channels, out_channels, 1, stride), nn.ReLU())


class Convolution3(nn.Sequential):
    """Convolution 3x3, batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        """Build it."""
        super().__init__(*_convolution(in_channels, out_channels, 3, stride), nn.ReLU())


class Separable5(nn.Sequential):
    """Depthwise convolution 5x5, convolution 1x1, batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        """Build it."""
        super().__init__(
            nn.Conv2d(in_channels, in_channels, 5, stride, 2, groups=in_channels, bias=False),
            *_convolution(in_channels, out_channels, 1, 1),
            nn.ReLU(),
        )


class MaxPooling3(nn.Sequential):
    """Max pooling 3x3, and a convolution 1x1 where the number of channels changes."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        """Build it."""
        changes = in_channels != out_channels
        change = _convolution(in_channels, out_channels, 1, 1) if changes else ()
        super().__init__(nn.MaxPool2d(3, stride, 1), *change)


class Attention(nn.Module):
    """Self-attention among the pixels, which are averaged by the stride first."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        """Build it."""
        super().__init__()
        self.reduce = nn.AvgPool2d(stride, ceil_mode=True)
        self.embed = nn.Conv2d(in_channels, out_channels, 1)
        self.norm = nn.LayerNorm(out_channels)
        self.attend = nn.MultiheadAttention(out_channels, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, in_channels, h, w) to (b, out_channels, h / stride, w / stride)."""
        x = self.embed(self.reduce(x))
        pixels = self.norm(x.flatten(2).transpose(1, 2))
        mixed, _ = self.attend(pixels, pixels, pixels, need_weights=False)
        return x + mixed.transpose(1, 2).reshape(x.shape)


def _convolution(
    in_channels: int, out_channels: int, kernel: int, stride: int
) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False)
    return convolution, nn.BatchNorm2d(out_channels)
