"""Secrets in the database open only with their keys and for their purpose."""

import pytest

from apps.core import sealing
from apps.core.sealing import CannotUnseal

OLD, NEW = "old master key, long enough to pass", "new master key, long enough to pass"


def test_a_sealed_secret_opens_again_and_shows_nothing(settings):
    settings.SEALING_KEYS = [OLD]
    sealed = sealing.seal("hunter2", purpose="table.column:1")
    assert "hunter2" not in sealed
    assert sealing.unseal(sealed, purpose="table.column:1") == "hunter2"


def test_another_row_cannot_open_it(settings):
    settings.SEALING_KEYS = [OLD]
    sealed = sealing.seal("hunter2", purpose="table.column:1")
    with pytest.raises(CannotUnseal):
        sealing.unseal(sealed, purpose="table.column:2")


def test_keys_rotate(settings):
    settings.SEALING_KEYS = [OLD]
    sealed = sealing.seal("hunter2", purpose="p")
    settings.SEALING_KEYS = [NEW, OLD]
    assert sealing.unseal(sealed, purpose="p") == "hunter2"
    fresh = sealing.reseal(sealed, purpose="p")
    settings.SEALING_KEYS = [NEW]
    assert sealing.unseal(fresh, purpose="p") == "hunter2"
    with pytest.raises(CannotUnseal):
        sealing.unseal(sealed, purpose="p")


def test_what_was_tampered_with_does_not_open(settings):
    settings.SEALING_KEYS = [OLD]
    for wrong in ("", "gAAAA", sealing.seal("hunter2", purpose="p")[:-4] + "AAA="):
        with pytest.raises(CannotUnseal):
            sealing.unseal(wrong, purpose="p")
