"""carelog: tell customer care from customer service in the logs of customer contact."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("carelog")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
