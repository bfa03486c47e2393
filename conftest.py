"""What holds for every test of the repository."""

from hypothesis import settings

settings.register_profile(
    "catnet", deadline=None
)  # how long one example takes says more of the machine than of the code
settings.load_profile("catnet")
