from tracking.admin import attempt, delivery, hit, integration, operation, revision, token

__all__ = ["attempt", "delivery", "hit", "integration", "operation", "revision", "token"]
