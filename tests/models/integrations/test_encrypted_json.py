"""Secrets are unreadable without a key, wherever they turn up, and a lost key is said plainly."""

from __future__ import annotations

import io
import json
import pickle
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import connection
from django.forms import modelform_factory
from hypothesis import given
from hypothesis import strategies as st

from tracking.exceptions import SetupError
from tracking.models import AlertChannel, Integration, Token
from tracking.models.integrations.encrypted_json import (
    EncryptedJSONField,
    Sealed,
    SecretKeyError,
    generate_key,
)

OLD, NEW = generate_key(), generate_key()
SECRETS = {"signing_secret": "whsec_abcdef", "headers": {"X-Own": "hunter2"}}


@pytest.fixture(autouse=True)
def keys(settings: Any) -> None:
    use(settings, OLD)


def use(settings: Any, *keys: str) -> None:
    settings.HITSTREAM = {"SECRET_KEYS": keys}


def make(name: str = "Hook", secrets: Any = SECRETS) -> Integration:
    token = Token.objects.filter(name="Shop").first() or Token.objects.issue("Shop")[0]
    return Integration.objects.create(
        token=token, name=name, destination="webhook", secrets=secrets
    )


def stored(integration: Integration) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM hitstream_integration WHERE id = %s", [integration.pk])
        return str(cursor.fetchone()[0])


def rotate(*options: str) -> str:
    out = io.StringIO()
    call_command("rotate_secret_keys", *options, stdout=out)
    return out.getvalue()


def test_what_is_assigned_is_sealed_at_once() -> None:
    integration = Integration(name="Hook", secrets=SECRETS)
    assert isinstance(integration.secrets, Sealed)
    assert integration.secrets.open() == SECRETS
    integration.secrets = {"a": "b"}
    assert integration.secrets.open() == {"a": "b"}


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text()), min_size=1))
def test_every_json_object_comes_back(value: dict[str, Any]) -> None:
    assert Sealed.seal(value).open() == value


def test_no_text_form_shows_a_secret() -> None:
    integration = Integration(name="Hook", secrets=SECRETS)
    sealed = integration.secrets
    texts = [repr(sealed), str(sealed), f"{sealed}", str(pickle.dumps(sealed))]
    texts += [serializers.serialize("json", [integration]), repr(vars(integration))]
    for text in texts:
        assert "hunter2" not in text
        assert "whsec" not in text
    assert "secrets" not in modelform_factory(Integration, exclude=()).base_fields


def test_without_secrets_no_key_is_needed(settings: Any) -> None:
    use(settings)
    integration = Integration(name="Hook")
    assert not integration.secrets
    assert integration.secrets.open() == {}


def test_without_keys_no_secret_can_be_stored(settings: Any) -> None:
    use(settings)
    with pytest.raises(SecretKeyError, match="HITSTREAM_SECRET_KEYS is empty"):
        Integration(name="Hook", secrets=SECRETS)


def test_a_malformed_key_is_named_by_its_place_and_not_shown(settings: Any) -> None:
    use(settings, OLD, "correct horse")
    with pytest.raises(SecretKeyError, match="Key 2 of HITSTREAM_SECRET_KEYS") as caught:
        Sealed.seal(SECRETS)
    assert "horse" not in str(caught.value)


def test_an_older_key_still_opens(settings: Any) -> None:
    sealed = Sealed.seal(SECRETS)
    use(settings, NEW, OLD)
    assert sealed.open() == SECRETS
    renewed = sealed.renew()
    use(settings, NEW)
    assert renewed.open() == SECRETS


@pytest.mark.parametrize("ciphertext", ["not a token", "gAAAA", "ü"])
def test_what_no_key_opens_pauses_the_integration(ciphertext: str) -> None:
    with pytest.raises(SetupError, match="None of the keys in HITSTREAM_SECRET_KEYS"):
        Sealed(ciphertext).open()


