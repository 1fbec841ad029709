"""People who work with the admin and the console."""

from django.contrib.auth.models import Group, Permission, User

#: As an operator and a viewer are given them.
VIEW = (
    *("hit", "token", "integration", "delivery", "deadletter", "attempt", "operation", "revision"),
    *("alert", "alertrule", "alertchannel"),
)


def viewer(name: str = "vera", *, groups: tuple[str, ...] = ()) -> User:
    """Staff who may look at everything of ours and change nothing."""
    return person(name, *(f"view_{model}" for model in VIEW), groups=groups)


def operator(name: str = "olaf", *, groups: tuple[str, ...] = ()) -> User:
    """A viewer who may also configure and repair."""
    changes = (
        "change_integration",
        "add_integration",
        "change_deadletter",
        "add_token",
        "change_alert",
    )
    views = (f"view_{model}" for model in VIEW)
    return person(name, *views, *changes, "change_token", "change_alert", groups=groups)


def person(name: str, *permissions: str, groups: tuple[str, ...] = ()) -> User:
    """Staff with exactly these permissions of ours. The password is the name."""
    user = User.objects.create_user(name, password=name, is_staff=True)
    found = Permission.objects.filter(content_type__app_label="tracking", codename__in=permissions)
    user.user_permissions.set(found)
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    return user
