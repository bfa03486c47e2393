"""Random changes of pictures that do not change what they show, for a whole minibatch at a time.

Flip, crop, scale, blur and sharpen are linear along each axis of the picture. So each picture gets one matrix for its
rows and one for its columns, and all of these changes cost two matrix products.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlib.arrays import Array


@dataclass(frozen=True)
class Augmentation:
    """How much to change; see `augment`. Angles in degrees, areas and probabilities 0..1, blur in output pixels."""

    flip_probability: float = 0.5
    minimum_area: float = 0.5
    maximum_aspect_ratio: float = 4 / 3
    rotation_probability: float = 0.3
    maximum_rotation_degrees: float = 15
    blur_probability: float = 0.25
    maximum_blur: float = 1.0
    sharpen_probability: float = 0.25
    maximum_sharpening: float = 1.5
    brightness: float = 0.25
    contrast: float = 0.25
    saturation: float = 0.3
    tint: float = 0.06
    grey_probability: float = 0.03
    cutout_probability: float = 0.25
    maximum_cutout: float = 0.4
    mixup: float = 0.0


def augment(pixels: NDArray[np.uint8], settings: Augmentation, *, size: int, rng: np.random.Generator) -> Array:
    """Changed pictures.

    Shapes: pixels (batch, height, width, 3), outputs (batch, size, size, 3).
    Units: pixels uint8 0..255, outputs float32 about 0..1.
    """
    pixels = rotate(pixels, settings, rng=rng)
    images = resample(pixels, settings, size=size, rng=rng)
    images = recolour(images, settings, rng=rng)
    cut_out(images, settings, rng=rng)
    return images


def rotate(pixels: NDArray[np.uint8], settings: Augmentation, *, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Some of the pictures turned about their centre; what comes from outside repeats the edge."""
    batch, height, width, _ = pixels.shape
    chosen = np.flatnonzero(rng.random(batch) < settings.rotation_probability)
    angle = np.radians(rng.uniform(-1, 1, batch) * settings.maximum_rotation_degrees)[chosen].astype(np.float32)
    if not len(chosen):
        return pixels
    cosine, sine = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    y = np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2
    x = np.arange(width, dtype=np.float32)[None, :] - (width - 1) / 2
    source_y = np.clip(cosine * y - sine * x + np.float32((height - 1) / 2), 0, np.float32(height - 1.001))
    source_x = np.clip(sine * y + cosine * x + np.float32((width - 1) / 2), 0, np.float32(width - 1.001))
    top, left = source_y.astype(np.int32), source_x.astype(np.int32)
    # 8-bit fractions and one 32-bit word a pixel: each corner is fetched once, for all its channels
    down = ((source_y - top) * 256).astype(np.uint32)
    right = ((source_x - left) * 256).astype(np.uint32)
    words = np.zeros((len(chosen), height, width, 4), np.uint8)
    words[..., :3] = pixels[chosen]
    flat = words.view(np.uint32).reshape(-1)
    index = top * width + left
    index += (np.arange(len(chosen), dtype=np.int32) * (height * width))[:, None, None]
    result = _blend(
        _blend(flat.take(index), flat.take(index + 1), right),
        _blend(flat.take(index + width), flat.take(index + width + 1), right),
        down,
    )
    turned = pixels.copy()
    turned[chosen] = result.view(np.uint8).reshape(len(chosen), height, width, 4)[..., :3]
    return turned


