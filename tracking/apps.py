from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "tracking"
    label = "hitstream"
    verbose_name = "Hitstream"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tracking import host_checks  # noqa: PLC0415 (registers the checks)

        if not host_checks.missing_apps():
            from tracking import failover  # noqa: PLC0415 (only once the models are there)

            failover.install()
            from tracking import checks, database_checks  # noqa: F401, PLC0415 (registers the checks)
