"""Secrets at rest: a JSON object in, ciphertext in the database, a Sealed value on the model.

A Sealed value is opened only where the secret is needed, so a page that lists integrations works
without any key. The keys are `HITSTREAM_SECRET_KEYS`, newest first: the first encrypts, all
decrypt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from tracking.conf import conf
from tracking.exceptions import SetupError

if TYPE_CHECKING:
    TextField = models.TextField["Sealed | Mapping[str, object]", "Sealed"]
else:
    TextField = models.TextField


class SecretKeyError(SetupError):
    """No key of HITSTREAM_SECRET_KEYS can encrypt or decrypt the stored secrets."""


class Sealed:
    """An encrypted JSON object. Its text forms never show the content."""

    __slots__ = ("ciphertext",)

    def __init__(self, ciphertext: str = "") -> None:
        self.ciphertext = ciphertext

    @classmethod
    def seal(cls, value: Mapping[str, Any]) -> Self:
        """Encrypt the value under the newest key; an empty value needs no key. Raises
        SecretKeyError."""
        if not value:
            return cls()
        return cls(_keys().encrypt(json.dumps(dict(value)).encode()).decode())

    def open(self) -> dict[str, Any]:
        """Return the decrypted secrets. Raises SecretKeyError."""
        if not self:
            return {}
        try:
            value: dict[str, Any] = json.loads(_keys().decrypt(self.ciphertext.encode()))
        except InvalidToken:
            raise _lost() from None
        return value

    def renew(self) -> Self:
        """Return the same secrets under the newest key. Raises SecretKeyError."""
        if not self:
            return self
        try:
            return type(self)(_keys().rotate(self.ciphertext.encode()).decode())
        except InvalidToken:
            raise _lost() from None

    def __bool__(self) -> bool:
        return bool(self.ciphertext)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self.ciphertext == other.ciphertext

    def __hash__(self) -> int:
        return hash(self.ciphertext)

    def __repr__(self) -> str:
        return "Sealed(••••)" if self else "Sealed()"


class SealedAttribute(DeferredAttribute):
    """Seals each assigned value, so that no model instance keeps a secret in the clear."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


class EncryptedJSONField(TextField):
    """A field that stores a JSON object encrypted. Assign a mapping, read a Sealed.

    No ModelForm includes it; serialisers and `dumpdata` get the ciphertext.
    """

    description = "An encrypted JSON object"
    descriptor_class = SealedAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", dict)
        super().__init__(*args, **{**kwargs, "editable": False})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        return name, path, args, kwargs

    def to_python(self, value: Any) -> Any:
        """Seal a mapping; take a text for the ciphertext that a serialiser wrote."""
        if isinstance(value, Mapping):
            return Sealed.seal(value)
        return Sealed(value) if isinstance(value, str) else value

    def from_db_value(self, value: str | None, *_: Any) -> Sealed | None:
        return None if value is None else Sealed(value)

    def get_prep_value(self, value: Any) -> Any:
        sealed = self.to_python(value)
        return sealed.ciphertext if isinstance(sealed, Sealed) else sealed

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.get_prep_value(self.value_from_object(obj)))


def generate_key() -> str:
    """Return a fresh key for HITSTREAM_SECRET_KEYS."""
    return Fernet.generate_key().decode()


def _keys() -> MultiFernet:
    if not conf.SECRET_KEYS:
        raise SecretKeyError(
            "HITSTREAM_SECRET_KEYS is empty, so secrets can be neither stored nor read."
            " `manage.py rotate_secret_keys --generate` prints a key for it."
        )
    keys = []
    for place, key in enumerate(conf.SECRET_KEYS, start=1):
        try:
            keys.append(Fernet(key))
        except ValueError:
            raise SecretKeyError(
                f"Key {place} of HITSTREAM_SECRET_KEYS is not a key: it must be the base64 of"
                " 32 bytes, as `manage.py rotate_secret_keys --generate` prints it."
            ) from None
    return MultiFernet(keys)


def _lost() -> SecretKeyError:
    return SecretKeyError(
        "None of the keys in HITSTREAM_SECRET_KEYS opens the stored secrets. Put the key that"
        " encrypted them back at the end of the list, or enter the secrets again."
    )
