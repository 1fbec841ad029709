"""The source tree of the documentation site: hand-written pages, generated reference, assets.

`python -m docs.generate` writes it to `docs/build/source`, from where MkDocs builds the site.
"""
