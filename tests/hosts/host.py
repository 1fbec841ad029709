"""The projects of others that Hitstream is added to: what each is before, and how it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: What every project adds; nothing else is Hitstream's.
THREE_LINES = """
INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.postgres", "rest_framework", "tracking"]
from tracking.beat import SCHEDULE
CELERY_BEAT_SCHEDULE = {**SCHEDULE}
"""
ROUTES = """
from django.urls import include, path
urlpatterns = [path("hits/", include("tracking.all")), *urlpatterns]
# The styles of the screenshots; with DEBUG alone.
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
urlpatterns = [*staticfiles_urlpatterns(), *urlpatterns]
"""
COMMON = """
import os
SERVER = {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["HOST_DATABASE"]}
ALLOWED_HOSTS = ["*"]
STATIC_ROOT = "collected"
HITSTREAM = {"SECRET_KEYS": [os.environ["HOST_SECRET_KEY"]], "ALLOW_PRIVATE_DESTINATIONS": True,
             "PARTITION_DAYS_AHEAD": 8}
CELERY_BROKER_URL = os.environ["BROKER_URL"]
"""
POSTGRES = 'DATABASES = {"default": SERVER}\n'
SECOND = """
DATABASES["hitstream"] = SERVER
DATABASE_ROUTERS = ["tracking.router.HitstreamRouter"]
"""


@dataclass(frozen=True)
class Host:
    name: str
    #: Settings beside COMMON, and routes beside ROUTES.
    settings: str = POSTGRES
    urls: str = ""
    requirements: tuple[str, ...] = ()
    #: Files of the project, by path.
    files: Mapping[str, str] = field(default_factory=dict)
    start: tuple[str, ...] = ("django", "startproject", "host", ".")
    module: str = "host/settings.py"
    migrate: tuple[tuple[str, ...], ...] = (("migrate",),)
    server: str = "gunicorn"
    admin: str = "/admin/"
    #: The code of the check that refuses the project; empty: it works.
    refused: str = ""
    #: The least Python that the requirements take.
    python: tuple[int, int] = (3, 11)


OWN_SITE = {
    "host/sites.py": "from django.contrib.admin import AdminSite\n"
    "staff = AdminSite(name='staff')\nstaff.site_header = 'Staff of the shop'\n"
}
OWN_USER = {
    "people/__init__.py": "",
    "people/models.py": """
import uuid
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

class Manager(BaseUserManager):
    def create_superuser(self, email, password=None, **more):
        user = self.model(email=email, is_staff=True, is_superuser=True, **more)
        user.set_password(password)
        user.save(using=self._db)
        return user

