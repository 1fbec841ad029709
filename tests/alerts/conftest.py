import pytest


@pytest.fixture(autouse=True)
def _own_rules(no_rules: None) -> None:
    """Each test makes the rules that it is about."""
