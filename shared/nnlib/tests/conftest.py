"""A training small enough for a test: three dozen made-up pictures and a network of a hundred numbers."""

import numpy as np
import pytest
from PIL import Image

TINY_RECIPE = """
name = "tiny"
version = "1"
seed = 3
replicas = 1
batch_size = 8
learning_rate = 0.02
warm_up_steps = 2
decay_steps = 6
weight_decay = 0.01
label_smoothing = 0.05
maximum_gradient_norm = 1.0
average_decay = 0.9
validate_every = 4
patience = 20
coverage = 0.9
phases = [{ until_step = 6, image_size = 16 }, { until_step = 18, image_size = 24 }]
architecture = [
    { type = "Conv2D", in_channels = 3, out_channels = 4, kernel = 3, stride = 2, padding = 1, bias = false },
    { type = "BatchNorm", channels = 4 },
    { type = "ReLU" },
    { type = "Dropout", dropout_rate = 0.2 },
    { type = "GlobalAveragePool" },
    { type = "Linear", in_features = 4, out_features = 1 },
]

[normalization]
mean = [0.45, 0.45, 0.45]
std = [0.25, 0.25, 0.25]

[augmentation]
mixup = 0.2

[cats]
home_ = 0.7
street_ = 0.3

[others]
"" = 1.0
"""


@pytest.fixture
def recipe_file(tmp_path):
    file = tmp_path / "tiny.toml"
    file.write_text(TINY_RECIPE)
    return file


@pytest.fixture
def picture_folder(tmp_path):
    """Cats are red, the others blue; some of both fall into the validation part."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    for side, colour, prefixes in (("cat", (150, 60, 60), ("home_", "street_")), ("noncat", (60, 60, 150), ("dog_",))):
        (folder / side).mkdir(parents=True)
        for prefix in prefixes:
            for number in range(60 // len(prefixes)):
                pixels = np.clip(colour + rng.normal(0, 40, (64, 64, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / side / f"{prefix}{number}.png")
    return folder
