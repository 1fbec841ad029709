from pathlib import Path

import pytest

from project.embedded import paths
from project.embedded.secret import make_secrets


def test_a_deep_var_directory_still_gets_short_socket_paths(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["deeper"] * 20)
    deep.mkdir(parents=True)
    assert len(str(paths.valkey_socket(deep))) < 100
    assert len(str(paths.postgres_sockets(deep) / paths.POSTGRES_SOCKET)) < 100


def test_two_var_directories_never_share_a_server(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert paths.database_url(one) != paths.database_url(two)
    assert paths.broker_url(one) != paths.broker_url(two)


def test_the_urls_need_no_quoting(tmp_path: Path) -> None:
    awkward = tmp_path / "a b&c#?%d"
    assert not set(" #%") & set(paths.database_url(awkward) + paths.broker_url(awkward))


def test_computing_the_urls_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HITSTREAM_VAR", str(tmp_path / "var"))
    paths.database_url()
    paths.broker_url()
    assert paths.read_secret("secret_key") is None
    assert list(tmp_path.iterdir()) == []


def test_secrets_are_made_once_and_only_their_user_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HITSTREAM_VAR", str(tmp_path))
    make_secrets(tmp_path, is_loopback=True)
    first = {name: paths.read_secret(name) for name in ("secret_key", "secret_keys")}
    make_secrets(tmp_path, is_loopback=True)
    assert first == {name: paths.read_secret(name) for name in first}
    assert all(first.values())
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
