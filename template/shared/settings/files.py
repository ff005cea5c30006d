"""Values in files, such as Docker's secrets: `NAME_FILE` is the path of the file with `NAME`."""

from collections.abc import Mapping
from pathlib import Path

from pydantic_settings import EnvSettingsSource


class FileSource(EnvSettingsSource):
    """A source of settings. White space around a file's value is not part of it.

    Raises `ValueError` for a file that cannot be read, and for a value that is set twice.
    """

    def _load_env_vars(self) -> Mapping[str, str | None]:
        environment = super()._load_env_vars()
        values: dict[str, str | None] = {}
        for variable, path in environment.items():
            name = variable.removesuffix("_file")
            known = name.split("__")[0] in self.settings_cls.model_fields
            if name == variable or not known or not path:
                continue
            if environment.get(name):
                raise ValueError(f"{name.upper()} and {variable.upper()} are both set")
            try:
                values[name] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"{variable.upper()} cannot be read: {error}") from None
        return values
