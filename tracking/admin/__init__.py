from tracking.admin import attempt, delivery, hit, integration, token

__all__ = ["attempt", "delivery", "hit", "integration", "token"]
