"""Form fields that several destinations share: the operator's text in, a checked value out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tracking.conf import conf
from tracking.destinations.contract.config_form import SecretField
from tracking.destinations.spec.iso import country_code
from tracking.destinations.transport.ssrf import is_public
from tracking.durations import format_duration, parse_duration

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]{0,4000}[\x21-\x7e])?")
MAX_HEADERS = 50
DEFAULT_PORTS = {"http": 80, "https": 443}

#: Headers that Hitstream or the connection sets. Names with a reserved prefix are refused as well.
RESERVED_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
RESERVED_PREFIXES = ("proxy-", "webhook-")


class HttpUrlField(forms.CharField):
    """An http or https URL. Unlike Django's URLField it accepts host names without a dot
    (`http://app`)."""

    widget = forms.URLInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=2_000, **kwargs)

    def origin(self, url: str) -> tuple[str, str, int | None]:
        """Return scheme, host and port: who gets what is sent there."""
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme)

    def clean(self, value: Any) -> str:
        url: str = super().clean(value)
        if not url:
            return url
        host = _read_host(url)
        if "@" in urlsplit(url).netloc:
            raise ValidationError(
                _(
                    "Remove the user name and password from the URL, where others can read them:"
                    " send them as a header."
                ),
                code="userinfo",
            )
        _check_address(host)
        return url


def _read_host(url: str) -> str:
    try:
        parts = urlsplit(url)
        complete = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        complete = False
    if not complete or not re.fullmatch(r"[\x21-\x7e]+|[^\x00-\x20\x7f\s]+", url):
        raise ValidationError(
            _("Enter a complete URL such as https://example.com/hook."), code="url"
        )
    return parts.hostname or ""


class HostField(forms.CharField):
    """The name or address of a host."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=253, **kwargs)

    def origin(self, host: str) -> str:
        return host.lower()

    def clean(self, value: Any) -> str:
        host: str = super().clean(value)
        if host and not re.fullmatch(r"[0-9A-Za-z._:-]+", host):
            raise ValidationError(_("Enter only the name or address of a host."), code="host")
        _check_address(host)
        return host


def _check_address(host: str) -> None:
    """Raise ValidationError for a private address. A host name is resolved and checked at each
    call."""
    looks_numeric = ":" in host or host.replace(".", "").isdigit()
    if looks_numeric and not conf.ALLOW_PRIVATE_DESTINATIONS and not is_public(host):
        raise ValidationError(
            _(
                "The address %(host)s is private or reserved. Hitstream calls it only with the"
                " setting HITSTREAM_ALLOW_PRIVATE_DESTINATIONS."
            ),
            code="private",
            params={"host": host},
        )


class DurationField(forms.CharField):
    """A duration, as a number of seconds or in words: "7 days", "30 s". The cleaned value is in
    seconds, whole ones unless `whole` is False."""

    def __init__(
        self, *, least: float = 1, most: float = 2**31 - 1, whole: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(max_length=50, **kwargs)
        self.least, self.most, self.whole = least, most, whole

    def prepare_value(self, value: Any) -> Any:
        return format_duration(value) if isinstance(value, int | float) else value

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            seconds = float(value) if isinstance(value, int | float) else parse_duration(value)
        except ValueError:
            raise ValidationError(
                _("Enter a duration such as 30 s, 5 min or 7 days."), code="duration"
            ) from None
        return int(seconds) if self.whole and seconds.is_integer() else seconds

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is None:
            return
        if self.whole and not isinstance(value, int):
            raise ValidationError(_("Enter whole seconds."), code="whole")
        for limit, is_past, text in (
            (self.least, value < self.least, _("Enter at least %(limit)s.")),
            (self.most, value > self.most, _("Enter at most %(limit)s.")),
        ):
            if is_past:
                raise ValidationError(text, code="limit", params={"limit": format_duration(limit)})

    def run_validators(self, value: Any) -> None:
        """Accept it: the validators of a text do not apply to a number."""


class CountryField(forms.CharField):
    """A country, as a code or an English name. The cleaned value is the two letters of ISO 3166-1,
    empty without a country."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=60, required=False, **kwargs)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        code = country_code(text)
        if text and not code:
            raise ValidationError(_("Enter a country, such as DE or Germany."), code="country")
        return code


class DefaultCountryField(CountryField):
    """The country of phone numbers that are written without a country code."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Default country"),
            help_text=_(
                "Country of phone numbers without a country code, if the hit names none, such"
                " as DE. Without it such numbers are left out."
            ),
        )


class HiddenTextarea(forms.Textarea):
    """A textarea that never shows its stored value."""

    def format_value(self, value: Any) -> str:
        return ""


class HeadersField(SecretField):
    """HTTP headers, as one "Name: value" per line or as a JSON object. The cleaned value maps names
    to values."""

    widget = HiddenTextarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"})

    def clean(self, value: Any) -> dict[str, str]:
        text = super().clean(json.dumps(dict(value)) if isinstance(value, Mapping) else value)
        headers: dict[str, str] = {}
        for name, item in _read_pairs(text.strip()):
            _check_header(name, item)
            if name.lower() in {known.lower() for known in headers}:
                raise ValidationError(_("The header %(name)s occurs twice."), params={"name": name})
            headers[name] = item
        if len(headers) > MAX_HEADERS:
            raise ValidationError(
                _("Enter at most %(most)s headers."), params={"most": MAX_HEADERS}
            )
        return headers


def _read_pairs(text: str) -> list[tuple[str, str]]:
    if text.startswith("{"):
        try:
            # A list of pairs, so that duplicate names are noticed.
            pairs = json.loads(text, object_pairs_hook=list)
        except (ValueError, RecursionError) as error:
            raise ValidationError(_("This is not valid JSON: %(e)s"), params={"e": error}) from None
        if not all(isinstance(value, str) for _, value in pairs):
            raise ValidationError(_("Every value of the JSON object must be a string."))
        return [(name.strip(), value.strip()) for name, value in pairs]
    lines = [line for line in text.splitlines() if line.strip()]
    if not all(":" in line for line in lines):
        raise ValidationError(_('Enter one header per line, as "Name: value".'))
    return [(name.strip(), value.strip()) for name, _, value in (x.partition(":") for x in lines)]


def _check_header(name: str, value: str) -> None:
    """Raise ValidationError if the header could inject another header or break the request.

    The message never contains the value, which is secret.
    """
    if not HEADER_NAME.fullmatch(name):
        raise ValidationError(
            _("The name of a header may contain only letters, digits and hyphens.")
        )
    if name.lower() in RESERVED_HEADERS or name.lower().startswith(RESERVED_PREFIXES):
        raise ValidationError(_("The header %(name)s is set by Hitstream."), params={"name": name})
    if not HEADER_VALUE.fullmatch(value):
        raise ValidationError(
            _("The value of the header %(name)s must have 1 to 4,000 printable ASCII characters."),
            params={"name": name},
        )
