"""The pictures on the README's screenshots, drawn here, so that they show nobody's photo."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageEnhance

WIDTH, HEIGHT = 1200, 900
SCALE = 2  # drawn larger and reduced, as Pillow draws hard edges
Point = tuple[float, float]

INK = "#3b2416"
FUR, FUR_DARK, CREAM, PINK = "#e08a3c", "#b8622a", "#fbe7cd", "#e8a193"


@dataclass(frozen=True)
class Canvas:
    """A drawing of WIDTH x HEIGHT, whatever its scale."""

    image: Image.Image

    @classmethod
    def with_gradient(cls, top: str, bottom: str) -> Canvas:
        size = (WIDTH * SCALE, HEIGHT * SCALE)
        mask = Image.linear_gradient("L").resize(size)
        return cls(Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask))

    def ellipse(self, x: float, y: float, radius_x: float, radius_y: float, fill: str) -> None:
        box = [(x - radius_x) * SCALE, (y - radius_y) * SCALE, (x + radius_x) * SCALE, (y + radius_y) * SCALE]
        self._draw.ellipse(box, fill=fill)

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def line(self, points: Sequence[Point], width: float, fill: str) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(scaled, fill=fill, width=round(width * SCALE))
        for x, y in points:  # round ends and joints
            self.ellipse(x, y, width / 2, width / 2, fill)

    def curve(self, start: Point, control: Point, end: Point, width: float, fill: str) -> None:
        """A quadratic Bezier curve."""
        steps = [index / 40 for index in range(41)]
        self.line([_bezier(start, control, end, step) for step in steps], width, fill)

    def finished(self) -> Image.Image:
        return self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)

    @property
    def _draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)


def _bezier(start: Point, control: Point, end: Point, t: float) -> Point:
    x, y = (a * (1 - t) ** 2 + 2 * b * t * (1 - t) + c * t**2 for a, b, c in zip(start, control, end, strict=True))
    return x, y


def cat() -> Image.Image:
    """A ginger cat that looks at the viewer."""
    canvas = Canvas.with_gradient("#8fb7b3", "#d9e4d4")
    canvas.ellipse(600, 1010, 900, 260, "#a9745a")  # a rug
    canvas.curve((820, 820), (1130, 820), (1010, 520), 74, FUR_DARK)  # tail
    canvas.ellipse(600, 790, 290, 300, FUR)
    canvas.ellipse(600, 850, 165, 220, CREAM)
    for side in (-1, 1):
        canvas.ellipse(600 + side * 130, 880, 78, 52, FUR)  # paws
        ear = [(600 + side * 50, 250), (600 + side * 262, 60), (600 + side * 270, 360)]
        canvas.polygon(ear, FUR)
        canvas.polygon([(600 + side * 110, 240), (600 + side * 235, 120), (600 + side * 240, 310)], PINK)
    canvas.ellipse(600, 390, 290, 238, FUR)
    for offset in (-70, 0, 70):  # stripes on the forehead
        canvas.curve((600 + offset, 165), (600 + offset * 0.8, 215), (600 + offset * 0.7, 255), 22, FUR_DARK)
    for side in (-1, 1):
        for y in (400, 450):
            canvas.curve((600 + side * 282, y), (600 + side * 245, y + 4), (600 + side * 205, y + 18), 18, FUR_DARK)
        canvas.ellipse(600 + side * 112, 372, 66, 62, "#f4f1df")
        canvas.ellipse(600 + side * 108, 374, 52, 54, "#7da23c")
        canvas.ellipse(600 + side * 106, 374, 22, 48, "#1c1410")
        canvas.ellipse(600 + side * 106 + 12, 352, 11, 11, "#ffffff")
        canvas.ellipse(600 + side * 58, 498, 82, 64, CREAM)
    canvas.polygon([(566, 452), (634, 452), (600, 492)], "#c8635c")
    for side in (-1, 1):
        canvas.curve((600, 490), (600 + side * 10, 545), (600 + side * 62, 530), 8, INK)
        for lift in (-28, 0, 28):
            cheek = (600 + side * 92, 500 + lift / 3)
            canvas.curve(cheek, (600 + side * 220, 480 + lift), (600 + side * 350, 500 + lift * 2), 5, CREAM)
    return canvas.finished()


def house() -> Image.Image:
    """A house under a tree."""
    canvas = Canvas.with_gradient("#7db4dd", "#e6f0ee")
    canvas.ellipse(960, 170, 80, 80, "#ffe08a")
    canvas.ellipse(300, 1000, 760, 320, "#7fae68")
    canvas.ellipse(980, 1040, 700, 330, "#6a9c58")
    canvas.polygon([(380, 430), (820, 430), (820, 780), (380, 780)], "#f1e3cf")
    canvas.polygon([(330, 440), (600, 230), (870, 440)], "#a5483c")
    canvas.polygon([(555, 580), (650, 580), (650, 780), (555, 780)], "#5d4030")
    for left in (430, 695):
        canvas.polygon([(left, 510), (left + 80, 510), (left + 80, 595), (left, 595)], "#8fc3de")
    canvas.line([(1010, 800), (1010, 560)], 44, "#6b4a32")
    for x, y, radius in ((1010, 460, 130), (930, 530, 90), (1090, 530, 95)):
        canvas.ellipse(x, y, radius, radius, "#4f8a4c")
    return canvas.finished()


def sailboat() -> Image.Image:
    """A sailboat on the sea."""
    canvas = Canvas.with_gradient("#bcdcf0", "#f4e6cf")
    canvas.polygon([(0, 600), (WIDTH, 600), (WIDTH, HEIGHT), (0, HEIGHT)], "#2f6f9c")
    for row, y in enumerate(range(650, 900, 60)):
        for x in range(-80 + row * 70, WIDTH, 240):
            canvas.curve((x, y), (x + 55, y - 26), (x + 110, y), 8, "#5b97bf")
    canvas.line([(620, 640), (620, 170)], 16, "#6b4a32")
    canvas.polygon([(640, 190), (640, 580), (900, 580)], "#fdf7ea")
    canvas.polygon([(600, 250), (600, 580), (400, 580)], "#d8573f")
    canvas.polygon([(360, 630), (900, 630), (800, 740), (450, 740)], "#6b3a28")
    return canvas.finished()


PICTURES: tuple[Callable[[], Image.Image], ...] = (cat, house, sailboat)


def variation(picture: Image.Image, index: int) -> Image.Image:
    """The picture from a little nearer or farther, brighter or darker, or in a mirror: the same for the same index."""
    share = 0.02 * (index % 9)
    box = (WIDTH * share, HEIGHT * share, WIDTH * (1 - share), HEIGHT * (1 - share))
    varied = picture.resize((640, 480), box=box)
    varied = ImageEnhance.Brightness(varied).enhance(0.7 + 0.06 * (index % 11))
    varied = ImageEnhance.Color(varied).enhance(0.5 + 0.1 * (index % 8))
    return varied.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if index % 2 else varied


def jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
