"""What a browser complains about, and what axe finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
WCAG_22_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_REMEMBER_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => window.violations.push(
    `${e.violatedDirective} by ${e.blockedURI} in ${e.sourceFile}:${e.lineNumber}`));
"""
_AXE_RUN = "async (tags) => (await axe.run(document, {runOnly: {type: 'tag', values: tags}})).violations"


class Watched:
    """A page that remembers console errors, uncaught ones, violations of the policy and requests to other hosts."""

    def __init__(self, page: Page, own: str) -> None:
        self.page = page
        self.excused: list[str] = []
        """Parts of messages that the test causes itself."""
        self._own = urlsplit(own).netloc
        self._wrong: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._wrong.append(f"uncaught: {error}"))
        page.on("request", self._request)
        page.add_init_script(_REMEMBER_VIOLATIONS)

    def wrong(self) -> list[str]:
        """Everything so far, less what is excused."""
        found = self._wrong + [f"policy: {each}" for each in self.page.evaluate("() => window.violations || []")]
        return [each for each in found if not any(part in each for part in self.excused)]

    def accessibility(self) -> list[str]:
        """What breaks WCAG 2.2 A or AA, one line a place."""
        self.page.evaluate(AXE)
        found: list[dict[str, Any]] = self.page.evaluate(_AXE_RUN, WCAG_22_AA)
        return [f"{rule['id']}: {node['target']}: {node['failureSummary']}" for rule in found for node in rule["nodes"]]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._wrong.append(f"console: {message.text} ({message.location['url']})")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != self._own:
            self._wrong.append(f"request to {request.url}")