def test_a_migration_recreates_the_field() -> None:
    field = Integration._meta.get_field("secrets")
    assert isinstance(field, EncryptedJSONField)
    _, path, args, kwargs = field.deconstruct()
    assert path == "tracking.models.integrations.encrypted_json.EncryptedJSONField"
    again = EncryptedJSONField(*args, **kwargs)
    assert again.deconstruct()[1:] == field.deconstruct()[1:]
    assert not again.editable
    assert again.get_default() == {}


@pytest.mark.django_db
def test_the_database_holds_no_secret() -> None:
    integration = make()
    assert Fernet(OLD).decrypt(stored(integration))
    assert "hunter2" not in stored(integration)
    assert Integration.objects.get().secrets.open() == SECRETS
    assert Integration.objects.defer("secrets").get().secrets.open() == SECRETS
    assert Integration.objects.values_list("secrets", flat=True).get().open() == SECRETS


@pytest.mark.django_db
def test_integrations_can_be_listed_when_the_key_is_lost(settings: Any) -> None:
    make()
    use(settings, NEW)
    integration = Integration.objects.get()
    assert str(integration).startswith("Hook")
    integration.save()
    with pytest.raises(SecretKeyError, match="enter the secrets anew"):
        integration.secrets.open()
    integration.secrets = {"signing_secret": "anew"}
    integration.save()
    assert Integration.objects.get().secrets.open() == {"signing_secret": "anew"}


@pytest.mark.django_db
def test_a_dump_can_be_loaded_again() -> None:
    make()
    dump = serializers.serialize("json", Integration.objects.all())
    assert "hunter2" not in dump
    loaded = next(serializers.deserialize("json", json.dumps(json.loads(dump))))
    assert isinstance(loaded.object, Integration)
    assert loaded.object.secrets.open() == SECRETS


@pytest.mark.django_db
def test_rotation_puts_all_secrets_under_the_newest_key(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracking.management.commands.rotate_secret_keys.CHUNK", 2)
    for number in range(5):
        make(f"Hook {number}")
    make("Without secrets", {})
    use(settings, NEW, OLD)
    assert "5" in rotate()
    use(settings, NEW)
    for integration in Integration.objects.exclude(name="Without secrets"):
        assert integration.secrets.open() == SECRETS
    assert stored(Integration.objects.get(name="Without secrets")) == ""


@pytest.mark.django_db
def test_rotation_renews_alert_channels_and_names_the_lost_one(settings: Any) -> None:
    AlertChannel.objects.create(name="Lost", kind="slack", secrets=SECRETS)
    use(settings, NEW)
    kept = AlertChannel.objects.create(name="Kept", kind="slack", secrets=SECRETS)
    newest = generate_key()
    use(settings, newest, NEW)
    with pytest.raises(CommandError, match="Alert channel 'Lost'"):
        rotate()
    use(settings, newest)
    kept.refresh_from_db()
    assert kept.secrets.open() == SECRETS


@pytest.mark.django_db
def test_rotation_names_what_it_cannot_open_and_rotates_the_rest(settings: Any) -> None:
    make("Lost")
    make("Lost, too")
    use(settings, NEW)
    readable = make("Readable")
    newest = generate_key()
    use(settings, newest, NEW)
    with pytest.raises(CommandError) as caught:
        rotate()
    assert "Integration 'Lost' of token 'Shop'" in str(caught.value)
    assert "Integration 'Lost, too' of token 'Shop'" in str(caught.value)
    assert "Readable" not in str(caught.value)
    assert Fernet(newest).decrypt(stored(readable))


@pytest.mark.django_db
def test_rotation_without_keys_says_so(settings: Any) -> None:
    use(settings)
    with pytest.raises(CommandError, match="HITSTREAM_SECRET_KEYS is empty"):
        rotate()


def test_a_fresh_key_is_printed_on_demand(settings: Any) -> None:
    use(settings)
    assert Fernet(rotate("--generate").strip())
