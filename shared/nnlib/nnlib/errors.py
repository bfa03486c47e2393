"""Every error nnlib raises on purpose.

NnlibError
├── ShapeError             arrays that do not fit together
├── ArtifactError          a model on disk that is damaged, tampered with or not ours
├── CheckpointError        a training on disk that is damaged or another one
├── DivergedError          a loss or a gradient that is no number
├── DatasetError           no pictures, or a class without any
├── RecipeError            a recipe that cannot be followed
├── ReplicaError           a training process that ended before the others
├── LegacyPickleError      a parameters.pkl that is not a plain dict of arrays
└── ImageError             a picture that cannot be used; the text is fit for the person who sent it
    ├── UnsupportedFormat  the content is none of the formats we read (a service answers 415)
    ├── TooManyPixels      larger than the caller allows (422)
    └── BrokenImage        truncated, damaged, empty, or stored as nothing here reads it (422)
"""


class NnlibError(Exception):
    """The root: catching it catches what nnlib foresaw, and no bug."""


class ShapeError(NnlibError):
    """An array does not have the shape that was asked for."""


class ArtifactError(NnlibError):
    """A model folder was refused; the text names the file and the reason."""


class CheckpointError(NnlibError):
    """A checkpoint was refused; the text names the file and the reason."""


class DivergedError(NnlibError):
    """A training has come to numbers that are none; the text says at which step."""


class DatasetError(NnlibError):
    """A folder does not hold what there is to train on; the text says what is missing and where."""


class RecipeError(NnlibError):
    """A recipe cannot be followed; the text names the file and the field."""


class ReplicaError(NnlibError):
    """Another replica of a training ended or did not answer in time."""


class LegacyPickleError(NnlibError):
    """A pickle was refused, because it holds anything but a plain dict of numeric arrays."""


class ImageError(NnlibError):
    """A picture cannot be used. Its text never carries a library's message."""


# The leaves are named after what is wrong with the picture, as the services' answers are.
class UnsupportedFormat(ImageError):
    """The content is none of JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC."""


class TooManyPixels(ImageError):
    """The headers announce more pixels than are allowed."""


class BrokenImage(ImageError):
    """The content starts like a picture and cannot be decoded to the end, or not rightly, or not in reasonable time."""