def _blend(first: NDArray[np.uint32], second: NDArray[np.uint32], weight: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Four 8-bit channels in a word, mixed two at a time: (first (256 - weight) + second weight) / 256."""
    rest = np.uint32(256) - weight
    mask = np.uint32(0x00FF00FF)
    low = (((first & mask) * rest + (second & mask) * weight) >> np.uint32(8)) & mask
    high = ((first >> np.uint32(8)) & mask) * rest + ((second >> np.uint32(8)) & mask) * weight
    blended: NDArray[np.uint32] = low | (high & ~mask)
    return blended


def resample(pixels: NDArray[np.uint8], settings: Augmentation, *, size: int, rng: np.random.Generator) -> Array:
    """Random crop, scale, flip, blur and sharpening: one matrix for the rows of each picture, one for its columns."""
    _, height, width, channels = pixels.shape
    batch = len(pixels)
    area = rng.uniform(settings.minimum_area, 1, batch)
    ratio = np.exp(rng.uniform(-1, 1, batch) * np.log(settings.maximum_aspect_ratio) / 2)
    fractions = np.minimum(np.sqrt(area) * ratio, 1), np.minimum(np.sqrt(area) / ratio, 1)
    blur: Array = rng.uniform(min(0.3, settings.maximum_blur), settings.maximum_blur, batch)
    blur *= rng.random(batch) < settings.blur_probability
    sharpening: Array = rng.uniform(0, settings.maximum_sharpening, batch)
    sharpening *= rng.random(batch) < settings.sharpen_probability
    flipped: NDArray[np.bool_] = rng.random(batch) < settings.flip_probability
    rows = _axis_matrices(height, size, fractions[0], np.zeros(batch, bool), blur, sharpening, rng=rng)
    columns = _axis_matrices(width, size, fractions[1], flipped, blur, sharpening, rng=rng)
    images = pixels.reshape(batch, height, width * channels).astype(np.float32)
    images *= np.float32(1 / 255)
    by_rows = np.matmul(rows, images).reshape(batch, size, width, channels)
    by_columns: Array = np.matmul(columns[:, None], by_rows).reshape(batch, size, size, channels)
    return by_columns


def _axis_matrices(
    length: int,
    size: int,
    fraction: Array,
    flipped: NDArray[np.bool_],
    blur: Array,
    sharpening: Array,
    *,
    rng: np.random.Generator,
) -> Array:
    """Per picture a (size, length) matrix that takes a random piece of that fraction of an axis."""
    batch = len(fraction)
    window = fraction * length
    start = rng.uniform(0, 1, batch) * (length - window)
    scale = (window / size).astype(np.float32)
    centres = start[:, None].astype(np.float32) + (np.arange(size, dtype=np.float32) + 0.5) * scale[:, None] - 0.5
    distance = np.abs(centres[:, :, None] - np.arange(length, dtype=np.float32))
    support = np.maximum(scale, 1)[:, None, None]
    matrices = np.maximum(0, 1 - distance / support)
    matrices /= matrices.sum(axis=2, keepdims=True)
    soft = np.flatnonzero((blur > 0) | (sharpening > 0))
    if len(soft):
        sigma = np.where(blur > 0, blur, 1.0).astype(np.float32)[soft] * np.maximum(scale[soft], 1)
        gauss = np.exp(-0.5 * np.square(distance[soft] / sigma[:, None, None]))
        gauss /= gauss.sum(axis=2, keepdims=True)
        amount = np.where(blur > 0, 1.0, -sharpening / 2).astype(np.float32)[soft, None, None]
        matrices[soft] += amount * (gauss - matrices[soft])
    matrices[flipped] = matrices[flipped, ::-1]
    return matrices


def recolour(images: Array, settings: Augmentation, *, rng: np.random.Generator) -> Array:
    """Brightness, contrast, saturation and tint: one 3x3 matrix and one offset a picture."""
    batch = len(images)
    gain = np.exp(rng.uniform(-1, 1, batch) * settings.brightness)
    contrast = np.exp(rng.uniform(-1, 1, batch) * settings.contrast)
    saturation = np.exp(rng.uniform(-1, 1, batch) * settings.saturation)
    saturation[rng.random(batch) < settings.grey_probability] = 0
    tint = np.exp(rng.uniform(-1, 1, (batch, 3)) * settings.tint)
    luminance = np.array([0.299, 0.587, 0.114])
    matrix = saturation[:, None, None] * np.eye(3) + (1 - saturation)[:, None, None] * luminance[:, None]
    matrix = matrix * tint[:, None, :]
    mean = images.reshape(batch, -1, 3).mean(axis=1, dtype=np.float64) @ luminance
    matrix *= (gain * contrast)[:, None, None]
    offset = (gain * mean * (1 - contrast)).astype(np.float32)
    flat = images.reshape(batch, -1, 3)
    result = np.matmul(flat, matrix.astype(np.float32))
    result += offset[:, None, None]
    recoloured: Array = np.clip(result, 0, 1, out=result).reshape(images.shape)
    return recoloured


def cut_out(images: Array, settings: Augmentation, *, rng: np.random.Generator) -> None:
    """Some of the pictures lose a rectangle: it becomes the picture's mean colour. In place."""
    batch, height, width, _ = images.shape
    chosen = np.flatnonzero(rng.random(batch) < settings.cutout_probability)
    shares = rng.uniform(min(0.15, settings.maximum_cutout), settings.maximum_cutout, (2, batch))
    heights, widths = shares[0] * height, shares[1] * width
    tops, lefts = rng.uniform(0, 1, batch) * height - heights / 2, rng.uniform(0, 1, batch) * width - widths / 2
    for i in chosen:
        top, left = max(0, int(tops[i])), max(0, int(lefts[i]))
        bottom, right = int(tops[i] + heights[i]) + 1, int(lefts[i] + widths[i]) + 1
        images[i, top:bottom, left:right] = images[i, ::4, ::4].mean(axis=(0, 1))


def mix_up(images: Array, targets: Array, settings: Augmentation, *, rng: np.random.Generator) -> tuple[Array, Array]:
    """Pairs of pictures and of their targets, mixed by one number a pair from Beta(mixup, mixup).

    Source: Zhang et al. 2018, mixup: Beyond Empirical Risk Minimization.
    """
    if settings.mixup == 0:
        return images, targets
    share = rng.beta(settings.mixup, settings.mixup, len(images)).astype(np.float32)
    order = rng.permutation(len(images))
    mixed = images + (1 - share)[:, None, None, None] * (images[order] - images)
    return mixed, targets + (1 - share) * (targets[order] - targets)
