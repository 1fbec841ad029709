"""The stores: a configuration in, an open store out, and the meaning of a store's errors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from tracking.conf import conf
from tracking.destinations.contract.non_http import need
from tracking.destinations.transport import google_auth
from tracking.exceptions import DeliveryError, PermanentError, RetryableError, SetupError

#: The names of the services: a form translates them.
SERVICES = {
    "s3": "S3",
    "gcs": "Google Cloud Storage",
    "azure": "Azure Blob",
    "local": gettext_noop("Local folder"),
}
SCHEMES = {"s3": "s3://", "gcs": "gs://", "azure": "az://", "local": "file:///"}
NEEDS = {
    "s3": ("access_key", "secret_key"),
    "gcs": ("service_account",),
    "azure": ("access_key", "secret_key"),
}
#: Bytes of a file, at most.
MAX_FILE = 40_000_000
#: The names of accounts and buckets that become part of a host's name, by the services' own rules.
NAMES = {
    "azure": (
        (
            "access_key",
            r"[a-z0-9]{3,24}",
            gettext_noop("An account has 3 to 24 lower-case letters and digits."),
        ),
        (
            "bucket",
            r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]|\$(root|web|logs)",
            gettext_noop("A container has 3 to 63 lower-case letters, digits and single hyphens."),
        ),
    ),
}
#: The parts of a service account's key that are used: others could name another host.
ACCOUNT = ("type", "client_email", "private_key", "private_key_id")
SETUP = frozenset(
    {
        "FileNotFoundError",
        "InvalidPathError",
        "NotFoundError",
        "NotSupportedError",
        "PermissionDeniedError",
        "UnauthenticatedError",
        "UnknownConfigurationKeyError",
    }
)
#: Statuses that only a change of the configuration can resolve.
SETUP_STATUSES = frozenset(range(300, 500)) - {408, 409, 425, 429}
REDIRECTED = re.compile(r"(following|Received) redirect")
STATUS = re.compile(r"status code: (\d{3})")


def name_faults(config: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the names of a configuration, by field: a form translates it."""
    return {
        field: fault
        for field, pattern, fault in NAMES.get(str(config.get("service")), ())
        if not re.fullmatch(pattern, str(config.get(field) or ""))
    }


def url_of(config: Mapping[str, Any]) -> str:
    return SCHEMES[config["service"]] + str(config["bucket"])


def read_account(text: str) -> str:
    """Return a service account's JSON key, reduced to the parts that are needed. Raises
    AccountError."""
    google_auth.read_account(text)
    account = json.loads(text)
    return json.dumps({name: account.get(name) for name in ACCOUNT})


def open_store(config: Mapping[str, Any], *, timeout: float, proxy: str) -> Any:
    """Return an obstore store, which connects through the proxy alone. Raises SetupError."""
    try:
        return _open(config, timeout, proxy)
    except DeliveryError:
        raise
    except Exception:
        # The original message may contain the key.
        name = SERVICES[config["service"]]
        raise SetupError(
            f"{name} cannot be opened with this configuration: check the account and its key."
        ) from None


def _open(config: Mapping[str, Any], timeout: float, proxy: str) -> Any:
    store = need("obstore.store", "storage")
    for field, fault in name_faults(config).items():
        raise SetupError(f"{field}: {fault}")
    options: dict[str, dict[str, Any]] = {
        # A proxy that is named here replaces those of the environment.
        "client_options": {
            "timeout": f"{timeout:g}s",
            "connect_timeout": "5s",
            "proxy_url": proxy,
        },
        "retry_config": {"max_retries": 0, "retry_timeout": timedelta(seconds=timeout)},
    }
    match config["service"]:
        case "local":
            return store.LocalStore(local_folder(config["bucket"]), mkdir=True)
        case "gcs":
            key = read_account(config["service_account"])
            return store.GCSStore(config["bucket"], service_account_key=key, **options)
        case "azure":
            return store.AzureStore(
                config["bucket"],
                account_name=config["access_key"],
                account_key=config["secret_key"],
                **options,
            )
    endpoint = endpoint_of(config)
    options["client_options"]["allow_http"] = endpoint.startswith("http://")

    async def keys() -> dict[str, Any]:
        # Not as options: obstore would combine them with a session token of the environment.
        return {
            "access_key_id": config["access_key"],
            "secret_access_key": config["secret_key"],
            "token": None,
            "expires_at": None,
        }

    return store.S3Store(
        config["bucket"],
        region=config.get("region") or "us-east-1",
        **({"endpoint": endpoint.rstrip("/")} if endpoint else {}),
        virtual_hosted_style_request=False,
        credential_provider=keys,
        **options,
    )