class Person(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    objects = Manager()
    USERNAME_FIELD = "email"
""",
}
OWN_TRACKING = {
    "apps/__init__.py": "",
    "apps/tracking/__init__.py": "",
    "apps/tracking/models.py": "from django.db import models\n"
    "class Parcel(models.Model):\n    number = models.CharField(max_length=20)\n",
}
CUSTOMERS = {
    "customers/__init__.py": "",
    "customers/models.py": """
from django.db import models
from django_tenants.models import DomainMixin, TenantMixin

class Client(TenantMixin):
    name = models.CharField(max_length=100)

class Domain(DomainMixin):
    pass
""",
    "shop/__init__.py": "",
    "shop/models.py": "from django.db import models\n"
    "class Order(models.Model):\n    number = models.CharField(max_length=20)\n",
    "enter.py": """
from django.core.management import call_command
from customers.models import Client, Domain
for schema, domain in (("public", "127.0.0.1"), ("acme", "acme.example")):
    client = Client(schema_name=schema, name=schema)
    client.save()
    Domain.objects.create(domain=domain, tenant=client, is_primary=True)
with Client.objects.get(schema_name="acme"):
    from tracking.models.hits import partitions
    from tracking.models.upkeep.maintenance import make_partitions
    from tracking.conf import conf
    conf.PARTITION_DAYS_AHEAD = 10
    make_partitions()
    assert partitions.days_ahead() == 10, partitions.days_ahead()
""",
}
TENANTS = """
SERVER["ENGINE"] = "django_tenants.postgresql_backend"
DATABASES = {"default": SERVER}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware", *MIDDLEWARE]
TENANT_MODEL, TENANT_DOMAIN_MODEL = "customers.Client", "customers.Domain"
OURS = ["django.contrib.postgres", "rest_framework", "tracking"]
STOCK = [name for name in INSTALLED_APPS if name not in OURS]
"""
SHARED = """
SHARED_APPS = ["django_tenants", "customers", *STOCK, *OURS]
TENANT_APPS = ["shop"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
"""
TENANT = """
SHARED_APPS = ["django_tenants", "customers", *STOCK]
TENANT_APPS = [*OURS, "shop"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
"""
OSCAR = """
from oscar.defaults import *
from django.utils.functional import empty
SITE_ID = 1
INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.sites", "django.contrib.flatpages",
    "oscar.config.Shop", *(f"oscar.apps.{path}" for path in (
    "analytics.apps.AnalyticsConfig", "checkout.apps.CheckoutConfig", "address.apps.AddressConfig",
    "shipping.apps.ShippingConfig", "catalogue.apps.CatalogueConfig",
    "catalogue.reviews.apps.CatalogueReviewsConfig", "communication.apps.CommunicationConfig",
    "partner.apps.PartnerConfig", "basket.apps.BasketConfig", "payment.apps.PaymentConfig",
    "offer.apps.OfferConfig", "order.apps.OrderConfig", "customer.apps.CustomerConfig",
    "search.apps.SearchConfig", "voucher.apps.VoucherConfig", "wishlists.apps.WishlistsConfig",
    "dashboard.apps.DashboardConfig", "dashboard.reports.apps.ReportsDashboardConfig",
    "dashboard.users.apps.UsersDashboardConfig", "dashboard.orders.apps.OrdersDashboardConfig",
    "dashboard.catalogue.apps.CatalogueDashboardConfig",
    "dashboard.offers.apps.OffersDashboardConfig",
    "dashboard.partners.apps.PartnersDashboardConfig",
    "dashboard.pages.apps.PagesDashboardConfig", "dashboard.ranges.apps.RangesDashboardConfig",
    "dashboard.reviews.apps.ReviewsDashboardConfig",
    "dashboard.vouchers.apps.VouchersDashboardConfig",
    "dashboard.communications.apps.CommunicationsDashboardConfig",
    "dashboard.shipping.apps.ShippingDashboardConfig")),
    "widget_tweaks", "haystack", "treebeard", "django_tables2"]
MIDDLEWARE = [*MIDDLEWARE, "oscar.apps.basket.middleware.BasketMiddleware"]
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
DATABASES = {"default": SERVER}
"""

HOSTS = (
    Host("stock"),
    Host(
        "own-site",
        f'{POSTGRES}HITSTREAM["ADMIN_SITE"] = "host.sites.staff"\n',
        "from host.sites import staff\nurlpatterns = [path('staff/', staff.urls)]\n",
        files=OWN_SITE,
        admin="/staff/",
    ),
    Host(
        "own-user",
        f'{POSTGRES}INSTALLED_APPS += ["people"]\nAUTH_USER_MODEL = "people.Person"\n'
        'LANGUAGE_CODE = "de"\n',
        files=OWN_USER,
        migrate=(("makemigrations", "people"), ("migrate",)),
        server="uvicorn",
        requirements=("uvicorn",),
    ),
    Host(
        "own-tracking",
        f'{POSTGRES}INSTALLED_APPS += ["apps.tracking"]\n',
        files=OWN_TRACKING,
        migrate=(("makemigrations", "tracking"), ("migrate",)),
    ),
    Host(
        "second-database",
        SECOND,
        migrate=(("migrate",), ("migrate", "--database", "hitstream")),
        server="daphne",
        requirements=("daphne",),
    ),
    Host(
        "own-schema", f'SERVER["OPTIONS"] = {{"options": "-csearch_path=hits"}}\n{POSTGRES}'
    ),
    Host(
        "no-admin",
        f'{POSTGRES}INSTALLED_APPS = [n for n in INSTALLED_APPS if n != "django.contrib.admin"]\n',
        "urlpatterns = []\n",
        admin="",
    ),
    Host(
        "no-auth",
        f"{POSTGRES}INSTALLED_APPS = INSTALLED_APPS[-3:]\n",
        "urlpatterns = []\n",
        refused="hitstream.E013",
    ),
    Host("unfold", f'{POSTGRES}INSTALLED_APPS = ["unfold", *INSTALLED_APPS]\n',
         requirements=("django-unfold",)),
    Host(
        "wagtail",
        SECOND,
        requirements=("wagtail",),
        start=("wagtail", "start", "host", "."),
        module="host/settings/base.py",
        migrate=(("migrate",), ("migrate", "--database", "hitstream")),
        admin="/django-admin/",
    ),
    Host("oscar", OSCAR, requirements=("django-oscar",)),
    Host(
        "tenants-shared",
        TENANTS + SHARED,
        files=CUSTOMERS,
        requirements=("django-tenants",),
        migrate=(("makemigrations", "customers", "shop"), ("migrate_schemas", "--shared"),
                 ("shell", "-c", "exec(open('enter.py').read())")),
    ),
    Host("tenants-each", TENANTS + TENANT, files=CUSTOMERS, requirements=("django-tenants",),
         refused="hitstream.E015"),
    Host("django-6.1", requirements=("django==6.1.*",), python=(3, 12)),
)  # fmt: skip
