"""The tables of commands and settings in the READMEs and the example configuration, made from the code.

``python -m tests.support.reference`` writes them anew; a test fails when they are not what the code says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.cli.main import COMMANDS
from pipeline.cli.settings import REGISTRY, Setting
from pipeline.telemetry.metrics import ALL, Metric

ROOT = Path(__file__).resolve().parents[2]
READMES = tuple(ROOT / name / "README.md" for name in (".", "pipeline/cli", "pipeline/telemetry"))
EXAMPLE = ROOT / "deploy" / "transferscope.example.toml"

_EXAMPLES = {
    "database_url": '"postgresql://transferscope@db.example.org/transferscope?passfile=/etc/transferscope/pgpass"',
    "kafka_bootstrap": '["kafka1.example.org:9092", "kafka2.example.org:9092"]',
    "kafka_ca_file": '"/etc/transferscope/kafka-ca.pem"',
    "kafka_cert_file": '"/etc/transferscope/client.pem"',
    "kafka_key_file": '"/etc/transferscope/client.key"',
    "kafka_user": '"transferscope"',
    "kafka_password_file": '"/etc/transferscope/kafka-password"',
    "web_cert_file": '"/etc/transferscope/web.pem"',
    "web_key_file": '"/etc/transferscope/web.key"',
    "stomp_brokers": '["stomp+ssl://mq.example.org:61612"]',
    "stomp_user": '"transferscope"',
    "stomp_password_file": '"/etc/transferscope/mq-password"',
    "stomp_ca_file": '"/etc/transferscope/mq-ca.pem"',
    "stomp_cert_file": '"/etc/transferscope/client.pem"',
    "stomp_key_file": '"/etc/transferscope/client.key"',
    "broker_api": '["http://mq.example.org:8161/api/jolokia"]',
    "broker_api_user": '"monitor"',
    "broker_api_password_file": '"/etc/transferscope/jolokia-password"',
    "user_hash_key_file": '"/etc/transferscope/user-hash-key"',
    "backlog_limits": '"Consumer.transferscope.transfer.fts_monitoring_state=50000"',
    "alerts_sources": '"fts-quiet.example.org=1440"',
    "alerts_mail_to": '["operators@example.org"]',
    "alerts_smtp_user": '"transferscope"',
    "alerts_smtp_password_file": '"/etc/transferscope/smtp-password"',
    "alerts_smtp_ca_file": '"/etc/transferscope/smtp-ca.pem"',
    "alerts_alertmanager": '["http://alertmanager.example.org:9093"]',
    "alerts_alertmanager_user": '"transferscope"',
    "alerts_alertmanager_password_file": '"/etc/transferscope/alertmanager-password"',
    "alerts_alertmanager_token_file": '"/etc/transferscope/alertmanager-token"',
    "alerts_alertmanager_ca_file": '"/etc/transferscope/alertmanager-ca.pem"',
    "alerts_page": '"https://transferscope.example.org"',
    "traces_endpoint": '"http://collector.example.org:4318"',
    "web_oidc_issuer": '"https://iam.example.org/"',
    "web_oidc_audience": '["https://transferscope.example.org"]',
    "web_oidc_reader_groups": '["/atlas", "/cms"]',
    "web_oidc_operator_groups": '["/wlcg/monitoring"]',
    "web_oidc_administrator_groups": '["/wlcg/monitoring/admins"]',
    "web_oidc_ca_file": '"/etc/transferscope/oidc-ca.pem"',
    "topology": '["/etc/transferscope/topology.json"]',
}
_BROKER_TABLE = """\
# Instead of stomp_brokers: a table for each broker. What it leaves out is taken from the stomp_… settings above.
# Topics are those that it subscribes to, with the kind of their messages; nothing else is subscribed.
# mode "topic" leaves no virtual queue behind, and loses what is sent while nobody listens: for trying out.
#
# [[broker]]
# url = "stomp+ssl://mq.example.org:61612"
# user = "transferscope"
# password_file = "/etc/transferscope/mq-password"
# consumer = "transferscope"
# mode = "queue"
# [broker.topics]
# "transfer.fts_monitoring_start" = "fts.start"
# "transfer.fts_monitoring_complete" = "fts.complete"
"""


def command_table() -> str:
    """The commands, as Markdown."""
    rows = [f"| `{name}` | {sentence} |" for name, (_, sentence) in COMMANDS.items()]
    return "\n".join(("| command | does |", "|---|---|", *rows))


def settings_table() -> str:
    """The settings, as Markdown: variable of the environment, default, sentence."""
    rows = [f"| `{s.variable}` | {_default(s)} | {s.sentence} |" for s in REGISTRY]
    return "\n".join(("| variable | default | meaning |", "|---|---|---|", *rows))


def metrics_table() -> str:
    """The metrics, as Markdown."""
    rows = [f"| {_labelled(m)} | {m.kind} | {m.unit} | {', '.join(m.processes)} | {m.meaning} |" for m in ALL]
    return "\n".join(("| metric | kind | unit | told by | meaning |", "|---|---|---|---|---|", *rows))


def example_toml() -> str:
    """A configuration file with every setting as a comment: its sentence, its name, its default or an example."""
    blocks = [f"# {s.sentence[0].upper()}{s.sentence[1:]}.\n# {s.name} = {_toml(s)}\n" for s in REGISTRY]
    head = (
        "# Settings of transferscope: --config FILE or TRANSFERSCOPE_CONFIG names this file. The environment wins:\n"
        "# TRANSFERSCOPE_ and the name in capitals. Relative paths start at the folder of this file.\n"
    )
    return "\n".join((head, *blocks, _BROKER_TABLE))


BLOCKS: dict[str, Callable[[], str]] = {
    "commands": command_table,
    "settings": settings_table,
    "metrics": metrics_table,
}
"""What stands in a README between ``<!-- NAME -->`` and ``<!-- /NAME -->``."""


def renewed(readme: str) -> str:
    """The README with its blocks as the code says."""
    for name, make in BLOCKS.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = readme.partition(start)
        if found:
            readme = f"{before}{start}{make()}\n{end}{rest.partition(end)[2]}"
    return readme


def write() -> None:
    """Write all of them."""
    for readme in READMES:
        readme.write_text(renewed(readme.read_text(encoding="utf-8")), encoding="utf-8")
    EXAMPLE.parent.mkdir(exist_ok=True)
    EXAMPLE.write_text(example_toml(), encoding="utf-8")


def _labelled(metric: Metric) -> str:
    return f"`{metric.name}`" + (f" by {', '.join(metric.labels)}" if metric.labels else "")


def _default(setting: Setting) -> str:
    return "" if setting.default is None else f"`{setting.default}`"


def _toml(setting: Setting) -> str:
    if setting.default is None:
        return _EXAMPLES[setting.name]
    return f'"{setting.default}"' if isinstance(setting.default, str) else str(setting.default)


if __name__ == "__main__":
    write()
