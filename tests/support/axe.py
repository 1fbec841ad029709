"""axe-core, on the page as the browser has it."""

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "clients/node_modules/axe-core/axe.min.js"


def violations(page: Page) -> list[str]:
    """What is serious or critical, with the first place where it is."""
    # Named, so that what axe itself does with inline styles is not taken for the page's.
    page.evaluate(f"{AXE.read_text()}\n//# sourceURL=axe.js")
    found = page.evaluate("() => axe.run()")
    return [
        f"{rule['id']}: {rule['help']}: {rule['nodes'][0]['html']}"
        for rule in found["violations"]
        if rule["impact"] in {"serious", "critical"}
    ]
