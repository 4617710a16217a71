"""The key that users are hashed with, as commands need it."""

from __future__ import annotations

from pipeline.cli.errors import ConfigurationError
from pipeline.cli.settings import Settings
from pipeline.ingest.user_key import BadKey, read_user_key


def user_key(settings: Settings) -> bytes | None:
    """The key of the setting, read now; None where none is set. Raises ConfigurationError."""
    try:
        return read_user_key(settings.user_hash_key_file)
    except OSError as error:
        raise ConfigurationError(
            f"the user_hash_key_file {settings.user_hash_key_file} cannot be read ({error.strerror}): "
            "correct the path or its rights"
        ) from error
    except BadKey as error:
        raise ConfigurationError(f"user_hash_key_file: {error}") from error
