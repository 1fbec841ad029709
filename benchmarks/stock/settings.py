"""Hitstream's settings, with the references beside its own routes."""

from project.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.stock.urls"
