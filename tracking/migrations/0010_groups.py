from django.contrib.auth.management import create_permissions
from django.db import connections, migrations, router

from tracking.models.access.roles import make_groups


def groups(apps, schema_editor):
    """Users may live in another database than hits: there, if its tables are made already."""
    group = apps.get_model("auth", "Group")
    using = router.db_for_write(group)
    if group._meta.db_table not in connections[using].introspection.table_names():
        return
    app_config = apps.get_app_config("tracking")
    # Django makes the permissions only after all migrations.
    app_config.models_module = True
    create_permissions(app_config, apps=apps, using=using, verbosity=0)
    app_config.models_module = None
    make_groups(apps, using)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("tracking", "0009_repeat"),
    ]

    operations = [migrations.RunPython(groups, migrations.RunPython.noop)]
