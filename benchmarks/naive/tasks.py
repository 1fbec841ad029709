import requests
from celery import shared_task
from django.conf import settings

from benchmarks.naive.models import NaiveHit


@shared_task
def forward(pk: int) -> None:
    hit = NaiveHit.objects.get(pk=pk)
    if settings.WEBHOOK_URL:
        requests.post(settings.WEBHOOK_URL, json=hit.payload, timeout=10).raise_for_status()
    hit.delivered = True
    hit.save()
