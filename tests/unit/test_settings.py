import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.errors import InvalidSettings
from kiosque.settings import PREFIX, Settings, load_settings, secret_names


@pytest.fixture(autouse=True)
def _away_from_the_checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
        monkeypatch.delenv(f"{PREFIX}{name.upper()}_FILE", raising=False)


def test_defaults_stay_on_this_machine():
    settings = load_settings()
    assert settings.host == "127.0.0.1"
    assert settings.bus == "inline"
    assert settings.allow_private_hosts is False


@pytest.mark.parametrize("name", secret_names())
def test_no_secret_has_a_default(name):
    assert getattr(load_settings(), name) is None


@pytest.mark.parametrize("name", secret_names())
def test_each_secret_can_come_from_a_file(name, tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("hush\n")
    monkeypatch.setenv(f"{PREFIX}{name.upper()}_FILE", str(tmp_path / "secret"))
    assert getattr(load_settings(), name).get_secret_value() == "hush"


def test_a_missing_secret_file_is_named(monkeypatch):
    monkeypatch.setenv("KIOSQUE_NYT_API_KEY_FILE", "/nowhere/key")
    with pytest.raises(InvalidSettings, match=r"KIOSQUE_NYT_API_KEY_FILE.*/nowhere/key"):
        load_settings()


def test_secrets_never_show():
    assert "hush" not in repr(load_settings(nyt_api_key="hush"))


def test_every_wrong_setting_is_named(monkeypatch):
    monkeypatch.setenv("KIOSQUE_BUS", "pigeon")
    monkeypatch.setenv("KIOSQUE_NYT_PER_DAY", "-1")
    with pytest.raises(InvalidSettings, match=r"KIOSQUE_BUS.*KIOSQUE_NYT_PER_DAY"):
        load_settings()


def test_a_wrong_value_is_not_echoed(monkeypatch):
    monkeypatch.setenv("KIOSQUE_PORT", "hunter2")
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_feeds_are_split_at_blanks_and_commas(monkeypatch):
    monkeypatch.setenv("KIOSQUE_FEEDS", "https://a.example/x, https://b.example/y\nhttps://c.example/z")
    assert load_settings().feeds == ("https://a.example/x", "https://b.example/y", "https://c.example/z")


def test_an_env_file_is_read(tmp_path):
    (tmp_path / ".env").write_text("KIOSQUE_POLL_SECONDS=42\n")
    assert load_settings().poll_seconds == 42


@given(st.integers(min_value=65536))
def test_a_port_that_does_not_exist_is_refused(port):
    with pytest.raises(InvalidSettings, match="KIOSQUE_PORT"):
        load_settings(port=port)


def test_every_setting_is_described():
    assert [n for n, f in Settings.model_fields.items() if not f.description] == []
