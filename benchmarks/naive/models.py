from django.db import models


class NaiveToken(models.Model):
    key = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class NaiveHit(models.Model):
    token = models.ForeignKey(NaiveToken, on_delete=models.CASCADE)
    hit_id = models.CharField(max_length=255, db_index=True)
    name = models.CharField(max_length=255, blank=True)
    user_id = models.CharField(max_length=255, blank=True, db_index=True)
    received_at = models.DateTimeField(auto_now_add=True)
    payload = models.JSONField()
    delivered = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.hit_id
