"""Where june runs, and what is expected of it: environment variables with the prefix ``JUNE_INTEGRATION_``.

Temporal's address comes from Temporal's own environment configuration, and all else that june and its tests must agree
on (``JUNE_HOME``, ``JUNE_BLOB_URL``, tokens) from june's own settings.
"""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from workers.settings import Ids


class IntegrationSettings(BaseSettings):
    """What is empty is as ``june up`` makes it on this machine."""

    model_config = SettingsConfigDict(env_prefix="JUNE_INTEGRATION_", use_attribute_docstrings=True)

    web_url: str = ""
    """The web page, such as ``https://june.example.org``."""
    web_password: SecretStr = SecretStr("")
    """Its password; empty for ``JUNE_WEB_PASSWORD``."""
    telegram_chat: str = Field(default="", pattern=r"^(-?[0-9]+)?$")
    """Id of a group on Telegram (a negative number) that is for these tests alone, with june's bot in it."""
    discord_channel: str = Field(default="", pattern=r"^[0-9]*$")
    """Id of a channel of a server on Discord that is for these tests alone, in which june may write."""
    ui_url: str = ""
    """Temporal's Web UI."""
    metrics_urls: Ids = ()
    """Prometheus end points of all workers (``http://gpu-box:9464/metrics``), separated by commas."""
    ready_urls: Ids = ()
    """Readiness of all workers (``http://gpu-box:8081/readyz``), separated by commas."""
    otlp_url: str = ""
    """Where june sends its traces (its ``JUNE_OTLP_URL``), when no collector listens there: the test does meanwhile."""
    turn_seconds: float = Field(default=120, gt=0)
    """Timeout for one turn, in seconds."""
    wer_limit: float = Field(default=0.25, gt=0)
    """Largest word error rate, of the shipped question as june hears it and of its own reply."""
    latency_turns: int = Field(default=5, ge=1)
    """Short spoken turns that are measured, after one that is not."""
    latency_budget_seconds: float = Field(default=30, gt=0)
    """Most that half of them may take, in seconds from the message to the delivered reply; the default suits two cores
    of an ordinary processor with some load on them."""
    may_kill: bool = False
    """Processes of june may be killed (they are started again), which disturbs whoever uses it."""
