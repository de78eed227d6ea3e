"""Django looks for the models of an app here."""

from models import *  # noqa: F403
