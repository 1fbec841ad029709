"""The deployment's Celery app. Celery only wakes the worker; all state is in Postgres."""

import warnings

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init, worker_shutdown

from tracking.beat import SCHEDULE
from tracking.server import pulse, telemetry

# Celery warns of root because of pickle; this app accepts only JSON, and in a container all is
# root.
warnings.filterwarnings("ignore", message="You're running the worker with superuser")

app = Celery("hitstream")
# In every thread, and not only in the one that imports this.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_ignore_result=True,
    task_default_queue="hitstream",
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_enable_remote_control=False,
    beat_max_loop_interval=5,
)
app.autodiscover_tasks()
app.conf.beat_schedule = SCHEDULE


@worker_init.connect
@beat_init.connect
def give_pulse(**kwargs: object) -> None:
    """Show the supervisor that the process is alive, and start what watches it."""
    pulse.start()
    telemetry.start()


@worker_shutdown.connect
def end_telemetry(**kwargs: object) -> None:
    """Send what is left."""
    telemetry.stop()


@setup_logging.connect
def leave_logging_to_django(**kwargs: object) -> None:
    """Do nothing: with a receiver Celery configures no logging of its own."""
