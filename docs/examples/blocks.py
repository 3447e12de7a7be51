"""The blocks of blocks.toml; each is called as Class(in_channels, out_channels, stride)."""

from torch import Tensor, nn


class InvertedResidual(nn.Sequential):
    """Expansion to four times the channels, depthwise convolution 3x3, projection."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        """Build it."""
        wide = 4 * in_channels
        super().__init__(
            nn.Conv2d(in_channels, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )


class PixelAttention(nn.Module):
    """Self-attention among the pixels, which are averaged by the stride first."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        """Build it."""
        super().__init__()
        self.reduce = nn.AvgPool2d(stride, ceil_mode=True)
        self.embed = nn.Conv2d(in_channels, out_channels, 1)
        self.norm = nn.LayerNorm(out_channels)
        self.attend = nn.MultiheadAttention(out_channels, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, in_channels, h, w) to (b, out_channels, h / stride, w / stride)."""
        x = self.embed(self.reduce(x))
        pixels = self.norm(x.flatten(2).transpose(1, 2))
        mixed, _ = self.attend(pixels, pixels, pixels, need_weights=False)
        return x + mixed.transpose(1, 2).reshape(x.shape)
