"""People who work with the admin and the console."""

from django.contrib.auth.models import Group, Permission, User

from tracking.models.access.roles import OPERATORS, VIEWERS


def viewer(name: str = "vera", *, groups: tuple[str, ...] = ()) -> User:
    """Staff who may look at everything of ours and change nothing."""
    return member(VIEWERS, name, groups)


def operator(name: str = "olaf", *, groups: tuple[str, ...] = ()) -> User:
    """A viewer who may also configure and repair."""
    return member(OPERATORS, name, groups)


def member(role: str, name: str, groups: tuple[str, ...]) -> User:
    return person(name, groups=(role, *groups))


def person(name: str, *permissions: str, groups: tuple[str, ...] = ()) -> User:
    """Staff with exactly these permissions of ours. The password is the name."""
    user = User.objects.create_user(name, password=name, is_staff=True)
    found = Permission.objects.filter(content_type__app_label="hitstream", codename__in=permissions)
    user.user_permissions.set(found)
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    return user