def endpoint_of(config: Mapping[str, Any]) -> str:
    """Return the URL of S3-compatible storage, else "". Raises SetupError for plain HTTP if only
    public addresses may be called, because a GET would follow a redirect to another address."""
    endpoint = str(config.get("endpoint") or "") if config["service"] == "s3" else ""
    if endpoint.startswith("http://") and not conf.ALLOW_PRIVATE_DESTINATIONS:
        raise SetupError(
            "The endpoint must begin with https://. Hitstream calls an http:// one only with the"
            " setting HITSTREAM_ALLOW_PRIVATE_DESTINATIONS."
        )
    return endpoint


def local_folder(name: str) -> Path:
    """Return the folder of this name under the deployment's folder. Raises SetupError if it is not
    allowed."""
    if not conf.LOCAL_FOLDER:
        raise SetupError("This deployment has no local folder: set HITSTREAM_LOCAL_FOLDER.")
    root = Path(conf.LOCAL_FOLDER).resolve()
    folder = (root / name).resolve()
    if folder.parent != root:
        raise SetupError(f"{name} is not a folder directly under HITSTREAM_LOCAL_FOLDER.")
    return folder


async def names(store: Any, folder: str, beginning: str) -> list[str]:
    """Return the paths in the folder that begin with `beginning`, sorted."""
    matches = []
    async for page in need("obstore", "storage").list(
        store, folder, offset=beginning, chunk_size=1_000
    ):
        paths = [item["path"] for item in page]
        matches += [path for path in paths if path.startswith(beginning + "_")]
        if paths and is_in_order(store) and paths[-1] > beginning + "`":
            break
    return sorted(matches)


def is_in_order(store: Any) -> bool:
    """Return whether the store lists by name."""
    return type(store).__name__ in {"S3Store", "GCSStore", "AzureStore"}


async def read(store: Any, path: str) -> bytes:
    """Return the content of the file. Raises SetupError if it is larger than any of ours."""
    result = await need("obstore", "storage").get_async(store, path)
    data = bytearray()
    async for chunk in result.stream():
        data += chunk
        if len(data) > MAX_FILE:
            raise SetupError(
                f"The file {path} is larger than {MAX_FILE:,} bytes: Hitstream has not written it."
                " Move it to another folder."
            )
    return bytes(data)


async def write(store: Any, path: str, data: bytes, headers: Mapping[str, str]) -> None:
    """Write the file atomically: it exists with all of these bytes or not at all."""
    attributes = None if type(store).__name__ == "LocalStore" else dict(headers)
    await need("obstore", "storage").put_async(
        store, path, data, attributes=attributes, use_multipart=False
    )


def explain(fault: Exception) -> DeliveryError | None:
    """Return the error that a store's exception stands for. Only its first line is kept; the rest
    is internal."""
    kind = type(fault)
    if kind.__module__.partition(".")[0] != "obstore" and kind is not FileNotFoundError:
        return None
    message = str(fault).splitlines()[0].rstrip(" :")
    match = STATUS.search(message)
    status = int(match[1]) if match else 0
    if status == 413:
        return PermanentError(message)
    if kind.__name__ in SETUP or status in SETUP_STATUSES or REDIRECTED.search(message):
        return SetupError(message)
    return RetryableError(message)
