"""The steps of the Dockerfile, in roots made by debootstrap: here is no Docker to run them.

Debian's Python stands for that of the base image; pip is set up as this machine's is.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.deploy.debian import DEPLOY, PATH, ROOT, process, program
from tests.deploy.dockerfile import Stage, read
from tests.deploy.site import Site, is_ready
from tests.support.ports import HOST, free_port
from tests.support.waiting import wait_until

#: What every image "python:*-slim" has of Debian.
PACKAGES = "python3,python3-venv,ca-certificates"
#: This machine's own, which its apt has a mirror of.
SUITE = platform.freedesktop_os_release()["VERSION_CODENAME"]
#: The most bytes that the last stage adds to its base.
LARGEST = 320 * 1024 * 1024

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="chroot is for root")


def mirror() -> str:
    """Return where this machine's apt gets the packages of its release."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME)|$(COMPONENT)|$(REPO_URI)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split("|") for line in listed.splitlines()]
    found = [uri for name, component, uri in rows if (name, component) == (SUITE, "main")]
    assert found, f"apt knows no mirror of {SUITE}"
    return found[0]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("image") / "base"
    done = subprocess.run(
        [
            *(program("debootstrap"), "--variant=minbase", f"--include={PACKAGES}"),
            *(SUITE, root, mirror()),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return root


@contextmanager
def entered(root: Path) -> Iterator[None]:
    """Mount what a container has: /proc, /dev and the name service; and this machine's pip."""
    for name in ("etc/resolv.conf", "etc/hosts"):
        shutil.copyfile(f"/{name}", root / name)
    mounts = [("proc", root / "proc", ("-t", "proc")), ("/dev", root / "dev", ("--rbind",))]
    for source in pip_folders():
        target = root / source.relative_to("/")
        target.mkdir(parents=True, exist_ok=True)
        mounts.append((str(source), target, ("--bind",)))
    with ExitStack() as stack:
        for what, where, options in mounts:
            subprocess.run(["mount", *options, what, where], check=True)
            stack.callback(unmount, where)
        yield


def unmount(where: Path) -> None:
    subprocess.run(["umount", "--recursive", "--lazy", where], check=True)


def pip_folders() -> list[Path]:
    """Return the folders of this machine that its pip is set up with."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    paths = {word.strip("'\"").removeprefix("file://") for word in listed.replace("=", " ").split()}
    folders = {Path(path) for path in paths if path.startswith("/")}
    folders = {path if path.is_dir() else path.parent for path in folders if path.exists()}
    return sorted(folders | {path for path in map(Path, ("/etc/xdg/pip",)) if path.is_dir()})


def pip_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


def run(root: Path, step: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [program("chroot"), root, "sh", "-c", step],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{step}\n{done.stdout[-3000:]}"
    return done.stdout


def build(stage: Stage, root: Path, stages: dict[str, Path]) -> None:
    """Carry out COPY and RUN."""
    where = "/"
    for number, (name, argument) in enumerate(stage.steps):
        if name == "WORKDIR":
            where = argument
            (root / where.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            copy(argument, root, where, stages)
        elif name == "RUN":
            so_far = Stage(stage.name, stage.base, stage.steps[:number]).environment()
            run(root, f"cd {where} && {argument}", so_far | pip_environment())


def copy(argument: str, root: Path, where: str, stages: dict[str, Path]) -> None:
    words = shlex.split(argument)
    source = ROOT
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")]
    *names, target = words
    place = root / (target if target.startswith("/") else f"{where}/{target}").lstrip("/")
    for name in names:
        path = source / name.lstrip("/")
        if path.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(path, place, symlinks=True, ignore=ignore, dirs_exist_ok=True)
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


def test_the_image_runs_as_a_user_without_rights(base: Path, site: Site) -> None:
    first, last = read(DEPLOY / "Dockerfile")
    assert first.base == last.base
    roots = {first.name: base.parent / "build", "": base.parent / "last"}
    for root in roots.values():
        # Not by Python, which would read the devices.
        subprocess.run(["cp", "--archive", base, root], check=True)
    with entered(roots[first.name]):
        build(first, roots[first.name], {})
    with entered(roots[""]):
        build(last, roots[""], roots)
        check_last(last, roots[""], site)


def check_last(last: Stage, root: Path, site: Site) -> None:
    added = root / "opt/hitstream"
    size = sum(path.lstat().st_size for path in added.rglob("*") if path.is_file())
    assert size < LARGEST, f"{size:,} bytes"
    assert not list(added.rglob("site-packages/pip"))
    assert (added / "static/staticfiles.json").is_file()
    uid, _, gid = last.last("USER").partition(":")
    assert int(uid) > 0
    assert int(gid) > 0
    secrets = root / "run/secrets"
    shutil.copytree(site.secrets, secrets)
    secrets.chmod(0o755)
    port = free_port()
    command = [str(port) if part == "8000" else part for part in last.command()]
    command[command.index("0.0.0.0")] = HOST
    environment = {
        **last.environment(),
        **{
            name: value.replace(str(site.secrets), "/run/secrets")
            for name, value in site.environment().items()
            if name not in {"PATH", "LANG"}
        },
    }
    chroot = (program("chroot"), f"--userspec={uid}:{gid}", root)
    log = root.parent / "web.log"
    with process(log, *chroot, *command, env={"PATH": PATH} | environment):
        wait_until(lambda: is_ready(port), within=60)
        served = subprocess.run(
            ["curl", "--silent", "--noproxy", "*", f"http://{HOST}:{port}/admin/login/",
             "--header", "X-Forwarded-Proto: https", "--header", "Host: hits.example"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        # Names with the digest of the file, from the collected files.
        assert "/static/admin/css/base." in served
        assert "/static/admin/css/base.css" not in served
