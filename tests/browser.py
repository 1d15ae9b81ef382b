"""A headless Chromium by the WebDriver protocol: enough to open a page, run JavaScript in it, and hear what it asks for."""

import contextlib
import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def missing() -> str | None:
    """Why there is no browser here, or None."""
    lacking = [name for name in ("chromedriver", "chromium") if not shutil.which(name)]
    return f"{' and '.join(lacking)} not installed" if lacking else None


class Browser:
    """A session at `address`. Raises RuntimeError with the driver's message."""

    def __init__(self, address: str) -> None:
        self.address = address

    def call(self, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.address}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from None

    def open(self, page: Path, width: int = 1280, dark: bool = False) -> None:
        """Open a file at a width in CSS pixels; below 600 the window is a phone's."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.devtools("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", features=[scheme])
        self.call("url", url=page.as_uri())
        deadline = time.monotonic() + 60
        while self.devtools("Runtime.evaluate", expression="document.readyState")["result"]["value"] != "complete":
            assert time.monotonic() < deadline, f"{page} never loads"
            time.sleep(0.05)

    def devtools(self, command: str, **parameters: Any) -> Any:
        return self.call("goog/cdp/execute", cmd=command, params=parameters)

    def run(self, script: str) -> Any:
        """What a script returns."""
        return self.call("execute/sync", script=script, args=[])

    def complaints(self) -> list[str]:
        """What the console has said since the last call."""
        return [entry["message"] for entry in self.call("se/log", type="browser")]

    def requests(self) -> list[str]:
        """The addresses asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.call("se/log", type="performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]


@contextlib.contextmanager
def session() -> Iterator[Browser]:
    """A fresh browser, closed at the end."""
    driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert driver.stdout
        port = next(found[1] for line in driver.stdout if (found := re.search(r"successfully on port (\d+)", line)))
        options = {"goog:chromeOptions": {"args": ARGUMENTS}, "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"}}
        root = Browser(f"http://127.0.0.1:{port}")
        identity = root.call("session", capabilities={"alwaysMatch": options})["sessionId"]
        browser = Browser(f"{root.address}/session/{identity}")
        try:
            yield browser
        finally:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(urllib.request.Request(browser.address, method="DELETE"), timeout=30)
    finally:
        driver.terminate()
        driver.wait(10)
