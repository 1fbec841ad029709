"""Write `docs/build/source`: see the package's docstring. Needs the packages of `make run` only."""

import os
import shutil

import django

from docs.generate import assets, pages

SOURCE = pages.DOCS / "build" / "source"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    os.environ.setdefault("DJANGO_SECRET_KEY", "docs")
    django.setup()
    shutil.rmtree(SOURCE, ignore_errors=True)
    pages.copy_pages(SOURCE)
    write_reference()
    assets.copy_assets(SOURCE)


def write_reference() -> None:
    """Write the pages of pages.GENERATED."""
    # Models can be imported only after django.setup().
    from docs.generate import (  # noqa: PLC0415
        commands,
        destinations,
        http_api,
        metrics,
        settings,
        tasks,
        vendor_tables,
    )

    document = http_api.read_document()
    written = {
        "reference/http-api.md": http_api.write(document),
        "reference/settings.md": settings.write(),
        "reference/commands.md": commands.write(),
        "reference/destinations.md": destinations.write(),
        "reference/metrics.md": metrics.write(),
        "reference/tasks.md": tasks.write(),
        "reference/what-vendors-receive.md": vendor_tables.write(),
    }
    assert set(written) == set(pages.GENERATED)
    for name, text in written.items():
        (SOURCE / name).write_text(text, encoding="utf-8")
    (SOURCE / "reference" / "openapi.json").write_text(http_api.as_json(document), encoding="utf-8")


main()
