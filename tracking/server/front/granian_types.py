"""Granian's RSGI classes: `granian.rsgi` documents them but does not export them to mypy."""

from granian._granian import RSGIHTTPProtocol as HTTPProtocol
from granian._granian import RSGIProtocolClosed as ProtocolClosed
from granian.rsgi import Scope

__all__ = ["HTTPProtocol", "ProtocolClosed", "Scope"]
