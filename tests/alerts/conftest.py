import pytest

from tracking.models import AlertRule


@pytest.fixture(autouse=True)
def _no_rules(transactional_db: None) -> None:
    """The migration's are there until the tables are emptied for the first time."""
    AlertRule.objects.all().delete()
