"""axe-core, on the page as the browser has it."""

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "clients/node_modules/axe-core/axe.min.js"


def violations(page: Page, *rules: str) -> list[str]:
    """What is serious or critical, with the first place where it is; of these rules alone, if any
    are named."""
    # Named, so that what axe itself does with inline styles is not taken for the page's.
    page.evaluate(f"{AXE.read_text()}\n//# sourceURL=axe.js")
    found = page.evaluate("rules => axe.run(rules.length ? {runOnly: rules} : {})", list(rules))
    return [
        f"{rule['id']}: {rule['help']}: {rule['nodes'][0]['html']}"
        for rule in found["violations"]
        if rule["impact"] in {"serious", "critical"}
    ]


def violations_in_dark(page: Page) -> list[str]:
    """What is too pale in the dark scheme; the page is in the light one again afterwards."""
    page.emulate_media(color_scheme="dark")
    # Links change their colours gradually.
    page.wait_for_function(
        "() => !document.getAnimations().some(each => each instanceof CSSTransition)"
    )
    found = violations(page, "color-contrast")
    page.emulate_media(color_scheme="light")
    return found
