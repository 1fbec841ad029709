import json, subprocess
from tests.wheel.test_wheel import *
from tests.project.server import free_port


def test_runserver(host, tmp_path):
    a = f"127.0.0.1:{free_port()}"
    with host.running(
        tmp_path / "l", "Quit the server", "python", "manage.py", "runserver", "--noreload", a
    ):
        b = Browser("http://" + a)
        t = issue(host, "rs")
        p = post(b, t)
        print("PLAIN", p)
        body = json.dumps(hit()).encode()
        print("CHUNK", post(b, t, (x for x in [body])))
        print((tmp_path / "l").read_text())


def test_prefork(host, browser, vendor, tmp_path):
    t = issue(host, "pf")
    add_webhook(host, "pf", vendor)
    for pool in ("prefork", "threads"):
        vendor.received.clear()
        with host.running(
            tmp_path / (pool + ".log"),
            " ready.",
            "celery",
            "-A",
            "host",
            "worker",
            "-B" if pool == "x" else "--loglevel=INFO",
            "--pool",
            pool,
            "-c",
            "2",
        ):
            assert post(browser, t).status == 204
            assert wait_for(vendor)


def test_variants(host):
    s = host.directory / "host" / "settings.py"
    old = s.read_text()
    for label, add in {
        "no drf/postgres app": 'INSTALLED_APPS = [a for a in INSTALLED_APPS if a not in ("rest_framework","django.contrib.postgres")]',
        "no staticfiles": 'INSTALLED_APPS = [a for a in INSTALLED_APPS if a != "django.contrib.staticfiles"]',
        "no i18n": "USE_I18N=False",
        "pool": 'POSTGRES["OPTIONS"]["pool"]=True',
        "serverside": 'POSTGRES["OPTIONS"]["server_side_binding"]=True',
        "serializable": 'from django.db.backends.postgresql.psycopg_any import IsolationLevel\nPOSTGRES["OPTIONS"]["isolation_level"]=IsolationLevel.SERIALIZABLE',
        "ar": 'LANGUAGE_CODE="ar-eg"',
        "manifest": 'DEBUG=False\nALLOWED_HOSTS=["*"]\nSTORAGES={"default":{"BACKEND":"django.core.files.storage.FileSystemStorage"},"staticfiles":{"BACKEND":"django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}',
        "schema": 'POSTGRES["OPTIONS"]["options"]="-c search_path=hs,public"\nPOSTGRES["TEST"]={"TEMPLATE":"hs_template"}',
        "no urls": 'ROOT_URLCONF="host.nourls"',
    }.items():
        s.write_text(old + "\n" + add + "\n")
        (host.directory / "host" / "nourls.py").write_text(
            'from django.contrib import admin\nfrom django.urls import path\nurlpatterns=[path("admin/",admin.site.urls)]\n'
        )
        try:
            if label == "manifest":
                host.manage("collectstatic", "--noinput")
            if label == "schema":
                import psycopg, os
                from psycopg.conninfo import make_conninfo

                with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as c:
                    c.execute("CREATE DATABASE hs_template OWNER hitstream_host_owner")
                with psycopg.connect(
                    make_conninfo(os.environ["DATABASE_URL"], dbname="hs_template"), autocommit=True
                ) as c:
                    c.execute(
                        "CREATE SCHEMA hs AUTHORIZATION hitstream_host_owner; REVOKE ALL ON SCHEMA public FROM pg_database_owner"
                    )
                with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as c:
                    c.execute("ALTER DATABASE hs_template IS_TEMPLATE true")
            out = host.manage("test", "host")
            print("OK  ", label, host.manage("check").strip()[-200:])
            (host.directory / "host" / "x").touch()
        except AssertionError as e:
            print("FAIL", label, str(e)[-2500:])
        finally:
            s.write_text(old)
